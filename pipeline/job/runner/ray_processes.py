"""Starts this machine's own Ray, watches its processes, and leaves nothing of it behind."""

import logging
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from manifests.errors import EngineUnavailable, RayEnded
from pipeline.ending import end_failed, stopping_at_once
from pipeline.job.runner.quiet import quiet_stderr
from pipeline.scratch import claim_directory, remove_dead

_VITAL = ("raylet", "gcs_server")
_SESSIONS = "session_[0-9]*"
_LOOK_S = 0.5
_GRACE_S = 10.0
"""The driver looks once a second; Ray's core, in which it may wait, would end it without a word after a minute."""


class OwnRay:
    """Runs a Ray with that many CPUs, for this process alone.

    `check` raises RayEnded once the process that schedules (raylet) or the one that keeps the state (GCS) is gone.
    """

    def __init__(self, cpus: int) -> None:
        import ray

        try:
            with stopping_at_once(), quiet_stderr():
                ray.init(
                    address="local",
                    num_cpus=cpus,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except Exception as error:
            raise EngineUnavailable(
                f"Ray does not start on this machine; --runner local needs no Ray: {error}"
            ) from error
        self.cpus = cpus
        self._node: Any = ray._private.worker._global_node
        self._session = Path(self._node.get_session_dir_path())
        remove_dead(self._session.parent, _SESSIONS)
        self._claim = claim_directory(self._session)
        self._closing = threading.Event()
        threading.Thread(target=self._watch, name="ray", daemon=True).start()

    def is_gone(self) -> bool:
        return self._gone() is not None

    def check(self) -> None:
        if gone := self._gone():
            raise RayEnded(_sentence(gone))

    def close(self) -> None:
        """End Ray and remove its directory of logs and sockets."""
        import ray

        self._closing.set()
        if self.is_gone():  # Ray's own way to end asks these processes
            self._node.kill_all_processes(check_alive=False, allow_graceful=False)
        else:
            ray.shutdown()
        self._claim.close()
        shutil.rmtree(self._session, ignore_errors=True)

    def _gone(self) -> str | None:
        """Return the name of a vital process that has ended."""
        for name in _VITAL:
            if any(info.process.poll() is not None for info in self._node.all_processes.get(name, ())):
                return name
        return None

    def _watch(self) -> None:
        while not self._closing.wait(_LOOK_S):
            if gone := self._gone():
                if not self._closing.wait(_GRACE_S):
                    end_failed(_sentence(gone), RayEnded.exit_code)
                return


def _sentence(gone: str) -> str:
    return f"Ray ended: its process {gone} is gone, killed or out of memory; the same command continues"


def wait_for_end(ray: OwnRay) -> None:
    """Give a process that is about to end the time to do so, then check."""
    time.sleep(2 * _LOOK_S)
    ray.check()
