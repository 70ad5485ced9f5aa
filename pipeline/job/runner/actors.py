"""Pools of Ray actors, each with a worker and its engines, and how single calls to them end.

What stops a job travels to the driver as a value: an exception out of an actor would come wrapped by Ray.
"""

import json
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from manifests import errors
from manifests.errors import EngineDied, LawBroken, ParleyError
from pipeline.job.listener import Part
from pipeline.job.runner.tasks import BlockWork, PoolWorker, WorkerPlan
from pipeline.job.usage import Effort


@dataclass(frozen=True)
class CallResult:
    """What came of a call to an actor.

    A `died` actor is of no use any more. `lost`: an object that was to be worked on is gone with its node.
    """

    value: Any = None
    error: str | None = None
    died: bool = False
    lost: bool = False


class PoolActor:
    """Opens its worker at once.

    An exception there would be Ray's to tell; `opened` gives it to the driver as it is.
    """

    def __init__(self, plan: WorkerPlan) -> None:
        self._worker: PoolWorker | None = None
        self._opened = guarded(lambda: self._open(plan))

    def opened(self) -> CallResult:
        return self._opened

    def run(self, work: BlockWork[Any], part: Part, *packed: Any) -> tuple[CallResult, Any]:
        """(measure and effort, the packed content).

        The second is an object of its own, which the driver passes on and never reads.
        """
        result = guarded(lambda: self._run(work, part, packed))
        if result.error:
            return result, None
        found, content = result.value
        return CallResult(found), content

    def commit(self, work: BlockWork[Any], block: int, effort: Effort, *packed: Any) -> CallResult:
        return guarded(lambda: work.commit(block, [work.unpack(one) for one in packed], effort))

    def _open(self, plan: WorkerPlan) -> None:
        self._worker = plan.open()

    def _run(self, work: BlockWork[Any], part: Part, packed: Sequence[Any]) -> Any:
        assert self._worker is not None
        content = work.unpack(packed[0]) if packed else work.load(part)
        content, effort = self._worker.run(content)
        return (work.measure(content), effort), work.pack(content)


class ActorHandle:
    """An actor as the driver sees it. It gets work when its engines are loaded; `opening` is the call that tells."""

    def __init__(self, plan: WorkerPlan, slots: int) -> None:
        import ray

        claims = plan.claims
        options: dict[str, Any] = {"num_cpus": claims.cpus, "num_gpus": claims.gpus, "max_restarts": 0}
        if slots > 1:  # an actor with one slot works in its main thread, as some engines like it
            options["max_concurrency"] = slots
        self.actor = ray.remote(**options)(PoolActor).remote(plan)
        self.opening = self.actor.opened.remote()
        self.is_open = False
        self.load = 0

    def kill(self) -> None:
        """What a dead engine leaves in memory, here or on a GPU, goes with its process."""
        import ray

        ray.kill(self.actor)


class ActorPool:
    """The actors of one plan, each for `slots` parts at once."""

    def __init__(self, plan: WorkerPlan, slots: int) -> None:
        self.plan, self.slots = plan, slots
        self.actors: list[ActorHandle] = []
        self.failed_openings = 0

    @property
    def capacity(self) -> int:
        """Parts that the pool works on at once."""
        return len(self.actors) * self.slots

    def resize(self, size: int) -> None:
        while len(self.actors) > size:
            self.actors.pop().kill()
        while len(self.actors) < size:
            self.add()

    def add(self) -> ActorHandle:
        self.actors.append(ActorHandle(self.plan, self.slots))
        return self.actors[-1]

    def remove(self, handle: ActorHandle) -> None:
        self.actors.remove(handle)
        handle.kill()

    def free(self) -> ActorHandle | None:
        """The actor with the least work among those that have room for more."""
        free = [actor for actor in self.actors if actor.is_open and actor.load < self.slots]
        return min(free, key=lambda actor: actor.load, default=None)


def result_of(future: Any) -> CallResult:
    """How a call ended, for a future that is ready."""
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
    except Exception as error:  # noqa: BLE001  whatever else goes wrong is a bug that must reach the driver whole
        return CallResult(error=flat(LawBroken(f"{error!r}\n{traceback.format_exc()}")))


def flat(error: ParleyError) -> str:
    return json.dumps({"type": type(error).__name__, "message": str(error)})


def rebuilt(flat_error: str) -> ParleyError:
    data = json.loads(flat_error)
    kind: type[ParleyError] = getattr(errors, data["type"], ParleyError)
    return kind(data["message"])
