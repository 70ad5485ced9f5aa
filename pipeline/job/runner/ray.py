"""The Ray Data runner: each pool of the recipe is a pool of actors, and blocks stream from one pool to the next.

One row of the Ray dataset is one block; its dialogues travel as one Arrow IPC stream. The last pool commits, so that
no audio ever reaches the driver. What stops a job travels to the driver as a value in the row: exceptions that cross
Ray Data come out wrapped in ways that change between its versions.
"""

import json
import logging
import os
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from manifests.arrow import from_ipc, to_ipc
from manifests.errors import EngineDied, EngineUnavailable, LawBroken, ParleyError, UserError
from pipeline.job.blocks import BlockReport
from pipeline.job.runner.actors import flat, rebuilt, run_items
from pipeline.job.runner.tasks import BlockPass, Claims, PoolPlan, WorkPlan
from pipeline.job.usage import Effort
from pipeline.job.worker import ENGINE_LIVES, Worker

_ROW = pa.schema(
    [
        ("block", pa.int64()),
        ("dialogues", pa.large_binary()),
        ("effort", pa.string()),
        ("report", pa.string()),
        ("error", pa.string()),
    ]
)
_MAP_TASKS_FOR_EACH_CPU = 2

Item = TypeVar("Item")
Result = TypeVar("Result")


