"""How hard the GPUs work, by a double of NVML; where that cannot be seen, nothing is said."""

import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pipeline.job import gpu_use
from pipeline.job.gpu_use import GpuMeter, GpuUse
from pipeline.job.profile import PoolTime, advice, lines
from pipeline.job.runner.actors import PoolActor
from tests.pipeline.job.runner.numbers_work import Claims, Squares
from tests.tables import each_row

GIB = 1 << 30


class NvmlDouble(ModuleType):
    """Two cards, by index or UUID: the first works and drinks, the second idles. `broken` functions raise."""

    class NVMLError(Exception):
        pass

    def __init__(self, *broken: str) -> None:
        super().__init__("pynvml")
        self._broken = broken

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {
            "nvmlInit": lambda: None,
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetHandleByUUID": lambda uuid: ["GPU-a", "GPU-b"].index(uuid),
            "nvmlDeviceGetUtilizationRates": lambda card: SimpleNamespace(gpu=90 if card == 0 else 10),
            "nvmlDeviceGetPowerUsage": lambda card: 500_000 if card == 0 else 100_000,
            "nvmlDeviceGetEnforcedPowerLimit": lambda card: 700_000,
            "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(used=(40 - card) * GIB, total=80 * GIB),
        }
        if name not in answers:
            raise AttributeError(name)

        def call(*words: Any) -> Any:
            if name in self._broken:
                raise self.NVMLError(name)
            return answers[name](*words)

        return call


def metered(
    monkeypatch: pytest.MonkeyPatch, nvml: ModuleType | None, visible: str | None, works: bool
) -> GpuUse | None:
    monkeypatch.setattr(gpu_use, "_EVERY_S", 0.005)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)  # None: it cannot be imported
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    meter, deadline = GpuMeter(), time.monotonic() + (10 if works else 0.05)
    while (use := meter.taken()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return use


@each_row(
    ("broken", "visible", "told"),
    [
        pytest.param((), "0", "GPU busy 90%, 500 of 700 W, 40.0 of 80.0 GiB", id="its own card"),
        pytest.param((), "GPU-b", "GPU busy 10%, 100 of 700 W, 39.0 of 80.0 GiB", id="by UUID"),
        pytest.param((), None, "GPU busy 50%, 300 of 700 W, 40.0 of 80.0 GiB", id="all, the mean of them"),
        pytest.param(("nvmlDeviceGetPowerUsage",), "1", "GPU busy 10%, 39.0 of 80.0 GiB", id="no power"),
        pytest.param(("nvmlInit",), "0", None, id="no driver"),
        pytest.param(("nvmlDeviceGetUtilizationRates",), "0", None, id="a part of a card"),
        pytest.param((), "", None, id="no card is this process's"),
    ],
)
def test_what_is_seen(monkeypatch, broken, visible, told):
    use = metered(monkeypatch, NvmlDouble(*broken), visible, works=told is not None)
    assert (use.told() if use else None) == told


def test_without_the_library_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metered(monkeypatch, None, "0", works=False) is None


def test_a_worker_with_a_share_of_a_gpu_tells_of_it_with_each_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_use, "_EVERY_S", 0.005)
    monkeypatch.setitem(sys.modules, "pynvml", NvmlDouble())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    actor = PoolActor(Squares("", claims=Claims(gpus=0.5)))
    deadline = time.monotonic() + 10
    while (told := actor._guarded(lambda: 1).gpu) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert told is not None and told.busy_share == pytest.approx(0.9)
    assert PoolActor(Squares(""))._guarded(lambda: 1).gpu is None


def test_the_profile_says_it_and_what_to_change() -> None:
    idle = GpuUse(10, busy=2.7, power_w=2030, limit_w=7000, peak_bytes=8 * GIB, memory_bytes=80 * GIB)
    full = GpuUse(10, busy=9.7, power_w=6500, limit_w=7000, peak_bytes=8 * GIB, memory_bytes=80 * GIB)
    slow, quick = PoolTime(1, 95.0, 5.0, gpu=idle), PoolTime(1, 10.0, 90.0)
    assert lines({"voices": slow})[0].endswith("loading 0%; GPU busy 27%, 203 of 700 W, 8.0 of 80.0 GiB")
    assert "its GPUs have room (GPU busy 27%" in str(advice({"voices": slow, "proof": quick}))
    hot = PoolTime(1, 95.0, 5.0, gpu=full)
    assert "its GPUs are full" in str(advice({"voices": hot, "proof": quick}))
    both = (slow + hot).gpu
    assert both is not None and (both.looks, both.told()) == (20, "GPU busy 62%, 426 of 700 W, 8.0 of 80.0 GiB")
