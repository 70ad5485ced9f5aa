"""Prepares the next batch on a thread while a model works on this one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(prepare: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield `prepare` of each item, in order; while the caller uses one result, a thread prepares the next.

    So no more than two results are in memory at once. An error of `prepare` comes where its result would.
    """
    if len(items) < 2:
        yield from map(prepare, items)
        return
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
        following = thread.submit(prepare, items[0])
        for item in items[1:]:
            result = following.result()
            following = thread.submit(prepare, item)
            yield result
        yield following.result()
