"""moshi-finetune: stereo files, the agent first, and beside each the agent's words with their times.

::

    OUT/train/data.jsonl                             {"path": "data_stereo/00000/ID.wav", "duration": 34.216}
    OUT/train/data_stereo/00000/ID.wav, ID.json      {"alignments": [["Sure,", [4.12, 4.4], "SPEAKER_MAIN"], ...]}

The loader puts a word's text into frames of 80 ms from where the word starts, and cuts the file into chunks of
`duration_sec` (a setting of the trainer). It says nothing where text is lost, so here

- words are sorted, and all have the one label that is kept;
- a word that would begin in the same frame as the word before it, and replace it, is joined to it, and counted;
- a dialogue whose agent has a turn without times, or a word that ends where it starts, is refused;
- so is one longer than a chunk: words across a border, and what lies behind it in the text, would go.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from io import BytesIO
from itertools import groupby
from typing import Any

import numpy as np

from manifests.audio import decode
from manifests.corpus import Corpus
from manifests.export._timeline import Spot, sample_at, spots
from manifests.export._tracks import GAP, GAP_MS, ROLES, check_gap, check_rate, end_sample, track, tracks_problem
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.resampling import Samples, resample
from manifests.schema import Dialogue, Role, Turn
from manifests.storage import Place

LABEL = "SPEAKER_MAIN"

_MIMI_RATE = 24_000
_FRAMES_PER_S = 12.5
_CHUNK = "the trainer's duration_sec, in seconds: a longer dialogue is refused"
_RATE = "sample rate of the files in Hz; the loader resamples to 24,000"

Entry = tuple[str, float, float]
"""A word with its start and end in seconds."""


@dataclass(frozen=True)
class MoshiSettings(ExportSettings):
    gap_ms: int = field(default=GAP_MS, metadata={"description": GAP})
    sample_rate: int = field(default=_MIMI_RATE, metadata={"description": _RATE})
    duration_sec: float = field(default=100.0, metadata={"description": _CHUNK})

    def __post_init__(self) -> None:
        check_gap(self.gap_ms)
        check_rate(self.sample_rate)
        if not self.sample_rate:
            raise ValueError("sample_rate must be 4000 to 192000 Hz")
        if not 0 < self.duration_sec <= 3600:
            raise ValueError(f"duration_sec must be more than 0 and at most 3600, not {self.duration_sec:g}")


@dataclass(frozen=True)
class MoshiWriter(PieceWriter):
    settings: MoshiSettings

    def problem(self, dialogue: Dialogue) -> str | None:
        heard = _placed(dialogue)
        if problem := tracks_problem(heard, self.settings.sample_rate):
            return problem
        agents = [turn for turn in heard.turns if turn.role == "agent"]
        if not agents:
            return "it has no turn of the agent"
        if any(problem := _times_problem(turn) for turn in agents):
            return problem
        if self._num_samples(heard) > self.settings.duration_sec * self.settings.sample_rate:
            return "it is longer than the trainer's duration_sec"
        return None

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> dict[str, Any]:
        folder = f"data_stereo/{piece.number:05d}"
        lines, joined = [], 0
        for dialogue in map(_placed, dialogues):
            length, rate = self._num_samples(dialogue), self.settings.sample_rate
            place = out / piece.split / folder
            channels = [self._channel(dialogue, role, length) for role in reversed(ROLES)]
            (place / f"{dialogue.dialogue_id}.wav").write_bytes(_stereo(channels, rate))
            words = _words(dialogue, self.settings.gap_ms)
            entries = list(_one_each_frame(words))
            sidecar = {"alignments": [[text, [start, end], LABEL] for text, start, end in entries]}
            (place / f"{dialogue.dialogue_id}.json").write_text(json.dumps(sidecar, ensure_ascii=False))
            lines.append({"path": f"{folder}/{dialogue.dialogue_id}.wav", "duration": length / rate})
            joined += len(words) - len(entries)
        return {"lines": lines, "joined": joined}

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        joined = 0
        for split, group in groupby(pieces, key=lambda each: each[0].split):
            with (out / split / "data.jsonl").writing() as stream:
                for _, written in group:
                    joined += written["joined"]
                    stream.writelines(f"{json.dumps(line)}\n".encode() for line in written["lines"])
        if joined:
            return [f"{joined} words start in the same frame of 80 ms as the word before, and were joined to it"]
        return ()

    def _num_samples(self, dialogue: Dialogue) -> int:
        rate, timeline = self.settings.sample_rate, dialogue.timeline
        if timeline is not None and timeline.track("agent") and timeline.track("user"):
            return sample_at(Fraction(timeline.num_samples, timeline.sample_rate), rate)
        return max(end_sample(dialogue, spot, rate) for spot in spots(dialogue, self.settings.gap_ms))

    def _channel(self, dialogue: Dialogue, role: Role, length: int) -> Samples:
        """Return the role's channel, float32 [length]: as it was mixed, or the turns' clips laid out."""
        rate, timeline = self.settings.sample_rate, dialogue.timeline
        if timeline is None or not (timeline.track("agent") and timeline.track("user")):
            return track(dialogue, spots(dialogue, self.settings.gap_ms), role, rate, length)
        mixed = timeline.track(role)
        assert mixed is not None
        samples = resample(*decode(mixed.audio), rate)[:length]
        return np.pad(samples, (0, length - len(samples)))


def _placed(dialogue: Dialogue) -> Dialogue:
    """Return the dialogue with the turns that are heard: where there is a timeline, those that have a place in it."""
    if dialogue.timeline is None:
        return dialogue
    turns = (turn for turn in dialogue.turns if turn.start_sample is not None and turn.take is not None)
    return replace(dialogue, turns=tuple(turns))


def _times_problem(turn: Turn) -> str | None:
    times = turn.take.word_times if turn.take else None
    if times is None:
        return "a turn of the agent has no word times"
    if not times.is_complete or not times.words:
        return "a turn of the agent has no times for some words, or none to be trusted"
    lasting = all((word.start_sample or 0) < (word.end_sample or 0) for word in times.words)
    return None if lasting else "a word of the agent ends where it starts"


def _words(dialogue: Dialogue, gap_ms: int) -> list[Entry]:
    """Return the agent's words in seconds of the file, sorted by start."""
    words = [word for spot in spots(dialogue, gap_ms) if spot.role == "agent" for word in _turn_words(dialogue, spot)]
    return sorted(words, key=lambda word: word[1])


