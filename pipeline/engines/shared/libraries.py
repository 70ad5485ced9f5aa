"""Libraries, versions and devices of the encoders, with a sentence where one is missing."""

import importlib
import importlib.metadata
from typing import Any

from manifests.errors import EngineUnavailable

_EXTRA = 'pip install "parley[voicebank]"'

# Since this release `torch.load` reads weights only, unless told otherwise: the encoders' libraries do not say which.
_SAFE_TORCH = (2, 6)


def library(module: str, engine: str, install: str = _EXTRA) -> Any:
    """The imported module. Raises EngineUnavailable where it, or something it needs, is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = error.name or module
        raise EngineUnavailable(f"{engine!r} needs the package {missing}: {install}") from error


def library_version(distribution: str, engine: str, install: str = _EXTRA) -> str:
    """Version of an installed distribution, without importing it. Raises EngineUnavailable where it is missing."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise EngineUnavailable(f"{engine!r} needs the package {distribution}: {install}") from error


def torch_on(device: str, engine: str) -> tuple[Any, str]:
    """PyTorch and the device that `device` means ("auto": a GPU where there is one).

    Sets PyTorch's threads to 1 for the process: sums over several would differ from one machine to the next, and Ray
    and the local runner give a worker different numbers of them. Raises EngineUnavailable for a device that is not
    there, and for a PyTorch that would run code found in a file of weights.
    """
    torch = library("torch", engine)
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _SAFE_TORCH:
        raise EngineUnavailable(f"{engine!r} needs PyTorch 2.6 or newer, which loads weights without running code")
    torch.set_num_threads(1)
    if device == "auto":
        return torch, "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # a PyTorch built without CUDA asserts
        raise EngineUnavailable(f"{engine!r} cannot run on {device!r}: {str(error).splitlines()[0]}") from error
    return torch, device
