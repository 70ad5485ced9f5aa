"""Under Ray: items through actors that each hold a worker with its engines. Which actor takes what is decided here.

What stops a job travels to the driver as a value: an exception out of an actor would come wrapped by Ray.
"""

import json
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from manifests import errors
from manifests.errors import EngineDied, LawBroken, ParleyError
from pipeline.job.runner.tasks import ItemWorker, WorkPlan
from pipeline.job.worker import ENGINE_LIVES

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class _Outcome:
    """The result, or what went wrong, as `flat` writes it. `died`: the worker is of no use any more."""

    result: Any = None
    error: str | None = None
    died: bool = False


class _ItemActor:
    def __init__(self, open_worker: Callable[[], ItemWorker[Any, Any]]) -> None:
        self._worker: ItemWorker[Any, Any] | None = None
        # An exception here would be Ray's to tell; the first item carries it to the driver as it is.
        self._refusal = _guarded(lambda: self._open(open_worker))

    def run(self, item: Any) -> _Outcome:
        worker = self._worker
        return self._refusal if worker is None else _guarded(lambda: worker.run(item))

    def _open(self, open_worker: Callable[[], ItemWorker[Any, Any]]) -> None:
        self._worker = open_worker()


def run_items(items: Sequence[Item], plan: WorkPlan[Item, Result], size: int) -> Generator[Result, None, None]:
    """The results in whatever order they are there; needs a Ray that runs.

    An actor whose engine or process dies is replaced, and its item comes next. After ENGINE_LIVES deaths over one item
    its EngineDied is raised.
    """
    import ray

    waiting, deaths = deque(range(len(items))), Counter[int]()
    running: dict[Any, tuple[Any, int]] = {}
    actors = [_start_actor(plan) for _ in range(size)]
    try:
        for actor in actors:
            number = waiting.popleft()
            running[actor.run.remote(items[number])] = actor, number
        while running:
            (done,), _ = ray.wait(list(running), num_returns=1)
            actor, number = running.pop(done)
            outcome = _outcome(done, number, plan)
            if outcome.died:
                deaths[number] += 1
                if deaths[number] >= ENGINE_LIVES:
                    raise rebuilt(outcome.error or "")
                actors.remove(actor)
                ray.kill(actor)  # what a dead engine leaves in memory, here or on a GPU, goes with its process
                actors.append(actor := _start_actor(plan))
                waiting.appendleft(number)
            elif outcome.error:
                raise rebuilt(outcome.error)
            if waiting:
                number = waiting.popleft()
                running[actor.run.remote(items[number])] = actor, number
            if not outcome.died:
                yield outcome.result
    finally:
        for actor in actors:
            ray.kill(actor)


def flat(error: ParleyError) -> str:
    return json.dumps({"type": type(error).__name__, "message": str(error)})


def rebuilt(flat_error: str) -> ParleyError:
    data = json.loads(flat_error)
    kind: type[ParleyError] = getattr(errors, data["type"], ParleyError)
    return kind(data["message"])


def _start_actor(plan: WorkPlan[Any, Any]) -> Any:
    import ray

    actor = ray.remote(num_cpus=plan.claims.cpus, num_gpus=plan.claims.gpus, max_restarts=0)(_ItemActor)
    return actor.remote(plan.open)


def _outcome(future: Any, number: int, plan: WorkPlan[Any, Any]) -> _Outcome:
    import ray

    try:
        outcome: _Outcome = ray.get(future)
    except ray.exceptions.RayActorError:
        message = f"item {number} ended its worker {ENGINE_LIVES} times in {plan.name}"
        return _Outcome(error=flat(EngineDied(message)), died=True)
    return outcome


def _guarded(action: Callable[[], Any]) -> _Outcome:
    try:
        return _Outcome(action())
    except EngineDied as error:
        return _Outcome(error=flat(error), died=True)
    except ParleyError as error:
        return _Outcome(error=flat(error))
    except Exception as error:  # noqa: BLE001  whatever else goes wrong is a bug that must reach the driver whole
        return _Outcome(error=flat(LawBroken(f"{error!r}\n{traceback.format_exc()}")))
