"""Says how work on many shards is spread: one call for each shard, in whatever processes, results in order.

Whoever reads a corpus shard by shard takes such a function, and adds up what the shards gave in their order. So the
result is the same however many processes worked, and the caller's memory does not grow with the rows.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Spread(Protocol):
    """Applies a picklable function to items, and yields the results in the order of the items."""

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item], /) -> Iterator[Result]: ...


def one_by_one(function: Callable[[Item], Result], items: Sequence[Item], /) -> Iterator[Result]:
    """Do the work in this process, each item when its result is asked for."""
    return map(function, items)
