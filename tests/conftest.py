"""Settings of the whole test run."""

import gc
import os
import secrets
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, so that a change is judged by the change; HYPOTHESIS_PROFILE=explore looks further.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

# No test looks for a model on the hub. The client reads this once, when it is imported, whoever does so first.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# Several processes test side by side, and the models are tiny: more threads only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Ray's core keeps the first way to authenticate that a process uses, so all Rays and clusters of this one share it.
os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))

# Jobs sync each file that they write. On a disk, the tests of jobs would mostly wait for that.
_MEMORY_DISK = Path("/dev/shm")
_ROOM = 8 << 30


def _has_room(directory: Path) -> bool:
    """Tell whether the tests' files fit into a directory, and the programs that are among them may be run there."""
    if not os.access(directory, os.W_OK):
        return False
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize >= _ROOM and not disk.f_flag & os.ST_NOEXEC


if _has_room(_MEMORY_DISK):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY_DISK))

# Whole files go to one process each. The longest ones begin first, so that none of them is left alone at the end.
_LONGEST = (
    "test_neural.py",
    "test_kill_every_step.py",
    "test_llm_job.py",
    "test_kill.py",
    "test_speech_server_job.py",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among what is imported, which stays: neither while it comes nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let each process begin with other folders and files than the rest: what one has compiled, the others find.

    Each imports all files. On a clean clone, side by side, each would compile them all, which takes half of its time.
    """
    report = yield
    if isinstance(collector, pytest.Directory) and report.passed:
        number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        start = len(report.result) * number // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        report.result[:] = report.result[start:] + report.result[:start]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put them into one order, whatever the process."""
    rank = {name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: (rank.get(item.path.name, len(rank)), item.path.parts))
