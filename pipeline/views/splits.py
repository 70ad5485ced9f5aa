"""Cuts a corpus into splits that share nothing that a model could recognize.

Rows that share a source row, nearly the same question, a user voice or one of the people behind it belong together
(`pipeline.views.components`), and only whole groups of them go into a split. A voice that is heard in the background
counts as a user's: it is one of the bank's users. The agent's few voices are in every split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from manifests.errors import LawBroken, UserError
from manifests.views import PartNumbers
from pipeline.views.components import Edges, components
from pipeline.views.facts import Codes, Ranks, Seconds, sums

REST = "train"

KEYS = {
    "source": "the row of the data set",
    "duplicates": "nearly the same question",
    "voice": "the user's voice, or that of somebody in the background",
    "parents": "the people behind these voices",
}
"""What rows of two splits may not share, and how people call it."""

_OVER = 0.1
"""A split may be larger than its share by a tenth of it."""

_SHORT = 0.9
"""A split that has less of its share than this is worth a note."""


@dataclass(frozen=True)
class Splits:
    """The split of each row (0: the rest), what was reached of each share, and notes for people.

    `largest` and `groups` describe the groups of rows that belong together: seconds' share and number.
    """

    numbers: PartNumbers
    reached: Mapping[str, float]
    groups: int
    largest: float
    notes: tuple[str, ...]


def cut(
    seconds: Seconds, strata: Codes, ranks: Ranks, kinds: Mapping[str, Edges], shares: Mapping[str, float]
) -> Splits:
    """Cut the rows into the rest and the parts of `shares` (0..1 of the seconds).

    `kinds` has what rows may not share, by name; `strata` are the groups (language, gender) whose shares each part is
    to have, as far as whole groups allow; `ranks` draws. Raises a UserError where a part stays empty, which says what
    can be reached.
    """
    labels = components(len(seconds), list(kinds.values()))
    sizes = sums(labels, seconds)
    total = float(seconds.sum())
    assigned = _fill(sizes, _main(labels, strata, seconds), _first_ranks(labels, ranks), list(shares.values()))
    reached = {name: float(sizes[assigned == i].sum()) / total for i, name in enumerate(shares, start=1)}
    if any(not np.any(assigned == i) for i in range(len(shares) + 1)):
        raise UserError(_impossible(seconds, labels, sizes, kinds, shares))
    numbers = assigned[labels].astype(np.int8)
    _check(numbers, kinds)
    notes = [
        f"{name} has {got:.2%} of the speech, not {shares[name]:.2%}: no group of rows that belong together is small "
        "enough to fill it"
        for name, got in reached.items()
        if got < _SHORT * shares[name]
    ]
    return Splits(numbers, reached, len(sizes), float(sizes.max()) / total, tuple(notes))


def _fill(sizes: Seconds, strata: Codes, ranks: Ranks, shares: Sequence[float]) -> Codes:
    """Give each group to a part (0: the rest), in the order of the ranks: int64 [groups].

    A part is filled stratum by stratum first, then with groups of any stratum that fit.
    """
    assigned = np.zeros(len(sizes), dtype=np.int64)
    order = np.argsort(ranks, kind="stable")
    by_stratum = sums(strata, sizes)
    for part, share in enumerate(shares, start=1):
        for stratum in range(len(by_stratum)):
            _take(assigned, part, order[strata[order] == stratum], sizes, share * by_stratum[stratum], 0.0)
        wanted, has = share * sizes.sum(), sizes[assigned == part].sum()
        _take(assigned, part, order, sizes, wanted - has, _OVER * wanted)
    return assigned


def _take(assigned: Codes, part: int, order: Codes, sizes: Seconds, room: float, over: float) -> None:
    """Give the part free groups, in order, while there is room; each may exceed it by `over`."""
    free = order[assigned[order] == 0]
    for group, size in zip(free.tolist(), sizes[free].tolist(), strict=True):
        if room <= 0:
            return
        if size <= room + over:
            assigned[group] = part
            room -= size


def _main(labels: Codes, strata: Codes, seconds: Seconds) -> Codes:
    """Return the stratum that most of each group's speech is of: int64 [groups]."""
    count = int(strata.max(initial=0)) + 1
    pairs, inverse = np.unique(labels * count + strata, return_inverse=True)
    weights = sums(inverse.reshape(-1), seconds)
    groups = pairs // count
    order = np.lexsort((pairs, -weights, groups))
    is_first = np.concatenate([[True], groups[order][1:] != groups[order][:-1]])
    return np.asarray((pairs % count)[order][is_first], dtype=np.int64)


def _first_ranks(labels: Codes, ranks: Ranks) -> Ranks:
    """Return the smallest rank of each group: it does not depend on the order of the rows."""
    least = np.full(int(labels.max(initial=0)) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(least, labels, ranks)
    return least


def _impossible(
    seconds: Seconds, labels: Codes, sizes: Seconds, kinds: Mapping[str, Edges], shares: Mapping[str, float]
) -> str:
    total = sizes.sum()
    wanted = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    freed = []
    for name in kinds:
        others = [edges for key, edges in kinds.items() if key != name]
        parts = sums(components(len(labels), others), seconds)
        if len(parts) > len(sizes):
            freed.append(f"without {name}: {_groups(len(parts))}, the largest {parts.max() / total:.1%}")
    small = np.sort(sizes)[: len(shares)] / total
    reachable = ", ".join(f"{share:.1%}" for share in small)
    sentence = (
        f"the splits {wanted} cannot be cut: the rows that belong together make {_groups(len(sizes))}, the largest "
        f"with {sizes.max() / total:.1%} of the speech"
    )
    if len(sizes) > len(shares):
        sentence += f", the smallest with {reachable}: shares of that size can be reached"
    return sentence + (f"; {'; '.join(freed)}: leave one out with --ignore NAME" if freed else "")


def _groups(number: int) -> str:
    return "1 group" if number == 1 else f"{number:,} groups"


def _check(numbers: PartNumbers, kinds: Mapping[str, Edges]) -> None:
    """Raise LawBroken if two splits share anything."""
    for name, edges in kinds.items():
        pairs = np.unique(np.stack([edges.things, numbers[edges.rows]]), axis=1)
        if len(np.unique(pairs[0])) != pairs.shape[1]:
            raise LawBroken(f"two splits share {KEYS.get(name, name)}")
