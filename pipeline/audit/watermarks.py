"""Look for the mark in the delivered bytes of the clips, and compare the result with what the rows record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from manifests.manifest import FINAL_STATUSES
from manifests.schema import Dialogue
from manifests.shards import read_shard
from manifests.spread import Spread
from manifests.storage import Place
from pipeline.audit.corpus_view import CorpusView, open_view
from pipeline.audit.detect import (
    Delivered,
    MarkScore,
    delivered,
    delivered_tracks,
    detect,
    detect_tracks,
    watermarker,
)
from pipeline.audit.rates import Proportion, rate
from pipeline.engines.watermark._message import bit_errors
from pipeline.stages.watermark import WatermarkSettings

TOLERANCE = 0.01
"""Scores that differ by more count as different: another device or library moves them by far less."""

BINS = 50
_LISTED = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """A kept clip or track that fails; `turn` is the clip's number in the dialogue, `track` the track's name."""

    dialogue_id: str
    turn: int | None
    score: float
    recorded: float | None
    problem: str
    track: str | None = None


@dataclass(frozen=True, slots=True)
class StatusMarks:
    """The clips of one status, or the kept tracks of one name.

    `unrecorded` clips have no mark by their own row; `detected` is of the others. `differing` clips have a score other
    than the row records, `largest_difference` at most. `foreign` clips carry a message that is not the corpus's.
    `histogram` counts the scores of recorded clips in 50 equal bins of 0..1.
    """

    clips: int
    unrecorded: int
    detected: Proportion
    detected_at_1_percent: Proportion | None
    mean: float | None
    lowest: float | None
    differing: int
    largest_difference: float
    foreign: int
    histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of the corpus: of clips by status, and of the kept `tracks` by name, whose difference shows what noise
    and telephone leave of the mark. `problems` lists the first of the `failing` kept clips and tracks."""

    method: str
    version: str
    recorded_version: str | None
    threshold: float
    threshold_1_percent: float | None
    every_clip: bool
    statuses: dict[str, StatusMarks]
    failing: int
    problems: tuple[Mark, ...]
    tracks: dict[str, StatusMarks] = field(default_factory=dict)


@dataclass
class _MarkCounts:
    clips: int = 0
    recorded: int = 0
    detected: int = 0
    detected_at_1_percent: int = 0
    total: float = 0.0
    lowest: float | None = None
    differing: int = 0
    largest_difference: float = 0.0
    foreign: int = 0
    histogram: list[int] = field(default_factory=lambda: [0] * BINS)

    def merge(self, other: "_MarkCounts") -> None:
        self.clips += other.clips
        self.recorded += other.recorded
        self.detected += other.detected
        self.detected_at_1_percent += other.detected_at_1_percent
        self.total += other.total
        self.lowest = min((low for low in (self.lowest, other.lowest) if low is not None), default=None)
        self.differing += other.differing
        self.largest_difference = max(self.largest_difference, other.largest_difference)
        self.foreign += other.foreign
        self.histogram = [one + more for one, more in zip(self.histogram, other.histogram, strict=True)]


