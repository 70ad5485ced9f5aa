"""PyTorch and the device that an engine runs on."""

from typing import Any

from manifests.errors import EngineUnavailable
from manifests.libraries import safe_torch


def torch_on(device: str, engine: str, install: str) -> tuple[Any, str]:
    """Import PyTorch for an engine that computes on one thread; returns it with the device (see `find_device`).

    Sets PyTorch's threads to 1 for the process: sums over several would differ from one machine to the next, and Ray
    and the local runner give a worker different numbers of them. Raises EngineUnavailable for a device that is not
    there, and for a PyTorch that would run code found in a file of weights.
    """
    torch = safe_torch(engine, install)
    torch.set_num_threads(1)
    return torch, find_device(torch, device, engine)


def find_device(torch: Any, device: str, engine: str) -> str:
    """Return the device that a recipe names; for "auto" the GPU, or the CPU where there is none.

    Raises EngineUnavailable for a device that is not there: some libraries would silently take the CPU instead.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # a PyTorch built without CUDA asserts
        raise EngineUnavailable(f"{engine} cannot run on {device!r}: {str(error).splitlines()[0]}") from error
    if device.startswith("cuda"):
        # cuDNN's attention builds a plan for each new shape, and clips have many: a unit of clips took 20 s for the
        # first time, and 8 s after.
        torch.backends.cuda.enable_cudnn_sdp(False)
    return device
