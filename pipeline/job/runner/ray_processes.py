"""Starts this machine's own Ray, watches its processes, and leaves nothing of it behind."""

import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from manifests.errors import EngineUnavailable, RayEnded
from pipeline.ending import end_failed, stopping_at_once
from pipeline.job.runner.quiet import quiet_stderr
from pipeline.scratch import claim_directory, remove_dead

_VITAL = ("raylet", "gcs_server")
_HELPERS = ("start_monitor", "start_log_monitor", "start_api_server")
_SESSIONS = "session_[0-9]*"
_AUTHENTICATION = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
_LOOK_S = 0.5
_GRACE_S = 10.0
"""The driver looks once a second; Ray's core, in which it may wait, would end it without a word after a minute."""
_STARTS = 3
"""Ray gives its processes 30 s to start, which is too little where many others work."""
_SLOW_S = 20.0
"""A start that failed sooner would fail again."""


def start_ray(cpus: int) -> "OwnRay":
    """Start a Ray of this process, again where the machine was too busy; raises EngineUnavailable if it does not."""
    for _ in range(_STARTS):
        began = time.monotonic()
        try:
            return OwnRay(cpus)
        except EngineUnavailable:
            if time.monotonic() - began < _SLOW_S:
                raise
    busy = f"a load of {os.getloadavg()[0]:.0f} on {len(os.sched_getaffinity(0))} cores"
    raise EngineUnavailable(
        f"Ray did not start in time, {_STARTS} times: this machine is too busy for it ({busy}). Give the same command "
        "when it is less busy, or with --runner local, which needs no Ray"
    )


class OwnRay:
    """Runs a Ray with that many CPUs, for this process alone.

    `check` raises RayEnded once the process that schedules (raylet) or the one that keeps the state (GCS) is gone.
    """

    def __init__(self, cpus: int) -> None:
        _claim_token()
        import ray

        self._vital = _VitalProcesses()
        self._starting, self._closing = threading.Event(), threading.Event()
        self._starting.set()
        threading.Thread(target=self._watch, name="ray", daemon=True).start()
        try:
            with stopping_at_once(), quiet_stderr(), _without_helpers():
                ray.init(
                    address="local",
                    num_cpus=cpus,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except Exception as error:
            self._closing.set()
            ray.shutdown()
            self._vital.kill_new()
            raise EngineUnavailable(
                f"Ray does not start on this machine; --runner local needs no Ray: {error}"
            ) from error
        self.cpus = cpus
        self._node: Any = ray._private.worker._global_node
        self._session = Path(self._node.get_session_dir_path())
        remove_dead(self._session.parent, _SESSIONS)
        self._claim = claim_directory(self._session)
        self._starting.clear()

    def is_gone(self) -> bool:
        return self._vital.gone() is not None

    def check(self) -> None:
        if gone := self._vital.gone():
            raise RayEnded(_sentence(gone))

    def check_after_failure(self) -> None:
        """Give a process that is about to end the time to do so, then check."""
        time.sleep(2 * _LOOK_S)
        self.check()

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

    def _watch(self) -> None:
        """End the process if the driver waits in vain for a vital process; it cannot do so itself."""
        while not self._closing.wait(_LOOK_S):
            if gone := self._vital.gone():
                if self._starting.is_set() or not self._closing.wait(_GRACE_S):
                    end_failed(_sentence(gone), RayEnded.exit_code)
                return


@contextmanager
def _without_helpers() -> Iterator[None]:
    """Have Ray start without processes that nobody asks here; ray.init has no arguments that say so.

    They are the autoscaler, what forwards logs to the driver, and the server of the dashboard, which Ray starts even
    without a dashboard. Each imports Ray: with them, a Ray of two workers takes 7.4 CPU-seconds to start, without 4.4.
    """
    node: Any = import_module("ray._private.node").Node
    starts = {name: vars(node)[name] for name in _HELPERS if name in vars(node)}
    for name in starts:
        setattr(node, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for name, start in starts.items():
            setattr(node, name, start)


def _claim_token() -> None:
    """Choose a token for this process's Ray, unless the user has chosen how Ray authenticates.

    Ray itself would write one to a file in the home directory: two jobs that start at once would overwrite each
    other's token and shut each other out, and there may be no home to write to.
    """
    if not any(os.environ.get(name) for name in _AUTHENTICATION):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


class _VitalProcesses:
    """Finds the vital processes among the children of this one, also while Ray starts, and notes when one is gone."""

    def __init__(self) -> None:
        psutil: Any = import_module("psutil")  # comes with Ray
        self._zombie, self._error = psutil.STATUS_ZOMBIE, psutil.Error
        self._own = psutil.Process()
        self._before = set(self._own.children())
        self._seen: dict[str, Any] = {}

    def gone(self) -> str | None:
        """Return the name of a vital process that has been seen, and has ended."""
        if len(self._seen) < len(_VITAL):
            self._look()
        return next((name for name, process in self._seen.items() if not self._lives(process)), None)

    def kill_new(self) -> None:
        """Kill what a failed start has left running."""
        for process in self._own.children():
            if process not in self._before and process.is_running():
                with suppress(self._error):
                    process.kill()

    def _look(self) -> None:
        for process in self._own.children():
            try:
                name = process.name()
            except self._error:
                continue
            if name in _VITAL and process not in self._before:
                self._seen[name] = process

    def _lives(self, process: Any) -> bool:
        try:
            return bool(process.is_running() and process.status() != self._zombie)
        except self._error:
            return False


def _sentence(gone: str) -> str:
    return f"Ray ended: its process {gone} is gone, killed or out of memory; the same command continues"
