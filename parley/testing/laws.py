"""The law of an engine: one result for each request, in order, whatever else is in the batch."""

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from manifests.errors import LawBroken

Request = TypeVar("Request")


def audit_engine(verb: Callable[[Sequence[Request]], Sequence[Any]], requests: Sequence[Request]) -> None:
    """Raise LawBroken unless `verb` gives each request its own result, alone as among others and in any order.

    `verb` is the engine's one batch verb, such as `generate` or `synthesize`. For engines that are deterministic only.
    """
    together = _results(verb, requests)
    backwards = _results(verb, requests[::-1])[::-1]
    alone = [_results(verb, [request])[0] for request in requests]
    for request, whole, turned, single in zip(requests, together, backwards, alone, strict=True):
        if not (_same(whole, turned) and _same(whole, single)):
            raise LawBroken(f"the result for {request!r} depends on its batch")


def _results(verb: Callable[[Sequence[Request]], Sequence[Any]], requests: Sequence[Request]) -> list[Any]:
    results = list(verb(requests))
    if len(results) != len(requests):
        raise LawBroken(f"{len(results)} results for {len(requests)} requests")
    return results


def _same(one: Any, other: Any) -> bool:
    """Compare results, which may hold arrays, by value."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return bool(one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True))
    if is_dataclass(one):
        return all(_same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return bool(one == other)
