"""Repeats a step of all slots as one CUDA graph: its kernels are launched by one call, and not one by one from Python.

A graph holds for fixed shapes and fixed places in memory. So what a step is told is copied into one tensor that stays
where it is, and there is a graph for each length of the slots that steps look at; all are captured anew when the slots
have moved. A step that is run twice with the same input writes the same keys to the same places, so warming up changes
nothing.
"""

import logging
from collections.abc import Callable
from typing import Any

from manifests.private_paths import public_text
from pipeline.engines.tts.cosyvoice.batched.cache import Slots

_LONGEST_REASON = 300
_WARM_UPS = 2
"""Runs before a capture: libraries make plans and take memory in the first."""

_logger = logging.getLogger(__name__)

Capture = Callable[[Callable[[], None]], Callable[[], None]]
"""Takes what is to be repeated, which reads and writes tensors that stay; returns what repeats it."""


class RepeatedStep:
    """Calls `step(told, reach)`, which returns the chosen tokens, int64 [slots], for `told`, float64 [slots, width].

    With `capture`, each reach is captured when it first comes; where that fails, once, all steps go on without it.
    """

    def __init__(self, step: Callable[[Any, int], Any], slots: Slots, width: int, device: Any, capture: Any) -> None:
        import torch

        self.capture: Capture | None = capture
        self._step, self._slots, self._device = step, slots, device
        pinned = torch.device(device).type == "cuda"
        # Made outside of inference mode, in which they would be of no use outside of it.
        with torch.inference_mode(False):
            self._host = torch.zeros((slots.count, width), dtype=torch.float64, pin_memory=pinned)
            self._told = self._host.to(device, copy=True)
            self._chosen = torch.zeros(slots.count, dtype=torch.int64, device=device)
        self.rows = self._host.numpy()
        """What the next step is told, float64 [slots, width]: to be written before each."""
        self._capacity = 0
        self._repeats: dict[int, Callable[[], None]] = {}

    def __call__(self) -> list[int]:
        """Take a step; return the chosen token of each slot."""
        # Nothing changes `rows` before the copy has ended: reading the chosen tokens waits for it.
        self._told.copy_(self._host, non_blocking=True)
        reach = self._slots.reach
        if self._capacity != self._slots.capacity:
            self._repeats.clear()
            self._capacity = self._slots.capacity
        if self.capture is not None and reach not in self._repeats:
            try:
                self._repeats[reach] = self.capture(lambda: self._write(reach))
            except Exception as error:  # noqa: BLE001  drivers and libraries refuse in more ways than have a class
                self._go_on_without(error)
        if repeat := self._repeats.get(reach):
            repeat()
        else:
            self._write(reach)
        chosen: list[int] = self._chosen.tolist()
        return chosen

    def _write(self, reach: int) -> None:
        self._chosen.copy_(self._step(self._told, reach))

    def _go_on_without(self, error: Exception) -> None:
        """Take steps one kernel at a time from now on. What is broken for good will be said by the next step."""
        _logger.warning(
            "cosyvoice: steps of the language model go on without a CUDA graph, slower: %s",
            public_text(f"{type(error).__name__}: {error}", {}, _LONGEST_REASON),
        )
        self.capture = None
        self._repeats.clear()


def capture_on(device: Any) -> Capture | None:
    """Return what captures on a device, None where there are no graphs."""
    import torch

    return _cuda_graph if torch.device(device).type == "cuda" else None


def _cuda_graph(run: Callable[[], None]) -> Callable[[], None]:
    import torch

    cuda: Any = torch.cuda
    stream, graph = cuda.Stream(), cuda.CUDAGraph()
    stream.wait_stream(cuda.current_stream())
    with cuda.stream(stream):
        for _ in range(_WARM_UPS):
            run()
    cuda.current_stream().wait_stream(stream)
    # The worker's other threads may use the GPU meanwhile.
    with cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        run()
    repeat: Callable[[], None] = graph.replay
    return repeat
