"""Chooses nested subsets: every one holds the one before it, covers the voices, and is balanced.

All rows are put into one order, and a subset is the beginning of it, so subsets are nested by construction. First
come rows that together have every voice, then the others; within both, the groups (language and gender of the user)
take turns, so that every beginning has their shares. Where in its group a row comes depends on its dialogue_id and the
seed alone, not on the order of the corpus.
"""

from typing import Literal

import numpy as np

from manifests.views import PartNumbers
from pipeline.views.facts import Coded, Codes, Mask, Ranks, RowFacts, Seconds, row_ranks

Balance = Literal["corpus", "equal"]
"""Shares of the groups: as in the corpus, or equal for as long as a group has rows."""

_ROUNDING = 1e-9
"""Sums of seconds depend in their last digits on the order in which they are added."""


def choose_subsets(
    facts: RowFacts, groups: Coded, sizes_s: list[float], seed: int, balance: Balance = "corpus"
) -> PartNumbers:
    """Return for each row the number of the smallest subset that it is in, -1 for none.

    `groups` is the group of each row, and `sizes_s` has the size of each subset in seconds, growing. A subset has at
    most its size, and less than one row too little, unless it has all rows.
    """
    ranks = row_ranks(facts.ids, seed)
    cover = _cover(facts, ranks, sizes_s[0])
    order = _order(facts.seconds, groups.codes, ranks, cover, balance)
    limits = np.array(sizes_s) * (1 + _ROUNDING)
    numbers = np.empty(len(facts), dtype=np.int64)
    numbers[order] = np.searchsorted(limits, np.cumsum(facts.seconds[order]), side="left")
    return np.where(numbers < len(sizes_s), numbers, -1).astype(np.int8)


def _cover(facts: RowFacts, ranks: Ranks, smallest_s: float) -> Mask:
    """Choose rows that have every voice: drawn ones or, if they do not fit the smallest subset, the shortest ones."""
    drawn = _first_of_each(facts, np.argsort(ranks, kind="stable"))
    if facts.seconds[drawn].sum() <= smallest_s:
        return drawn
    return _first_of_each(facts, np.lexsort((ranks, facts.seconds)))


def _first_of_each(facts: RowFacts, order: Codes) -> Mask:
    """Take, in that order, the first row of each user voice, and of each agent voice that is then missing."""
    chosen = np.zeros(len(facts), dtype=bool)
    for voices in (facts.user_voice.codes, facts.agent_voice.codes):
        have = np.unique(voices[chosen])
        left = order[(voices[order] >= 0) & ~np.isin(voices[order], have)]
        chosen[left[np.unique(voices[left], return_index=True)[1]]] = True
    return chosen


def _order(seconds: Seconds, groups: Codes, ranks: Ranks, cover: Mask, balance: Balance) -> Codes:
    """Return the rows in the order in which subsets take them: int64 [rows]."""
    by_group = np.lexsort((ranks, ~cover, groups))
    lengths = seconds[by_group]
    is_first = np.ones(len(by_group), dtype=bool)
    is_first[1:] = groups[by_group][1:] != groups[by_group][:-1]
    ends = np.cumsum(lengths)
    before = (ends - lengths)[is_first][np.cumsum(is_first) - 1] if len(ends) else ends
    place = np.empty(len(seconds))
    place[by_group] = ends - before - lengths / 2  # seconds of the group up to the middle of the row
    if balance == "corpus":
        place /= np.maximum(np.bincount(groups, weights=seconds), 1e-9)[groups]
    return np.lexsort((ranks, place, ~cover))
