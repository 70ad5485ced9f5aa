"""Runs jobs on Ray: each pool of a pass is a pool of actors, and parts of blocks go from one pool to the next."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from manifests.errors import EngineDied, ParleyError, UserError
from pipeline.job.gpu_use import local_gpus
from pipeline.job.listener import Listener
from pipeline.job.runner.actors import ActorPool, CallResult, guarded, rebuilt
from pipeline.job.runner.chain import Chain
from pipeline.job.runner.pool_sizes import FREE_CPUS, fitting_sizes, pool_sizes, told_sizes
from pipeline.job.runner.ray_cluster import JoinedRay
from pipeline.job.runner.ray_processes import OwnRay, start_ray
from pipeline.job.runner.staffing import Staffing
from pipeline.job.runner.tasks import BlockWork, PoolClaims, WorkerPlan, cut_blocks
from pipeline.job.worker import ENGINE_LIVES

_MAP_TASKS_FOR_EACH_CPU = 2

Item = TypeVar("Item")
Result = TypeVar("Result")
Report = TypeVar("Report")


class RayRunner:
    """Runs on the Ray cluster at `address`, or on one that this process starts.

    Keeps its actors as long as the next pass needs the same ones, so that engines load once.
    """

    def __init__(self, address: str | None = None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Ray's core prints warnings about its own actors over the bar; real failures arrive as exceptions.
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        self._address = address
        self._ray: OwnRay | JoinedRay | None = None
        self._pools: list[ActorPool] = []
        self._has_begun = False

    def run(
        self, blocks: Mapping[int, int], work: BlockWork[Report], pools: Sequence[WorkerPlan], listener: Listener
    ) -> Generator[Report, None, None]:
        if not blocks:
            return
        claims = [plan.claims for plan in pools]
        sizes = pool_sizes(claims, self.resources(), shared=self._address is None)
        slots = [plan.blocks_in_flight for plan in pools]
        parts = cut_blocks(blocks, work.part_rows, pools, sizes, slots)
        # The setting counts blocks in flight per worker, not parts of blocks.
        slots = [slot * max(parts.counts.values()) if slot > 1 else 1 for slot in slots]
        sizes = self._fitted(pools, [min(size, sum(parts.counts.values())) for size in sizes], listener)
        self._start(claims, sizes)
        self._has_begun = True
        is_done = False
        try:
            staff = self._staff(pools, sizes, slots)
            staffing = Staffing(staff, self.resources, listener)
            chain = Chain(parts, blocks.values(), work, staff, listener, partial(self._look_after, staffing))
            yield from chain.reports()
            is_done = True
        except Exception:
            self._check_after_failure()
            raise
        finally:
            if not is_done:  # an error, or the consumer has stopped: calls may still be running
                self._dismiss([])

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        import ray

        cpus = int(self.resources().get("CPU", 1.0))
        self._dismiss([])  # their claims would block these tasks
        self._start([], [])
        task = ray.remote(num_cpus=1, max_retries=ENGINE_LIVES)(_call)
        waiting, running = deque(items), deque[Any]()
        while waiting or running:
            while waiting and len(running) < _MAP_TASKS_FOR_EACH_CPU * cpus:
                running.append(task.remote(function, waiting.popleft()))
            yield self._outcome(running.popleft())

    def _outcome(self, future: Any) -> Any:
        """Return the result of a task; raises its error without Ray's wrapping."""
        import ray

        try:
            result: CallResult = ray.get(future)
        except ray.exceptions.RayError as error:
            self._check_after_failure()
            raise EngineDied(f"a task ended its worker {ENGINE_LIVES + 1} times: {type(error).__name__}") from error
        if result.error:
            raise rebuilt(result.error)
        return result.value

    def check_nodes(self, check: Callable[[], None]) -> None:
        """Call `check` once on each node of the user's cluster, and raise its error with the node's address."""
        if self._address is None:
            return
        self.resources()
        for address, found in _on_each_node(check):
            if found.error:
                error = rebuilt(found.error)
                raise type(error)(f"node {address}: {error}") if isinstance(error, ParleyError) else error

    def close(self) -> None:
        self._dismiss([])
        if self._ray:
            self._ray.close()
        self._ray = None

    def _check(self) -> None:
        """Raise RayEnded if Ray is gone."""
        if self._ray:
            self._ray.check()

    def _look_after(self, staffing: Staffing) -> None:
        self._check()
        if self._address is not None:
            staffing.look()

    def _check_after_failure(self) -> None:
        """Raise RayEnded if that is the cause of an error: a call may fail a moment before Ray's process has ended."""
        if self._ray:
            self._ray.check_after_failure()

    def _fitted(self, plans: Sequence[WorkerPlan], sizes: list[int], listener: Listener) -> list[int]:
        """Return fewer workers where a cluster has lost nodes since the job began, for which Ray would wait forever.

        A job that begins is refused instead: its user has asked for more than there is.
        """
        if self._address is None or not self._has_begun:
            return sizes
        there = self.resources()
        fitting = fitting_sizes([plan.claims for plan in plans], sizes, there)
        if fitting != sizes:
            listener.noted(told_sizes([plan.name for plan in plans], sizes, fitting, there))
        return fitting

    def _staff(self, plans: Sequence[WorkerPlan], sizes: Sequence[int], slots: Sequence[int]) -> list[ActorPool]:
        """Return the pools of a pass; first dismiss the pools of the pass before, unless they are the same."""
        wanted = list(zip(plans, slots, strict=True))
        kept = [pool for pool in self._pools if (pool.plan, pool.slots) in wanted]
        self._dismiss(kept)
        for plan, slot in wanted:
            if not any((pool.plan, pool.slots) == (plan, slot) for pool in kept):
                kept.append(ActorPool(plan, slot))
        order = {plan.name: place for place, plan in enumerate(plans)}
        self._pools = sorted(kept, key=lambda pool: order[pool.plan.name])
        for pool, size in zip(self._pools, sizes, strict=True):
            pool.resize(size)
        return self._pools

    def _dismiss(self, kept: Sequence[ActorPool]) -> None:
        """End the actors of all pools but `kept`, whatever they are doing."""
        gone, self._pools = [pool for pool in self._pools if pool not in kept], list(kept)
        if self._ray and not self._ray.is_gone():
            for pool in gone:
                pool.resize(0)

    @property
    def has_workers_here(self) -> bool:
        """Tell whether this machine is all that there is."""
        return self._address is None

    def resources(self) -> dict[str, float]:
        """Return the CPUs and GPUs to distribute: the cluster's, or this machine's."""
        if self._address is None:
            return {"CPU": float(len(os.sched_getaffinity(0))), "GPU": float(local_gpus())}
        import ray

        self._ray = self._ray or JoinedRay(self._address)
        return dict(ray.cluster_resources())

    def _start(self, pools: Sequence[PoolClaims], sizes: Sequence[int]) -> None:
        """Start this process's own Ray unless it runs; refuse claims for which Ray would silently wait forever."""
        pairs = list(zip(pools, sizes, strict=True))
        cpus, gpus = sum(pool.cpus * size for pool, size in pairs), sum(pool.gpus * size for pool, size in pairs)
        there = self.resources()
        if gpus > there.get("GPU", 0.0):
            raise UserError(f"the recipe's pools claim {gpus:g} GPUs, but there are {there.get('GPU', 0.0):g}")
        if self._address is None:
            # On one machine claims may exceed the cores: pools wait for one another, and the kernel shares the cores.
            self._start_own(max(int(cpus), int(there["CPU"])) + 2)
        elif cpus + FREE_CPUS > there.get("CPU", 0.0):
            raise UserError(f"the recipe's pools claim {cpus:g} CPUs and Ray needs 1, but there are {there['CPU']:g}")

    def _start_own(self, cpus: int) -> None:
        if isinstance(self._ray, OwnRay):
            if cpus <= self._ray.cpus:
                return
            self.close()  # a later pass may claim more than the pass for which Ray was started
        self._ray = start_ray(cpus)


def _on_each_node(check: Callable[[], None]) -> Iterator[tuple[str, CallResult]]:
    """Yield address and outcome of each node that works. One that dies meanwhile will do no work, and is left out."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(num_cpus=0)(guarded)
    calls = {}
    for node in ray.nodes():
        if node["Alive"] and node["Resources"].get("CPU"):
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            calls[node["NodeManagerAddress"]] = task.options(scheduling_strategy=there).remote(check)
    for address, call in calls.items():
        try:
            yield address, ray.get(call)
        except ray.exceptions.RayError:
            continue


def _call(function: Callable[[Item], Result], item: Item) -> CallResult:
    """Call the function: Ray makes tasks of plain functions only, and `map` also takes partial ones."""
    return guarded(lambda: function(item))
