"""Manages pools of Ray actors, each with a worker and its engines, and the results of calls to them.

Errors that stop a job are sent to the driver as values: Ray would wrap an exception raised in an actor.
"""

import json
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from manifests import errors
from manifests.errors import EngineDied, LawBroken, ParleyError
from pipeline.environment import environment_error
from pipeline.job.gpu_use import GpuMeter, GpuUse
from pipeline.job.listener import Part
from pipeline.job.runner.openings import opening_turn
from pipeline.job.runner.tasks import BlockWork, PoolWorker, WorkerPlan
from pipeline.job.runner.warnings import Warnings
from pipeline.job.usage import Effort


@dataclass(frozen=True)
class CallResult:
    """Holds the result of a call to an actor.

    `died`: the actor is no longer usable. `lost`: an input object was lost with its node. `told`: what the user should
    know of. `gpu`: how hard the actor's GPUs worked since the call before, where that can be seen.
    """

    value: Any = None
    error: str | None = None
    died: bool = False
    lost: bool = False
    told: tuple[str, ...] = ()
    gpu: GpuUse | None = None


class PoolActor:
    """Runs a worker, which it opens as soon as it is its turn on this machine.

    Ray would wrap an exception raised on opening; `opened` returns it to the driver unchanged.
    """

    def __init__(self, plan: WorkerPlan) -> None:
        self._worker: PoolWorker | None = None
        self._last: tuple[Any, int, Any] | None = None
        self._told: deque[str] = deque()
        self._meter = GpuMeter() if plan.claims.gpus else None
        Warnings(self._told.append).__enter__()  # as long as this process lives
        self._opened = self._guarded(lambda: self._open(plan))

    def opened(self) -> CallResult:
        return self._opened

    def run(self, work: BlockWork[Any], part: Part, *packed: Any) -> tuple[CallResult, Any]:
        """Return (measure and effort, the packed content).

        The second is a separate object, which the driver passes on and never reads.
        """
        result = self._guarded(lambda: self._run(work, part, packed))
        if result.error:
            return result, None
        found, content = result.value
        return replace(result, value=found), content

    def commit(self, work: BlockWork[Any], block: int, effort: Effort, *packed: Any) -> CallResult:
        return self._guarded(lambda: work.commit(block, [work.unpack(one) for one in packed], effort))

    def _guarded(self, action: Callable[[], Any]) -> CallResult:
        """Call, and add what has been logged and seen meanwhile, whichever of the calls in flight it was."""
        result = guarded(action)
        gpu = self._meter.taken() if self._meter else None
        return replace(result, told=tuple(self._told.popleft() for _ in range(len(self._told))), gpu=gpu)

    def _open(self, plan: WorkerPlan) -> None:
        with _turn(plan):
            self._worker = plan.open()

    def _run(self, work: BlockWork[Any], part: Part, packed: Sequence[Any]) -> Any:
        assert self._worker is not None
        content = work.unpack(packed[0]) if packed else work.cut(self._whole(work, part), part)
        content, effort = self._worker.run(content)
        return (work.measure(content), effort), work.pack(content)

    def _whole(self, work: BlockWork[Any], part: Part) -> Any:
        """Return the part's block; the last one that was read in parts stays in memory for its next part."""
        last = self._last
        if last is not None and last[:2] == (work, part.block):
            return last[2]
        whole = work.load(part.block)
        self._last = (work, part.block, whole) if part.index + 1 < part.of else None
        return whole


def _turn(plan: WorkerPlan) -> AbstractContextManager[None]:
    """Return this worker's turn among those of the job on this machine: their locks lie in Ray's directory of logs."""
    import ray

    node = ray._private.worker._global_node
    if node is None:  # no process of Ray's
        return nullcontext()
    job = ray.get_runtime_context().get_job_id()
    return opening_turn(Path(node.get_session_dir_path()) / f"parley-openings-{job}", plan.name)


class ActorHandle:
    """Represents an actor in the driver. It gets work once its engines are loaded, when the call `opening` returns."""

    def __init__(self, plan: WorkerPlan, slots: int) -> None:
        import ray

        claims = plan.claims
        options: dict[str, Any] = {"num_cpus": claims.cpus, "num_gpus": claims.gpus, "max_restarts": 0}
        if slots > 1:  # an actor with one slot works in its main thread, as some engines require
            options["max_concurrency"] = slots
        self.actor = ray.remote(**options)(PoolActor).remote(plan)
        self.opening = self.actor.opened.remote()
        self.is_open = False
        self.load = 0

    def kill(self) -> None:
        """End the actor's process, and so free the memory of a dead engine, here or on a GPU."""
        import ray

        ray.kill(self.actor)


class ActorPool:
    """Holds the actors of one plan, each for `slots` parts at once."""

    def __init__(self, plan: WorkerPlan, slots: int) -> None:
        self.plan, self.slots = plan, slots
        self.actors: list[ActorHandle] = []
        self.failed_openings = 0

    @property
    def capacity(self) -> int:
        """Number of parts that the pool works on at once."""
        return len(self.actors) * self.slots

    def resize(self, size: int) -> None:
        while len(self.actors) > size:
            self.remove(min(reversed(self.actors), key=lambda actor: actor.is_open))  # its load is lost least
        while len(self.actors) < size:
            self.add()

    def add(self) -> ActorHandle:
        self.actors.append(ActorHandle(self.plan, self.slots))
        return self.actors[-1]

    def remove(self, handle: ActorHandle) -> None:
        self.actors.remove(handle)
        handle.kill()

    def free(self) -> ActorHandle | None:
        """Return the actor with the least work among those with a free slot."""
        free = [actor for actor in self.actors if actor.is_open and actor.load < self.slots]
        return min(free, key=lambda actor: actor.load, default=None)


def result_of(future: Any) -> CallResult:
    """Return how a call ended, for a future that is ready."""
    import ray

    try:
        result: CallResult = ray.get(future)
    except ray.exceptions.RayActorError:
        return CallResult(died=True)
    except ray.exceptions.ObjectLostError:
        return CallResult(lost=True)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ray.exceptions.ObjectLostError):
            return CallResult(lost=True)
        raise
    return result


def guarded(action: Callable[[], Any]) -> CallResult:
    try:
        return CallResult(action())
    except EngineDied as error:
        return CallResult(error=flat(error), died=True)
    except ParleyError as error:
        return CallResult(error=flat(error))
    except Exception as error:  # noqa: BLE001  every error must reach the driver, and none of Ray's wrapping
        bug = LawBroken(f"{error!r}\n{traceback.format_exc()}")
        return CallResult(error=flat(environment_error(error) or bug))


def flat(error: ParleyError) -> str:
    return json.dumps({"type": type(error).__name__, "args": error.args})


def rebuilt(flat_error: str) -> ParleyError:
    data = json.loads(flat_error)
    kind: type[ParleyError] = getattr(errors, data["type"], ParleyError)
    return kind(*data["args"])
