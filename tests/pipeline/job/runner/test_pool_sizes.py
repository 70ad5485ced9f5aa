"""How many workers a pool gets, on one machine and on a cluster."""

import pytest

from pipeline.job.runner.pool_sizes import fitting_sizes, pool_sizes
from pipeline.recipe import Pool
from tests.tables import each_row


def pool(workers: int = 0, cpus: float = 1.0, gpus: float = 0.0, per_gpu: int = 0) -> Pool:
    return Pool(stages=(), workers=workers, cpus=cpus, gpus=gpus, per_gpu=per_gpu)


@each_row(
    ("pools", "cpus", "gpus", "shared", "sizes"),
    [
        pytest.param([pool(), pool()], 8, 0, True, [8, 8], id="one machine: every pool may have all cores"),
        pytest.param([pool(workers=1), pool()], 8, 0, True, [1, 8], id="the recipe's own number"),
        pytest.param([pool()], 8, 0, False, [7], id="cluster: one CPU stays free"),
        pytest.param([pool(), pool()], 9, 0, False, [4, 4], id="cluster: pools side by side"),
        pytest.param([pool(workers=2), pool(cpus=0.5)], 8, 0, False, [2, 10], id="cluster: what is left"),
        pytest.param([pool(gpus=1), pool()], 16, 4, False, [4, 11], id="one worker for each GPU"),
        pytest.param([pool(gpus=0.25)], 16, 2, False, [8], id="four workers share a GPU"),
        pytest.param([pool(gpus=0.5), pool(gpus=0.5)], 16, 4, False, [4, 4], id="two pools share the GPUs"),
        pytest.param([pool(gpus=0.25), pool(gpus=0.5)], 16, 3, False, [4, 4], id="each as it claims"),
        pytest.param([pool(3, gpus=1), pool(gpus=0.5)], 16, 4, False, [3, 2], id="what the recipe says comes first"),
        pytest.param([pool(gpus=1)], 16, 0, False, [1], id="no GPU: one worker, which the check below refuses"),
        pytest.param([pool()], 1, 0, False, [1], id="never none"),
        pytest.param([pool(gpus=0.2, per_gpu=4), pool(gpus=0.2, per_gpu=1)], 16, 2, False, [8, 2], id="four to one"),
        pytest.param([pool(gpus=0.2, per_gpu=3), pool(gpus=0.4)], 16, 2, False, [6, 2], id="others share the rest"),
    ],
)
def test_pool_sizes(pools: list[Pool], cpus: float, gpus: float, shared: bool, sizes: list[int]) -> None:
    assert pool_sizes(pools, {"CPU": cpus, "GPU": gpus}, shared) == sizes


@each_row(
    ("pools", "sizes", "cpus", "gpus", "fitting"),
    [
        pytest.param([pool(), pool()], [4, 4], 9, 0, [4, 4], id="as many as fit"),
        pytest.param([pool(), pool(cpus=2)], [1, 2], 5, 0, [1, 1], id="a node is gone"),
        pytest.param([pool(), pool()], [2, 8], 7, 0, [2, 4], id="the largest pool gives"),
        pytest.param([pool(gpus=0.5), pool()], [16, 4], 64, 6, [12, 4], id="only pools on GPUs have GPUs to give"),
        pytest.param([pool(), pool(cpus=4)], [1, 2], 4, 0, [1, 1], id="one each, though they do not fit"),
    ],
)
def test_fitting_sizes(pools: list[Pool], sizes: list[int], cpus: float, gpus: float, fitting: list[int]) -> None:
    assert fitting_sizes(pools, sizes, {"CPU": cpus, "GPU": gpus}) == fitting
