"""Joins a Ray cluster that somebody else started, and notices when its head, or Ray on this machine, is gone."""

import logging
import socket
import threading
import time

from manifests.errors import RayEnded, UserError
from pipeline.ending import end_failed, stopping_at_once
from pipeline.job.runner.quiet import quiet_stderr

_LOOK_S = 2.0
_HEAD_SILENCE_S = 35.0
"""So long may the head be away: one that keeps its state elsewhere comes back. After a minute Ray's core would end
this process without a word."""
_RAYLET_SILENCE_S = 5.0
_GRACE_S = 10.0
"""The driver looks once a second, unless it waits in Ray's core."""

_Address = tuple[str, int]


class JoinedRay:
    """Connects this process to the cluster at an address, such as "10.0.0.1:6379"; raises UserError if it cannot.

    `check` raises RayEnded once the process that schedules on this machine (raylet) does not answer, or the one on the
    head that keeps the cluster's state (GCS) has not for some time.
    """

    def __init__(self, address: str) -> None:
        import ray

        try:
            with stopping_at_once(), quiet_stderr():
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError as error:
            hint = "is it running, and does RAY_AUTH_MODE here agree with it?"
            raise UserError(f"cannot connect to a Ray cluster at {address}: {hint}") from error
        head, _, port = str(ray.get_runtime_context().gcs_address).rpartition(":")
        self._head = head.strip("[]"), int(port)
        here = next(node for node in ray.nodes() if node["NodeID"] == ray.get_runtime_context().get_node_id())
        raylet = str(here["NodeManagerAddress"]), int(here["NodeManagerPort"])
        self._longest = {self._head: _HEAD_SILENCE_S, raylet: _RAYLET_SILENCE_S}
        self._is_gone = False
        self._closing = threading.Event()
        threading.Thread(target=self._watch, name="ray", daemon=True).start()

    def is_gone(self) -> bool:
        return self._is_gone

    def check(self) -> None:
        if self._is_gone:
            raise RayEnded(self._sentence())

    def check_after_failure(self) -> None:
        """Raise RayEnded if an error comes from the end of the head or of the raylet, which may have just been."""
        if not all(map(_answers, self._longest)):
            self._is_gone = True
        self.check()

    def close(self) -> None:
        """Leave the cluster, which goes on."""
        import ray

        self._closing.set()
        if not self._is_gone:  # it would be asked
            ray.shutdown()

    def _watch(self) -> None:
        """Notice the end, and end the process if the driver waits in vain; it cannot do so itself."""
        answered = dict.fromkeys(self._longest, time.monotonic())
        while not self._closing.wait(_LOOK_S):
            answered |= {address: time.monotonic() for address in answered if _answers(address)}
            if any(time.monotonic() - answered[address] > longest for address, longest in self._longest.items()):
                self._is_gone = True
                if not self._closing.wait(_GRACE_S):
                    end_failed(self._sentence(), RayEnded.exit_code)
                return

    def _sentence(self) -> str:
        host, port = self._head
        return (
            f"Ray ended: the head of the cluster at {host}:{port}, or Ray on this machine, does not answer; the same "
            "command continues once the cluster runs again"
        )


def _answers(address: _Address) -> bool:
    """Tell whether a process listens there."""
    try:
        with socket.create_connection(address, timeout=_LOOK_S):
            return True
    except OSError:
        return False