def _turn_words(dialogue: Dialogue, spot: Spot) -> Iterator[Entry]:
    turn = dialogue.turns[spot.turn]
    assert turn.audio is not None and turn.take is not None and turn.take.word_times is not None
    for word in turn.take.word_times.words:
        start, end = (
            round(float(spot.start + Fraction(sample or 0, turn.audio.sample_rate)), 4)
            for sample in (word.start_sample, word.end_sample)
        )
        yield word.text, start, end


def _one_each_frame(words: Iterable[Entry]) -> Iterator[Entry]:
    """Join words that start in one frame: with a blank, or without where their script has none."""
    for _, group in groupby(words, key=lambda word: math.floor(word[1] * _FRAMES_PER_S)):
        together = list(group)
        yield _joined([text for text, *_ in together]), together[0][1], max(end for *_, end in together)


def _joined(texts: Sequence[str]) -> str:
    joined = texts[0]
    for text in texts[1:]:
        joined += text if ord(joined[-1]) > 0x2E7F or ord(text[0]) > 0x2E7F else f" {text}"
    return joined


def _stereo(channels: Sequence[Samples], rate: int) -> bytes:
    """Return a 16-bit WAV file of channels of one length, in that order."""
    import soundfile

    scaled = np.rint(np.stack(channels, axis=1) * 32768)
    file = BytesIO()
    soundfile.write(file, np.clip(scaled, -32768, 32767).astype(np.int16), rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def open_moshi(corpus: Corpus, settings: MoshiSettings) -> MoshiWriter:
    return MoshiWriter(settings)


EXPORTER = Exporter(
    "moshi-finetune",
    "moshi-finetune: stereo WAV, the agent first, with the times of the agent's words",
    open_moshi,
    MoshiSettings,
    read_by="moshi-finetune 2acc879",
)
"""The commit's own data set and interleaver read it; they are not on PyPI."""