class MarkAudit:
    """Count the marks of dialogues that are added in any portions, in memory that does not grow with them."""

    def __init__(self, view: CorpusView, threshold_1_percent: float | None) -> None:
        self._view = view
        self._threshold = view.recipe.section(WatermarkSettings).threshold
        self._one_percent = threshold_1_percent
        self._bits = watermarker(view).bits
        self._counts: dict[str, _MarkCounts] = {}
        self._tracks: dict[str, _MarkCounts] = {}
        self._problems: list[Mark] = []
        self._failing = 0

    def add(self, status: str, dialogues: Sequence[Dialogue]) -> None:
        """Look for the mark in the clips and tracks of the dialogues, which all have the given status."""
        if status == "kept":
            for dialogue in dialogues:
                self._add_tracks(dialogue)
        clips = delivered(dialogues, self._view)
        if not clips:
            return
        found = detect([one.clip() for one in clips], self._view)
        counts = self._counts.setdefault(status, _MarkCounts())
        for one, mark in zip(clips, found, strict=True):
            problem = self._count(counts, one, mark)
            if problem and status == "kept":
                self._list(one, mark, problem)

    def _add_tracks(self, dialogue: Dialogue) -> None:
        tracks = delivered_tracks(dialogue, self._view)
        found = detect_tracks([one.clip() for one in tracks], self._view)
        for one, mark in zip(tracks, found, strict=True):
            if mark is None:
                continue
            problem = self._count(self._tracks.setdefault(str(one.part), _MarkCounts()), one, mark)
            if problem:
                self._list(one, mark, problem)

    def merge(self, other: "MarkAudit") -> None:
        """Add what was counted in later dialogues."""
        for own, added in ((self._counts, other._counts), (self._tracks, other._tracks)):
            for name, counts in added.items():
                own.setdefault(name, _MarkCounts()).merge(counts)
        self._failing += other._failing
        self._problems = [*self._problems, *other._problems][:_LISTED]

    def __getstate__(self) -> dict[str, Any]:
        """Travel between processes without the engines."""
        return {**self.__dict__, "_view": None}

    def result(self, every_clip: bool) -> Marks:
        """Return what has been counted. `every_clip` says whether that is the whole corpus or a sample."""
        engine, key = watermarker(self._view), self._view.recipe.section(WatermarkSettings).engine
        return Marks(
            method=engine.name,
            version=engine.version,
            recorded_version=self._view.manifest.engines.get(f"watermark/{key}"),
            threshold=self._threshold,
            threshold_1_percent=self._one_percent,
            every_clip=every_clip,
            statuses={status: self._summed(counts) for status, counts in self._counts.items()},
            failing=self._failing,
            problems=tuple(self._problems),
            tracks={name: self._summed(counts) for name, counts in sorted(self._tracks.items())},
        )

    def _count(self, counts: _MarkCounts, one: Delivered, found: MarkScore) -> str | None:
        """Count the clip; return what is wrong with it, or None."""
        counts.clips += 1
        if one.watermark is None:
            return "the row records no mark"
        counts.recorded += 1
        counts.total += found.score
        counts.lowest = found.score if counts.lowest is None else min(counts.lowest, found.score)
        counts.histogram[min(int(np.clip(found.score, 0, 1) * BINS), BINS - 1)] += 1
        difference = abs(found.score - one.watermark.score)
        counts.differing += difference > TOLERANCE
        counts.largest_difference = max(counts.largest_difference, difference)
        counts.detected += found.score >= self._threshold
        counts.detected_at_1_percent += self._one_percent is not None and found.score >= self._one_percent
        if found.score < self._threshold:
            return "no mark in the delivered bytes"
        allowed = self._view.recipe.section(WatermarkSettings).message_errors
        if bit_errors(found.message, one.message, self._bits) > allowed:
            counts.foreign += 1
            return "the mark's message is not the corpus's"
        return None

    def _list(self, one: Delivered, found: MarkScore, problem: str) -> None:
        self._failing += 1
        if len(self._problems) < _LISTED:
            recorded = one.watermark.score if one.watermark else None
            turn, track = (one.part, None) if isinstance(one.part, int) else (None, one.part)
            self._problems.append(Mark(one.dialogue_id, turn, found.score, recorded, problem, track))

    def _summed(self, counts: _MarkCounts) -> StatusMarks:
        known = self._one_percent is not None
        return StatusMarks(
            clips=counts.clips,
            unrecorded=counts.clips - counts.recorded,
            detected=rate(counts.detected, counts.recorded),
            detected_at_1_percent=rate(counts.detected_at_1_percent, counts.recorded) if known else None,
            mean=counts.total / counts.recorded if counts.recorded else None,
            lowest=counts.lowest,
            differing=counts.differing,
            largest_difference=counts.largest_difference,
            foreign=counts.foreign,
            histogram=tuple(counts.histogram),
        )


def audit_marks(
    view: CorpusView, portions: Iterable[tuple[str, Sequence[Dialogue]]], threshold_1_percent: float | None
) -> Marks:
    """Count the marks of all `portions`, which are dialogues of a sample with their status."""
    audit = MarkAudit(view, threshold_1_percent)
    for status, dialogues in portions:
        audit.add(status, dialogues)
    return audit.result(every_clip=False)


def audit_every_mark(view: CorpusView, threshold_1_percent: float | None, spread: Spread) -> Marks:
    """Count the marks of the whole corpus, shard by shard."""
    shards = view.manifest.shards
    works = [(status, shard.path) for status in FINAL_STATUSES for shard in shards.get(status, ())]
    audit = MarkAudit(view, threshold_1_percent)
    _views.clear()
    _views[_key(view.place, *view.opened_with)] = view
    for found in spread(partial(_audit_shard, view.place, view.opened_with, threshold_1_percent), works):
        audit.merge(found)
    return audit.result(every_clip=True)


def _audit_shard(
    place: Place, opened_with: tuple[tuple[str, ...], bool], threshold: float | None, work: tuple[str, str]
) -> MarkAudit:
    status, path = work
    audit = MarkAudit(_opened(place, *opened_with), threshold)
    for dialogues in read_shard(place / path):
        audit.add(status, dialogues)
    return audit


_views: dict[Any, CorpusView] = {}


def _opened(place: Place, overrides: tuple[str, ...], trust_recipe: bool) -> CorpusView:
    """Open the corpus in this process, once for all shards, so that its engines load once."""
    key = _key(place, overrides, trust_recipe)
    if key not in _views:
        _views.clear()
        _views[key] = open_view(place, overrides, trust_recipe)
    return _views[key]


def _key(place: Place, overrides: tuple[str, ...], trust_recipe: bool) -> Any:
    return place.path, overrides, trust_recipe
