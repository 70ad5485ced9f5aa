"""Processes, as the tests of vLLM look at them."""

import time
from collections.abc import Sequence

import psutil

GONE_S = 60


def engine_processes(pid: int | None = None) -> list[psutil.Process]:
    """vLLM's own processes below that one: the engine core first, then its workers. Without a pid: below this one."""
    below = psutil.Process(pid).children(recursive=True)
    named = [(process, " ".join(process.cmdline())) for process in below]
    cores = [process for process, name in named if "EngineCore" in name]
    return cores + [process for process, name in named if "VLLM::Worker" in name]


def gone_in_time(processes: Sequence[psutil.Process]) -> bool:
    """Whether all of them end within a minute. A zombie, which nobody has buried yet, has ended."""
    until = time.monotonic() + GONE_S
    while time.monotonic() < until:
        if not any(_lives(process) for process in processes):
            return True
        time.sleep(0.1)
    return False


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
