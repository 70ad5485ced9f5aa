"""The end of a pass: as long as there is work, there is some for every worker."""

import heapq
import random

import pytest

from pipeline.job.runner.tasks import cut_blocks
from tests.pipeline.job.runner.numbers_work import Claims, Squares


def over_ideal(blocks: int, rows: int, workers: int, takes_batches: bool, fixed_s: float, row_s: float) -> float:
    """How much longer a pass takes than if its work were spread without a rest: free workers take the next part.

    A part costs `fixed_s` and, for each row, some `row_s`, with the spread of speech and texts (log-normal, 0.5).
    """
    draw = random.Random(7)
    sizes = dict.fromkeys(range(blocks), rows)
    plan = Squares("", claims=Claims(workers=workers), takes_batches=takes_batches)
    free, spent = [0.0] * workers, 0.0
    for block in cut_blocks(sizes, 8, [plan], [workers], [1]):
        for part in block:
            start, stop = part.bounds(sizes[part.block])
            cost = fixed_s + sum(row_s * draw.lognormvariate(0, 0.5) for _ in range(stop - start))
            heapq.heappush(free, heapq.heappop(free) + cost)
            spent += cost
    return max(free) / (spent / workers)


@pytest.mark.parametrize(
    ("blocks", "rows", "workers", "takes_batches", "fixed_s", "row_s", "most"),
    [
        pytest.param(31, 32, 64, False, 0.0, 1.0, 1.2, id="two parts of 8 rows for each worker"),
        pytest.param(6, 32, 8, False, 0.0, 1.0, 1.15, id="late retakes"),
        pytest.param(312, 32, 64, False, 0.0, 1.0, 1.03, id="a long pass"),
        pytest.param(9, 64, 8, True, 0.0, 1.0, 1.12, id="one batch more than workers"),
        pytest.param(9, 64, 8, True, 32.0, 0.5, 1.1, id="and half of its cost is that of any batch"),
        pytest.param(82, 64, 8, True, 56.0, 0.125, 1.05, id="batches that cost nearly the same at any size"),
        pytest.param(8, 64, 8, True, 32.0, 0.5, 1.15, id="a batch for each worker"),
    ],
)
def test_no_pass_waits_long_for_its_last_parts(
    blocks: int, rows: int, workers: int, takes_batches: bool, fixed_s: float, row_s: float, most: float
) -> None:
    assert over_ideal(blocks, rows, workers, takes_batches, fixed_s, row_s) < most
