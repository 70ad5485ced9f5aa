"""Measures how hard GPUs work, in the worker that computes on them: share of time, power, memory.

NVML's share is the time with any kernel running, so a card can be busy all the time and still idle for the most part;
its power beside its limit shows that. Without nvidia-ml-py, or where NVML has no figures (as in parts of a card, MIG),
there is nothing to say, and nothing is said. The results of a job never depend on any of this.
"""

import importlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EVERY_S = 1.0
_FULL_TIME, _FULL_POWER = 0.85, 0.6
"""A card that is busy and draws this share of its limit has little left. One that was busy 96 % of the time at 164 of
700 W had nearly everything left."""
_GIB = 1 << 30
_MILLI = 1000


def local_gpus() -> int:
    """Count this machine's NVIDIA GPUs, as the system lists them."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


@dataclass(frozen=True, slots=True)
class GpuUse:
    """Adds up looks at the GPUs of a pool: `busy` (shares of time, 0 to 1), `power_w` and `limit_w` (watts).

    `peak_bytes` is the most memory in use on one card, by all its processes, and `memory_bytes` that card's memory.
    """

    looks: int = 0
    busy: float = 0.0
    power_w: float = 0.0
    limit_w: float = 0.0
    peak_bytes: int = 0
    memory_bytes: int = 0

    def __add__(self, other: "GpuUse") -> "GpuUse":
        fuller = max(self, other, key=lambda use: use.peak_bytes)
        return GpuUse(
            self.looks + other.looks,
            self.busy + other.busy,
            self.power_w + other.power_w,
            self.limit_w + other.limit_w,
            fuller.peak_bytes,
            fuller.memory_bytes,
        )

    @property
    def busy_share(self) -> float:
        return self.busy / self.looks if self.looks else 0.0

    @property
    def power_share(self) -> float:
        return self.power_w / self.limit_w if self.limit_w else 0.0

    @property
    def memory_share(self) -> float:
        return self.peak_bytes / self.memory_bytes if self.memory_bytes else 0.0

    @property
    def is_full(self) -> bool:
        """Tell whether the cards have little left to give."""
        return self.busy_share >= _FULL_TIME and self.power_share >= _FULL_POWER

    def told(self) -> str:
        """Put the means of all looks into words."""
        power = f", {self.power_w / self.looks:.0f} of {self.limit_w / self.looks:.0f} W" if self.limit_w else ""
        memory = f", {self.peak_bytes / _GIB:.1f} of {self.memory_bytes / _GIB:.1f} GiB" if self.memory_bytes else ""
        return f"GPU busy {self.busy_share:.0%}{power}{memory}"


class GpuMeter:
    """Looks at this process's GPUs every second, in a thread that ends with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._use = GpuUse()
        if look := _open_nvml():
            threading.Thread(target=self._watch, args=(look,), daemon=True, name="gpu-meter").start()

    def taken(self) -> GpuUse | None:
        """Return what was seen since the last call; None if nothing was."""
        with self._lock:
            use, self._use = self._use, GpuUse()
        return use if use.looks else None

    def _watch(self, look: Callable[[], GpuUse | None]) -> None:
        pause = threading.Event()
        while (seen := look()) is not None:
            with self._lock:
                self._use += seen
            pause.wait(_EVERY_S)


def _open_nvml() -> Callable[[], GpuUse | None] | None:
    """Return a function that looks at the GPUs once, None if NVML has nothing to say here."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        cards = _visible(nvml)
    except nvml.NVMLError:
        return None

    def look() -> GpuUse | None:
        try:
            return sum((_look(nvml, card) for card in cards), GpuUse())
        except nvml.NVMLError:
            return None

    return look if cards else None


def _visible(nvml: Any) -> list[Any]:
    """Return NVML's handles of the GPUs that this process may use, by CUDA_VISIBLE_DEVICES."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    if told is None:
        return [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
    names = [name.strip() for name in told.split(",") if name.strip()]
    return [
        nvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdigit() else nvml.nvmlDeviceGetHandleByUUID(name)
        for name in names
        if name != "-1"
    ]


def _look(nvml: Any, card: Any) -> GpuUse:
    memory = nvml.nvmlDeviceGetMemoryInfo(card)
    busy = nvml.nvmlDeviceGetUtilizationRates(card).gpu / 100
    try:
        power, limit = nvml.nvmlDeviceGetPowerUsage(card), nvml.nvmlDeviceGetEnforcedPowerLimit(card)
    except nvml.NVMLError:  # some cards do not measure it
        power = limit = 0
    return GpuUse(1, busy, power / _MILLI, limit / _MILLI, int(memory.used), int(memory.total))
