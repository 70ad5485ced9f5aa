"""Corpora of chords for building banks of, and whole builds of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from manifests.storage import open_place
from pipeline.bank.build import BankJob, build_bank
from pipeline.bank.corpus import open_corpus
from pipeline.bank.recipe import BankRecipe, parse_bank_recipe
from pipeline.bank.results import BankReport
from pipeline.engines.registry import ENGINES
from pipeline.job.listener import Listener
from pipeline.job.runner.local import LocalRunner
from tests.doubles import double

DOUBLES = "tests.pipeline.bank.doubles.bank_engines"
RATE = 8000
SPEECH_S = 1.0
EDGE_S = 0.25

RECIPE: dict[str, Any] = {
    "name": "chords",
    "description": "made of tones",
    "block_clips": 24,
    "quality": {"engine": "loudness", "threshold": 2.0},
    "groups": {"min_clips": 4},
    "pair_rule": {"encoder": "bands", "threshold": 0.9, "min_pairs": "0.6*pairs"},
    "gender": {"engine": "lowness", "min_confidence": 0.8},
    "rate": {"vad": "level"},
    "embedding": {"encoder": "bands"},
    "pool": {"workers": 2, "cpus": 0.5},
}


@dataclass(frozen=True)
class Recording:
    """A group of clips. `people` speak in turn; person p is a chord above `base_hz`. `extra` goes into each line."""

    name: str
    people: Sequence[int] = (0,)
    clips: int = 4
    peak: float = 0.8
    base_hz: float = 120.0
    text: str | None = "abcdefghij"
    rate: int = RATE
    extra: dict[str, Any] = field(default_factory=dict)


def chord(person: int, take: int, peak: float, base_hz: float, rate: int = RATE) -> np.ndarray[Any, Any]:
    """1 s of the person's chord between two edges of silence; each take has phases of its own."""
    random = np.random.default_rng([person, take])
    time = np.arange(int(SPEECH_S * rate)) / rate
    notes = (base_hz, 600 + 130 * person, 1900 + 170 * person)
    sound = sum(np.sin(2 * np.pi * (hz * time + random.random())) for hz in notes)
    silence = np.zeros(int(EDGE_S * rate))
    return np.concatenate([silence, peak * sound / np.abs(sound).max(), silence])


def write_corpus(directory: Path, recordings: Sequence[Recording]) -> Path:
    """The recordings in the layout `manifest`, their clips in turn: one of each, then the next of each."""
    directory.mkdir(parents=True, exist_ok=True)
    lines = []
    for take in range(max(recording.clips for recording in recordings)):
        for recording in recordings:
            if take < recording.clips:
                lines.append(_write_clip(directory, recording, take))
    (directory / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return directory


def _write_clip(directory: Path, recording: Recording, take: int) -> dict[str, Any]:
    path = directory / f"{recording.name}-{take:02d}.wav"
    person = recording.people[take % len(recording.people)]
    soundfile.write(path, chord(person, take, recording.peak, recording.base_hz, recording.rate), recording.rate)
    line = {"path": path.name, "recording": recording.name, "language": "en", "text": recording.text}
    return line | recording.extra


def people(count: int, clips: int = 4) -> list[Recording]:
    """Whole persons, women and men in turn."""
    return [
        Recording(f"r{number:02d}", (number,), clips, base_hz=300.0 if number % 2 else 120.0)
        for number in range(count)
    ]


def register_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, name, factory in [
        ("encoder", "bands", "BandEncoder"),
        ("quality", "loudness", "Loudness"),
        ("vad", "level", "LevelDetector"),
        ("gender", "lowness", "Lowness"),
    ]:
        monkeypatch.setitem(ENGINES.added, (kind, name), double(kind, name, DOUBLES, factory))


def chord_recipe(**sections: Any) -> BankRecipe:
    return parse_bank_recipe({key: _merged(RECIPE.get(key), sections.get(key)) for key in RECIPE | sections})


def _merged(value: Any, change: Any) -> Any:
    if change is None:
        return value
    return value | change if isinstance(value, dict) and isinstance(change, dict) else change


def build(
    corpus: Path,
    out: Path,
    listener: Listener | None = None,
    accept_changes: bool = False,
    limit_groups: int | None = None,
    **sections: Any,
) -> dict[str, Any]:
    job = BankJob(chord_recipe(**sections), open_corpus(str(corpus), "manifest", "chords", "CC0-1.0"), limit_groups)
    return build_bank(job, open_place(out), LocalRunner(), listener or Listener(), accept_changes)


class Ear(Listener):
    """Hears which blocks are done; `stop_after` so many, it interrupts the build."""

    def __init__(self, stop_after: int = 0) -> None:
        self.blocks: list[int] = []
        self.begun: tuple[int, int, int] | None = None
        self._stop_after = stop_after

    def started(self, total: int, settled: int, kept: int = 0) -> None:
        self.begun = total, settled, kept

    def finished(self, report: BankReport) -> None:
        self.blocks.append(report.block)
        if len(self.blocks) == self._stop_after:
            raise KeyboardInterrupt


def files_of(bank: Path) -> dict[str, bytes]:
    """What the bank is, less the work directory."""
    return {path.name: path.read_bytes() for path in sorted(bank.iterdir()) if path.is_file()}