class RayRunner:
    """A Ray cluster of this process's own, or the one at `address`."""

    def __init__(self, address: str | None = None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Ray's core prints warnings about its own actors over the bar; what goes wrong reaches us as exceptions.
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        self._address = address
        self._started = False
        self._own_cpus = 0
        self._data: Any = None

    def run(self, blocks: Sequence[int], block_pass: BlockPass, plans: Sequence[PoolPlan]) -> Iterator[BlockReport]:
        if not blocks:
            return
        sizes = pool_sizes([plan.pool for plan in plans], self._resources(), shared=self._address is None)
        sizes = [min(size, len(blocks)) for size in sizes]
        self._start([plan.pool for plan in plans], sizes)
        self._data = _dataset(blocks, block_pass, plans, sizes)
        # Without prefetching: its threads would outlive an error, see `_stop_work`, and reports are small.
        for table in self._data.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for row in table.to_pylist():
                if row["error"]:
                    raise rebuilt(row["error"])
                yield BlockReport.from_json(row["report"])

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        import ray

        cpus = int(self._resources().get("CPU", 1.0))
        self._start([], [])
        task = ray.remote(num_cpus=1, max_retries=ENGINE_LIVES)(_call)
        waiting, running = deque(items), deque[Any]()
        while waiting or running:
            while waiting and len(running) < _MAP_TASKS_FOR_EACH_CPU * cpus:
                running.append(task.remote(function, waiting.popleft()))
            yield _outcome(running.popleft())

    def work(self, items: Sequence[Item], plan: WorkPlan[Item, Result]) -> Generator[Result, None, None]:
        if not items:
            return
        (size,) = pool_sizes([plan.claims], self._resources(), shared=self._address is None)
        size = min(size, len(items))
        self._start([plan.claims], [size])
        yield from run_items(items, plan, size)

    def close(self) -> None:
        self._stop_work()
        if self._started:
            import ray

            ray.shutdown()
            self._started = False

    def _stop_work(self) -> None:
        """End what still runs after an error or an interrupt.

        Ray Data schedules in a thread of this process; a thread that meets a Ray that is shut down ends the process on
        the spot, without a word, with exit code 1. There is no public way to stop it.
        """
        executor = getattr(self._data, "_current_executor", None)
        if executor is not None:
            executor.shutdown(force=True)
        self._data = None

    def _resources(self) -> dict[str, float]:
        """CPUs and GPUs to share out: the cluster's, or this machine's."""
        if self._address is None:
            return {"CPU": float(len(os.sched_getaffinity(0))), "GPU": float(_local_gpus())}
        import ray

        if not self._started:
            try:
                ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR)
            except ConnectionError as error:
                hint = "is it running, and does RAY_AUTH_MODE here agree with it?"
                raise UserError(f"no Ray cluster lets us in at {self._address}: {hint}") from error
            self._started = True
        return dict(ray.cluster_resources())

    def _start(self, pools: Sequence[Claims], sizes: Sequence[int]) -> None:
        """Start this process's own Ray, unless it runs; refuse claims for which Ray would wait in silence for ever."""
        pairs = list(zip(pools, sizes, strict=True))
        cpus, gpus = sum(pool.cpus * size for pool, size in pairs), sum(pool.gpus * size for pool, size in pairs)
        there = self._resources()
        if gpus > there.get("GPU", 0.0):
            raise UserError(f"the recipe's pools claim {gpus:g} GPUs, there are {there.get('GPU', 0.0):g}")
        if self._address is None:
            # On one machine claims may exceed the cores: pools wait for one another, and the kernel shares the cores.
            self._start_own(int(cpus) + 2)
        elif cpus + 1 > there.get("CPU", 0.0):
            raise UserError(f"the recipe's pools claim {cpus:g} CPUs and Ray needs 1, there are {there['CPU']:g}")

    def _start_own(self, cpus: int) -> None:
        if self._started and cpus <= self._own_cpus:
            return
        import ray

        self.close()  # a later pass may claim more than the one that Ray was started for
        ray.init(
            address="local",
            num_cpus=cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        self._started, self._own_cpus = True, cpus


class _PoolWorker:
    """The actor of a pool: a `Worker` between Ray's blocks."""

    def __init__(self, plan: PoolPlan, block_pass: BlockPass, is_first: bool, is_last: bool, strikes: Any) -> None:
        self._plan, self._pass = plan, block_pass
        self._is_first, self._is_last = is_first, is_last
        self._strikes = strikes
        self._unavailable: EngineUnavailable | None = None
        try:
            self._worker = Worker(plan.order)
        except EngineUnavailable as error:
            # An exception here would only make Ray start the actor again; the first block carries it to the driver.
            self._unavailable = error

    def __call__(self, table: pa.Table) -> pa.Table:
        return pa.Table.from_pylist([self._guarded(row) for row in table.to_pylist()], schema=_ROW)

    def _guarded(self, row: dict[str, Any]) -> dict[str, Any]:
        if row.get("error"):
            return row
        try:
            return self._processed(row)
        except ParleyError as error:
            return {"block": row["block"], "error": flat(error)}
        except Exception as error:  # noqa: BLE001  whatever else goes wrong is a bug that must reach the driver whole
            return {"block": row["block"], "error": flat(LawBroken(f"{error!r}\n{traceback.format_exc()}"))}

    def _processed(self, row: dict[str, Any]) -> dict[str, Any]:
        if self._unavailable:
            raise self._unavailable
        block = row["block"]
        starts = self._count_start(block)
        dialogues = self._pass.load(block) if self._is_first else from_ipc(row["dialogues"])
        try:
            dialogues, taken = self._worker.run(dialogues)
        except EngineDied:
            if starts < ENGINE_LIVES:
                # Ray gives the block to a fresh actor. What a dead engine leaves in memory, here or on a GPU, goes
                # too.
                os._exit(1)
            raise
        effort = Effort.from_json(row["effort"]) + taken if row.get("effort") else taken
        if self._is_last:
            report = self._pass.commit(block, dialogues, effort)
            return {"block": block, "report": json.dumps(asdict(report))}
        return {"block": block, "dialogues": to_ipc(dialogues), "effort": effort.to_json()}

    def _count_start(self, block: int) -> int:
        """Ray starts a dead actor's block again without limit; a block that kills every worker must stop the job."""
        import ray

        starts: int = ray.get(self._strikes.start.remote(self._plan.name, block))
        if starts > ENGINE_LIVES:
            raise EngineDied(f"block {block} ended its worker {ENGINE_LIVES} times in pool {self._plan.name}")
        return starts


class _Strikes:
    """Counts how often each block was started in each pool."""

    def __init__(self) -> None:
        self._starts: dict[tuple[str, int], int] = {}

    def start(self, pool: str, block: int) -> int:
        self._starts[pool, block] = self._starts.get((pool, block), 0) + 1
        return self._starts[pool, block]


def _dataset(blocks: Sequence[int], block_pass: BlockPass, plans: Sequence[PoolPlan], sizes: Sequence[int]) -> Any:
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    strikes = ray.remote(num_cpus=0)(_Strikes).remote()
    data = ray.data.from_items([{"block": block} for block in blocks], override_num_blocks=len(blocks))
    last = len(plans) - 1
    for index, (plan, size) in enumerate(zip(plans, sizes, strict=True)):
        in_flight = plan.pool.blocks_in_flight
        pool = ray.data.ActorPoolStrategy(
            size=size,
            max_tasks_in_flight_per_actor=in_flight + 1,
            max_concurrent_calls_per_actor=in_flight,
            enable_true_multi_threading=in_flight > 1,
        )
        data = data.map_batches(
            _PoolWorker,
            fn_constructor_args=(plan, block_pass, index == 0, index == last, strikes),
            batch_size=1,
            batch_format="pyarrow",
            compute=pool,
            num_cpus=plan.pool.cpus,
            num_gpus=plan.pool.gpus,
        )
    return data


def pool_sizes(pools: Sequence[Claims], resources: Mapping[str, float], shared: bool) -> list[int]:
    """Workers of each pool: what the recipe says; else as many as the GPUs allow, which pools share; else one a core.

    On one machine (`shared`) every pool may have all cores, since pools wait for one another. On a cluster the claims
    must fit side by side, and one CPU must stay free for Ray Data's own tasks.
    """
    cpus, gpus = resources.get("CPU", 1.0), resources.get("GPU", 0.0)
    spare_gpus = gpus - sum(pool.gpus * pool.workers for pool in pools)
    open_gpus = sum(pool.gpus for pool in pools if not pool.workers)
    on_gpus = int(spare_gpus / open_gpus) if open_gpus else 0
    sizes = [pool.workers or (on_gpus if pool.gpus else 0) for pool in pools]
    open_cpus = sum(pool.cpus for pool, size in zip(pools, sizes, strict=True) if not size and not pool.gpus)
    spare = cpus - 1 - sum(pool.cpus * size for pool, size in zip(pools, sizes, strict=True))
    filling = int(cpus) if shared or not open_cpus else int(spare / open_cpus)
    return [size or (1 if pool.gpus else max(1, filling)) for pool, size in zip(pools, sizes, strict=True)]


def _local_gpus() -> int:
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def _call(function: Callable[[Item], Result], item: Item) -> Result:
    """What Ray makes a task of: it takes plain functions only, and `map` takes partial ones too."""
    return function(item)


def _outcome(future: Any) -> Any:
    """The result of a task; its own exception, not Ray's wrapping, if it raised one of ours."""
    import ray

    try:
        return ray.get(future)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ParleyError):
            raise error.cause from error
        raise
