"""Chooses the rows that the page holds: all, or a sample in which what is rare and what is near the limit is found.

The choice depends on the ids of the rows alone, so that the same corpus gives the same page.
"""

import heapq
from collections.abc import Sequence

from manifests.schema import Dialogue, FinalStatus
from pipeline.seeds import derive_seed

Where = tuple[FinalStatus, int]
"""A row's status, and its place from 0 among the rows of that status."""

_KEPT, _BORDER = "kept", "borderline"
_SHARES = {_KEPT: 0.5, _BORDER: 0.25}
"""Shares of the sample; the rest is dropped rows, as many of each reason as of the others. What a group cannot fill
goes to the others."""


class Sample:
    """Collects at most `rows` rows. Memory grows with the sample and the number of reasons, not with the corpus."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        # By group, the rows with the smallest draws: a heap of (-draw, status, place).
        self._groups: dict[str, list[tuple[int, FinalStatus, int]]] = {}
        self._sizes: dict[str, int] = {}

    def offer(self, dialogue: Dialogue, where: Where, borderline: bool) -> None:
        group = _BORDER if borderline else _KEPT if dialogue.status == "kept" else f"reason {dialogue.reason}"
        self._sizes[group] = self._sizes.get(group, 0) + 1
        heap = self._groups.setdefault(group, [])
        entry = (-derive_seed("report", dialogue.dialogue_id), *where)
        if len(heap) < self._rows:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)

    def chosen(self) -> list[Where]:
        """Return the rows of the sample: kept, rejected, failed, each in the order of the corpus."""
        found: list[Where] = []
        for group, number in self._numbers().items():
            best = heapq.nlargest(number, self._groups[group])
            found += [(status, place) for _, status, place in best]
        return sorted(found, key=lambda where: (("kept", "rejected", "failed").index(where[0]), where[1]))

    def _numbers(self) -> dict[str, int]:
        """Return how many rows each group gives."""
        reasons = sorted(self._sizes.keys() - _SHARES.keys())
        left = 1 - sum(_SHARES.values())
        weights = {group: _SHARES[group] for group in _SHARES if group in self._sizes}
        weights |= {group: left / len(reasons) for group in reasons}
        return _filled(self._sizes, weights, self._rows)


def _filled(sizes: dict[str, int], weights: dict[str, float], rows: int) -> dict[str, int]:
    """Share `rows` out by weight, none getting more than its size; whole numbers, as even as they can be."""
    given = dict.fromkeys(weights, 0)
    left = min(rows, sum(sizes.values()))
    while left:
        group = min(_open(given, sizes), key=lambda name: ((given[name] + 1) / weights[name], name))
        given[group] += 1
        left -= 1
    return given


def _open(given: dict[str, int], sizes: dict[str, int]) -> Sequence[str]:
    return [group for group in given if given[group] < sizes[group]]
