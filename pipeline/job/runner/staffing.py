"""Sees to it that every pool of a pass has a worker, on a cluster that may lose nodes meanwhile.

Ray waits for ever, and says nothing, where a worker that is to replace a lost one fits on no node.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from pipeline.job.listener import Listener
from pipeline.job.runner.actors import ActorPool
from pipeline.job.runner.pool_sizes import fitting_sizes, told_sizes

PATIENCE_S = 60.0
"""So long may a new node take before the pools share what is left. Nodes that are replaced often come sooner."""


class Staffing:
    """Looks after the pools of a pass; `resources` asks for the CPUs and GPUs of the cluster."""

    def __init__(
        self, pools: Sequence[ActorPool], resources: Callable[[], Mapping[str, float]], listener: Listener
    ) -> None:
        self._pools, self._resources, self._listener = pools, resources, listener
        self._since: float | None = None

    def look(self) -> None:
        """Take workers from the others where a pool had none for some time since there is no room for one.

        Call it about once a second.
        """
        if all(any(actor.is_open for actor in pool.actors) for pool in self._pools):
            self._since = None
            return
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since < PATIENCE_S:
            return
        self._since = now
        there = self._resources()
        sizes = [len(pool.actors) for pool in self._pools]
        fitting = fitting_sizes([pool.plan.claims for pool in self._pools], sizes, there)
        if fitting == sizes:  # they load, or nothing can be taken from the others
            self._tell_of_waiting(there)
            return
        self._listener.noted(told_sizes([pool.plan.name for pool in self._pools], sizes, fitting, there))
        for pool, size in zip(self._pools, fitting, strict=True):
            pool.resize(size)

    def _tell_of_waiting(self, there: Mapping[str, float]) -> None:
        for kind in ("CPU", "GPU"):
            claims = [(pool.plan.claims.cpus if kind == "CPU" else pool.plan.claims.gpus) for pool in self._pools]
            claimed = sum(claim * len(pool.actors) for claim, pool in zip(claims, self._pools, strict=True))
            if claimed > there.get(kind, 0.0):
                names = [p.plan.name for p in self._pools if not any(actor.is_open for actor in p.actors)]
                self._listener.noted(
                    f"{', '.join(names)}: no worker has room, since one of each pool claims {claimed:g} {kind}s and "
                    f"the cluster has {there.get(kind, 0.0):g}; the job goes on when a node comes"
                )
