"""A node of the cluster dies: its workers start on another one, and what only it held is made again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from pipeline.job.listener import Listener, Moved, Part
from pipeline.job.runner.ray import RayRunner
from tests.pipeline.job.runner.numbers_work import Claims, Gated, Numbers, Squares, Sum

MEGABYTE = 1 << 20  # Ray keeps less than 100 kB in the driver


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head with room for the second pool, and a node with room for the first one."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    cluster.add_node(num_cpus=3)
    cluster.wait_for_nodes()
    yield cluster
    cluster.shutdown()


class Killer(Listener):
    """When nothing has moved for some seconds, the second node goes, a third comes, and the gate opens."""

    def __init__(self, cluster: Any, gate: Path) -> None:
        self._cluster, self._gate = cluster, gate
        self._silent = 0
        self.entered: list[tuple[Part, str | None]] = []

    def moved(self, event: Moved) -> None:
        self._silent = 0
        self.entered.append((event.part, event.pool))

    def waiting(self) -> None:
        self._silent += 1
        if self._silent == 3 and (Part(0), "gated") in self.entered and not self._gate.exists():
            (node,) = self._cluster.worker_nodes
            self._cluster.remove_node(node, allow_graceful=False)
            self._cluster.add_node(num_cpus=3)
            self._gate.touch()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_node_dies_with_what_it_made(cluster: Any, tmp_path: Path) -> None:
    killer = Killer(cluster, tmp_path / "gate")
    pools = [Squares("", claims=Claims(workers=1, cpus=3.0)), Gated(str(tmp_path / "gate"))]
    runner = RayRunner(cluster.address)
    try:
        blocks = dict.fromkeys(range(6), 1)
        reports = list(runner.run(blocks, Numbers(ballast=MEGABYTE), pools, killer))
    finally:
        runner.close()
    assert sorted(reports, key=lambda done: done.block) == [Sum(b, ((10 * b) ** 2 + 1,)) for b in range(6)]
    assert killer.entered.count((Part(1), "squares")) == 2, "what was made of block 1 was lost and is made again"
    assert killer.entered.count((Part(0), "squares")) == 1
