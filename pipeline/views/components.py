"""Finds which rows belong together: the connected components of rows and the things that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.views.facts import Codes


@dataclass(frozen=True)
class Edges:
    """Says that row rows[i] has the thing things[i], a number from 0: both int64 [n]. Rows that share one belong
    together."""

    rows: Codes
    things: Codes


def no_edges() -> Edges:
    return Edges(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def edges_of(codes: Codes) -> Edges:
    """Return the edges of a column with one code per row; -1 is none."""
    rows = np.flatnonzero(codes >= 0)
    return Edges(rows, codes[rows])


def joined_edges(*several: Edges) -> Edges:
    """Return edges to the same things as one."""
    rows, things = ([getattr(edges, name) for edges in several] for name in ("rows", "things"))
    return Edges(np.concatenate(rows), np.concatenate(things))


def components(rows: int, kinds: Sequence[Edges]) -> Codes:
    """Return the component of each row, numbered from 0 in the order of their first rows: int64 [rows].

    A label is the number of a row. The row that gives its name to a label takes the smallest label among the rows that
    share a thing with one of that label, and labels of labels are followed, until nothing changes: few rounds.
    """
    labels = np.arange(rows, dtype=np.int64)
    while True:
        before = labels.copy()
        for edges in kinds:
            if len(edges.rows):
                _spread(labels, edges)
        while not np.array_equal(labels, shorter := labels[labels]):
            labels = shorter
        if np.array_equal(labels, before):
            return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _spread(labels: Codes, edges: Edges) -> None:
    least = np.full(int(edges.things.max()) + 1, len(labels), dtype=np.int64)
    np.minimum.at(least, edges.things, labels[edges.rows])
    np.minimum.at(labels, labels[edges.rows], least[edges.things])
