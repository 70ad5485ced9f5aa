"""Spreads work on a corpus over a runner's workers, one call for each shard; what is small is done in this process."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from manifests.errors import CorpusError
from manifests.manifest import load_manifest
from manifests.spread import Spread, one_by_one
from manifests.storage import Place
from pipeline.stages.contract import Mapper

SPREAD_BYTES = 64 * 2**20
"""Less is done in this process: other processes would first have to start."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread_with(mapper: Mapper | None) -> Spread:
    """Return how to do work with the `mapper`, if there is one; a single item is done in this process."""

    def spread(function: Callable[[Item], Result], items: Sequence[Item], /) -> Iterator[Result]:
        return one_by_one(function, items) if mapper is None or len(items) < 2 else mapper.map(function, items)

    return spread


def spread_over(mapper: Mapper | None, size: int) -> Spread:
    """Return how to do work on `size` bytes: with the `mapper`, if there is one and the work is large."""
    return spread_with(mapper if size >= SPREAD_BYTES else None)


def spread_for(mapper: Mapper | None, corpus: Place) -> Spread:
    """Return how to do work on every shard of a corpus; in this process where there is none, so that its reader says
    what is wrong."""
    try:
        shards = load_manifest(corpus).shards
    except CorpusError:
        return one_by_one
    return spread_over(mapper, sum(shard.bytes for infos in shards.values() for shard in infos))
