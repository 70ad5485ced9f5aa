"""Compares error rates before and after the gate: by language, length of the text, attempt, overlap and voice.

*Before* are all first takes that were heard: the corpus that there would be without a gate. *After* are the takes that
count of the kept rows. A rate is pooled: edits over reference length, in characters (CER) or words (WER).
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from manifests.rows import takes_of
from manifests.schema import Dialogue, Metric, Score, Take, TurnKind

_ENDS: dict[Metric, Sequence[int]] = {"wer": (5, 10, 20, 40), "cer": (10, 20, 40, 80)}
"""Longest text of each class of lengths but the last, in words or characters."""

Key = tuple[Hashable, ...]


@dataclass
class _Pooled:
    """Adds up the scores of turns; `syllable_edits` is None until one has them."""

    turns: int = 0
    edits: int = 0
    length: int = 0
    syllable_edits: int | None = None

    def add(self, score: Score) -> None:
        self.turns += 1
        self.edits += score.edits
        self.length += score.reference_length
        if score.syllable_edits is not None:
            self.syllable_edits = (self.syllable_edits or 0) + score.syllable_edits

    def figures(self) -> dict[str, Any]:
        """Return turns, rate and syllable rate: fractions, or None where nothing was scored."""
        counted = self.syllable_edits is not None and self.length
        return {
            "turns": self.turns,
            "rate": self.edits / self.length if self.length else None,
            "syllable_rate": (self.syllable_edits or 0) / self.length if counted else None,
        }


class _Table:
    """Pools scores before and after the gate by a key."""

    def __init__(self) -> None:
        self._sides: dict[str, dict[Key, _Pooled]] = {"before": {}, "after": {}}

    def add(self, side: str, key: Key, score: Score) -> None:
        self._sides[side].setdefault(key, _Pooled()).add(score)

    def figures(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return an entry for each key, in order: its parts under `names`, and the figures of both sides."""
        keys = sorted(self._sides["before"].keys() | self._sides["after"].keys(), key=_sortable)
        return [
            dict(zip(names, key, strict=True))
            | {side: pools.get(key, _Pooled()).figures() for side, pools in self._sides.items()}
            for key in keys
        ]


class Errors:
    """Collects scores by language, length, attempt and voice, and by whether somebody else speaks meanwhile."""

    def __init__(self) -> None:
        self._languages, self._lengths, self._attempts, self._voices, self._overlaps = (_Table() for _ in range(5))
        self._unheard = 0

    def add(self, dialogue: Dialogue) -> None:
        overlapping = _overlapping(dialogue)
        for number, turn in enumerate(dialogue.turns):
            takes = takes_of(turn)
            if turn.start_sample is not None:
                place = "over another" if number in overlapping else "alone"
                self._place("before", (dialogue.language, place), takes[:1])
                self._place("after", (dialogue.language, place), takes[-1:] if dialogue.status == "kept" else ())
            for take in takes[:1]:
                self._unheard += not _is_scored(take)
                self._pool("before", dialogue.language, (take,))
            for score, take in _scored(takes):
                self._attempts.add("before", (dialogue.language, score.metric, take.number), score)
            if dialogue.status == "kept" and turn.take is not None:
                self._pool("after", dialogue.language, (turn.take,))
                for score, take in _scored((turn.take,)):
                    self._attempts.add("after", (dialogue.language, score.metric, take.number), score)

    def figures(self) -> dict[str, Any]:
        """Return the tables, and the first takes that have no score: speech that failed, or that was not heard."""
        return {
            "unheard": self._unheard,
            "language": self._languages.figures(("language", "metric")),
            "length": [_named(row) for row in self._lengths.figures(("language", "metric", "class"))],
            "overlap": self._overlaps.figures(("language", "metric", "class")),
            "attempt": self._attempts.figures(("language", "metric", "attempt")),
        }

    def voices(self) -> list[dict[str, Any]]:
        """Return an entry for each language, metric and voice."""
        return self._voices.figures(("language", "metric", "voice"))

    def _place(self, side: str, key: tuple[str, str], takes: Sequence[Take]) -> None:
        for score, _ in _scored(takes):
            self._overlaps.add(side, (key[0], score.metric, key[1]), score)

    def _pool(self, side: str, language: str, takes: Sequence[Take]) -> None:
        for score, take in _scored(takes):
            key = language, score.metric
            self._languages.add(side, key, score)
            self._lengths.add(side, (*key, bisect_left(_ENDS[score.metric], score.reference_length)), score)
            self._voices.add(side, (*key, take.voice_id), score)


def _overlapping(dialogue: Dialogue) -> set[int]:
    """Return the turns that are heard while the other speaker speaks, both of each overlap."""
    events = dialogue.timeline.events if dialogue.timeline else ()
    overlaps = [event for event in events if event.kind == "overlap"]
    return {
        said.turn
        for said in events
        if said.turn is not None and said.kind in get_args(TurnKind)
        for both in overlaps
        if said.start_sample < both.end_sample and both.start_sample < said.end_sample
    }


def _is_scored(take: Take) -> bool:
    return take.score is not None and not take.score.is_empty_reference and take.score.metric in _ENDS


def _scored(takes: Iterable[Take]) -> list[tuple[Score, Take]]:
    return [(take.score, take) for take in takes if take.score is not None and _is_scored(take)]


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Give the class of lengths its bounds in words: "6-10", "41+"."""
    ends, number = _ENDS[row["metric"]], row["class"]
    first = ends[number - 1] + 1 if number else 1
    return {**row, "class": f"{first}–{ends[number]}" if number < len(ends) else f"{first}+"}


def _sortable(key: Key) -> list[tuple[bool, Any]]:
    return [(isinstance(part, str), part) for part in key]
