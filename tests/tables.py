"""Tables of data as one test each: every row is walked, and every row that fails is listed."""

import functools
import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

TestFunction = Callable[..., None]
_SHOWN = 200


def each_row(
    names: str | Sequence[str], rows: Iterable[Any], ids: Callable[[Any], object] | Iterable[str] | None = None
) -> Callable[[TestFunction], TestFunction]:
    """Run a test over all rows of a table, and fail with the list of all rows that fail.

    Takes what `pytest.mark.parametrize` takes, but makes one test of the table instead of one for each row, so that a
    table of a thousand rows costs no time to collect. Fixtures are set up once and shared by all rows. Decorators
    stack: an outer table walks the inner one once for each of its rows.
    """
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    table = [_values(keys, row) for row in rows]
    if not table:
        raise ValueError(f"no rows for {', '.join(keys)}: a test over an empty table cannot fail")
    labels = _labels(table, ids)

    def decorate(test: TestFunction) -> TestFunction:
        @functools.wraps(test)
        def walk(**fixtures: Any) -> None:
            check_rows(labels, [functools.partial(test, **fixtures, **row) for row in table])

        signature = inspect.signature(test)
        fixtures = [value for name, value in signature.parameters.items() if name not in keys]
        walk.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return walk

    return decorate


def check_rows(labels: Sequence[str], checks: Sequence[Callable[[], None]]) -> None:
    """Run all checks; raise one AssertionError that lists the label and the error of every one that fails."""
    failed: list[tuple[str, BaseException]] = []
    for label, check in zip(labels, checks, strict=True):
        try:
            check()
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  whatever a row raises is its failure
            failed.append((label, error))
            if "pytest-timeout" in str(error):
                break  # the alarm rings once: a further row that hangs would hang forever
    if failed:
        listed = "\n".join(f"{label}:{_line(error)} {_message(error)}" for label, error in failed)
        raise AssertionError(f"{len(failed)} of {len(labels)} rows fail\n{listed}") from failed[0][1]


def _values(keys: Sequence[str], row: Any) -> dict[str, Any]:
    if hasattr(row, "marks") and hasattr(row, "values"):  # pytest.param
        if row.marks:
            raise ValueError(f"a row of a table cannot be marked: {row}")
        return dict(zip(keys, row.values, strict=True))
    return {keys[0]: row} if len(keys) == 1 else dict(zip(keys, row, strict=True))


def _labels(table: Sequence[Mapping[str, Any]], ids: Callable[[Any], object] | Iterable[str] | None) -> list[str]:
    if ids is not None and not callable(ids):
        return list(ids)
    show = repr if ids is None else ids
    return [", ".join(f"{name}={show(value)!s:.{_SHOWN}}" for name, value in row.items()) for row in table]


def _line(error: BaseException) -> str:
    """Give the line of the test at which it failed: the first one below this module."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return f" line {frames[0].lineno}:" if frames else ""


def _message(error: BaseException) -> str:
    return str(error) if isinstance(error, AssertionError | pytest.fail.Exception) else f"{error!r}"
