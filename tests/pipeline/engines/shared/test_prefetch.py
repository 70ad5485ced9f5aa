"""The next batch is prepared while the caller works on this one, and no more than that."""

from collections.abc import Iterator
from threading import Event

import pytest

from pipeline.engines.shared.prefetch import prefetch

WAIT_S = 10.0


def test_one_item_ahead_is_prepared_while_the_caller_works() -> None:
    begun = [Event() for _ in range(5)]

    def prepare(number: int) -> int:
        begun[number].set()
        return number * 10

    seen = []
    for result in prefetch(prepare, range(5)):
        seen.append(result)
        assert all(event.wait(WAIT_S) for event in begun[: len(seen) + 1]), "the next one, though nobody asked for it"
        assert not any(event.is_set() for event in begun[len(seen) + 1 :]), "memory is bounded"
    assert seen == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("items", [[], [2], [2, 3]])
def test_few_items(items: list[int]) -> None:
    assert list(prefetch(lambda number: number + 1, items)) == [number + 1 for number in items]


def test_an_error_comes_where_its_result_would() -> None:
    results: Iterator[float] = prefetch(lambda number: 1 / number, [2, 1, 0, 3])
    assert [next(results), next(results)] == [0.5, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
