"""Holds the real speakers of a bank as arrays, in an order that does not depend on the file."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from manifests.errors import CorpusError, UserError
from manifests.storage import Place
from voicebank.tables import SPEAKERS_FILE, has_raw_embeddings, read_speakers
from voicebank.voice import Gender, Speaker

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SpeakerTable:
    """Speakers, sorted by speaker_id; all fields have one entry for each speaker, in the same order.

    `xvectors` float32 [N, Dx] and `embeddings` float32 [N, De] have length 1, but for embeddings that are `raw`;
    `buckets` are milliseconds per character.
    """

    ids: tuple[str, ...]
    languages: tuple[str, ...]
    genders: tuple[Gender, ...]
    licenses: tuple[str | None, ...]
    buckets: Rows
    xvectors: Matrix
    embeddings: Matrix | None
    digest: str
    raw: bool = False

    def __len__(self) -> int:
        return len(self.ids)


def load_speaker_table(bank: Place) -> SpeakerTable:
    """Read the speakers of a built bank. UserError where it holds none, CorpusError where they are damaged."""
    if not (bank / SPEAKERS_FILE).is_file():
        raise UserError(
            f"{bank.name}: there is no {SPEAKERS_FILE}; name a bank with speakers, from which voices are averaged"
        )
    return speaker_table_of(read_speakers(bank), has_raw_embeddings(bank))


def speaker_table_of(speakers: Sequence[Speaker], raw: bool = False) -> SpeakerTable:
    """Make the table of some speakers, whose embeddings may be `raw`.

    CorpusError where there are none, where an id appears twice, or where only some have a synthesis embedding.
    """
    known = sorted(speakers, key=lambda speaker: speaker.speaker_id)
    if not known:
        raise CorpusError("the bank holds no speakers")
    if len({speaker.speaker_id for speaker in known}) < len(known):
        raise CorpusError("a speaker_id appears twice")
    embeddings = [speaker.embedding for speaker in known if speaker.embedding is not None]
    if embeddings and len(embeddings) < len(known):
        raise CorpusError(f"{len(known) - len(embeddings)} of {len(known)} speakers have no synthesis embedding")
    return SpeakerTable(
        ids=tuple(speaker.speaker_id for speaker in known),
        languages=tuple(speaker.language for speaker in known),
        genders=tuple(speaker.gender for speaker in known),
        licenses=tuple(speaker.license for speaker in known),
        buckets=np.array([speaker.ms_per_character for speaker in known], np.int64),
        xvectors=np.stack([speaker.xvector for speaker in known]).astype(np.float32),
        embeddings=np.stack(embeddings).astype(np.float32) if embeddings else None,
        digest=_digest(known),
        raw=raw,
    )


def blend_vectors(vectors: Matrix, parents: Rows, weights: Weights) -> tuple[Matrix, Weights]:
    """Average rows of `vectors` and scale to length 1: float32 [N, D], and the lengths before scaling, [N].

    `parents` and `weights` are [N, K]. Sums are made in float64, so that the order of addition does not show in the
    result. Where the parents cancel each other out, the row is not of length 1: see the lengths.
    """
    mixed = np.zeros((len(parents), vectors.shape[1]))
    for rows, shares in zip(parents.T, weights.T, strict=True):
        mixed += shares[:, None] * vectors[rows]
    lengths = np.sqrt(np.square(mixed).sum(axis=1))
    return (mixed / np.maximum(lengths, 1e-12)[:, None]).astype(np.float32), lengths


def blend_embeddings(speakers: SpeakerTable, parents: Rows, weights: Weights) -> tuple[Matrix, Weights] | None:
    """Average synthesis embeddings: float32 [N, De], and the lengths of the average directions, [N].

    Directions are averaged and scaled to length 1, and raw ones get the average of their parents' lengths: the mean of
    two vectors that point apart is shorter than both, and a synthesizer that reads the length would take it for a
    voice unlike any. None where the speakers have no embeddings.
    """
    vectors = speakers.embeddings
    if vectors is None or not speakers.raw:
        return None if vectors is None else blend_vectors(vectors, parents, weights)
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    directions, lengths = blend_vectors((vectors / norms[:, None]).astype(np.float32), parents, weights)
    blended = directions * (norms[parents] * weights).sum(axis=1)[:, None]
    return blended.astype(np.float32), lengths


def _digest(speakers: Sequence[Speaker]) -> str:
    """SHA-256 of everything about the speakers that decides which voices they give."""
    hashed = hashlib.sha256()
    for s in speakers:
        facts = [s.speaker_id, s.language, s.gender, s.ms_per_character, s.license, s.embedding is not None]
        hashed.update(json.dumps(facts, ensure_ascii=False).encode("utf-8"))
        for vector in (s.xvector, s.embedding):
            if vector is not None:
                hashed.update(np.ascontiguousarray(vector, dtype="<f4").tobytes())
    return hashed.hexdigest()
