"""Embeddings whose length means something: kept in files, and averaged apart from their direction."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import CorpusError, LawBroken
from manifests.storage import open_place
from tests.voicebank.made_up import WIDTH, people, read_voices, rewrite_voices, unit
from voicebank.bank import load_bank
from voicebank.blend import blend
from voicebank.blend_options import BlendOptions
from voicebank.card import write_card
from voicebank.check import check_bank
from voicebank.speaker_table import load_speaker_table
from voicebank.tables import VoiceWriter, has_raw_embeddings, read_speakers, write_speakers
from voicebank.voice import Speaker, Voice


def raw_people() -> list[Speaker]:
    """People whose embeddings are between 5 and 15 long."""
    return [
        replace(one, embedding=(one.embedding * (5 + index % 11)).astype(np.float32))
        for index, one in enumerate(people())
        if one.embedding is not None
    ]


@pytest.fixture
def real(tmp_path: Path) -> Path:
    place = open_place(tmp_path / "real")
    write_speakers(place, raw_people(), raw=True)
    write_card(place, {"name": "real", "half_similarity": {"q05": 0.97}, "embedding": {"raw": True}})
    return tmp_path / "real"


def test_the_file_says_that_embeddings_are_raw(real: Path, tmp_path: Path) -> None:
    stored = {one.speaker_id: one.embedding for one in read_speakers(open_place(real))}
    assert has_raw_embeddings(open_place(real)) and load_speaker_table(open_place(real)).raw
    for one in raw_people():
        assert np.array_equal(stored[one.speaker_id], one.embedding)
    with pytest.raises(LawBroken, match="embedding is of length 5, not 1"):
        write_speakers(open_place(tmp_path / "unmarked"), raw_people())
    write_speakers(open_place(tmp_path / "unit"), people())
    assert not has_raw_embeddings(open_place(tmp_path / "unit"))


@pytest.mark.parametrize("spoilt, why", [(0.0, "all zeros in row 1"), (np.nan, "NaN or infinite in row 1")])
def test_raw_is_not_anything_at_all(spoilt: float, why: str, tmp_path: Path) -> None:
    voices = [Voice(name, "x", name, "en", "female", embedding=np.full(3, 7, np.float32)) for name in ("a", "b")]
    voices[1] = replace(voices[1], embedding=np.full(3, spoilt, np.float32))
    with pytest.raises(LawBroken, match=why), VoiceWriter(open_place(tmp_path), raw=True) as writer:
        writer.write(voices)
    with pytest.raises(LawBroken, match="xvector is of length 2"), VoiceWriter(open_place(tmp_path), True) as writer:
        writer.write(voices[:1], [np.array([2, 0], np.float32)])


def test_direction_and_length_are_averaged_apart(real: Path, tmp_path: Path) -> None:
    out = open_place(tmp_path / "out")
    blend(open_place(real), out, BlendOptions(count=20))
    voices, _ = read_voices(out)
    assert has_raw_embeddings(out) and load_bank(str(tmp_path / "out")).raw
    known = {one.speaker_id: one.embedding for one in raw_people()}
    for voice in voices:
        lengths = [float(np.linalg.norm(known[parent])) for parent in voice.parents]
        directions = [known[parent] / length for parent, length in zip(voice.parents, lengths, strict=True)]
        mean = sum(weight * direction for weight, direction in zip(voice.weights, directions, strict=True))
        want = sum(weight * length for weight, length in zip(voice.weights, lengths, strict=True))
        assert np.linalg.norm(voice.embedding) == pytest.approx(want, rel=1e-5)
        assert np.allclose(unit(voice.embedding), unit(mean), atol=1e-5)
        shrunk = np.linalg.norm(sum(w * known[p] for w, p in zip(voice.weights, voice.parents, strict=True)))
        assert np.linalg.norm(voice.embedding) > shrunk, "the average of two raw vectors is shorter than both"


def test_the_check_finds_a_length_that_was_lost(real: Path, tmp_path: Path) -> None:
    out = open_place(tmp_path / "out")
    blend(open_place(real), out, BlendOptions(count=10))
    assert check_bank(out, open_place(real)).ok
    voices, xvectors = read_voices(out)
    scaled = [replace(voice, embedding=unit(voice.embedding)) for voice in voices]
    rewrite_voices(out, scaled, xvectors)
    report = check_bank(out, open_place(real))
    assert dict(report.counts) == {"not_an_average": len(voices)}


def test_what_says_nothing_of_length_must_have_length_1(tmp_path: Path) -> None:
    place = open_place(tmp_path)
    with VoiceWriter(place, raw=True) as writer:
        writer.write([Voice("a", "x", "a", "en", "female", embedding=np.full(WIDTH, 3, np.float32))])
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / "voices.parquet")
    pq.write_table(table.replace_schema_metadata({}), tmp_path / "voices.parquet")
    write_card(place, {"name": "a"})
    with pytest.raises(CorpusError, match="embedding is of length 24, not 1"):
        load_bank(str(tmp_path))
