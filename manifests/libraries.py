"""Imports optional libraries when they are needed; the error for a missing one gives the command to install it."""

import importlib
import importlib.metadata
from typing import Any

from manifests.errors import EngineUnavailable
from manifests.private_paths import public_text

_SAFE_TORCH = (2, 6)


def extra(name: str) -> str:
    """Return the command that installs an optional part of Parley, such as "voicebank"."""
    return f"pip install 'parley[{name}]'"


def library(module: str, needed_by: str, install: str) -> Any:
    """Import a module for `needed_by` (an engine, a report); `install` is the command that installs it (see `extra`).

    Raises EngineUnavailable if the module, or one that it imports, is missing or does not load.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        raise EngineUnavailable(f"{needed_by} needs the package {missing}: {install}") from error
    except ImportError as error:
        why = public_text(str(error))
        raise EngineUnavailable(f"{needed_by}: the package {module} does not load ({why}): {install}") from error


def library_version(distribution: str, needed_by: str, install: str) -> str:
    """Return the version of an installed distribution without importing it; raises EngineUnavailable without it."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise EngineUnavailable(f"{needed_by} needs the package {distribution}: {install}") from error


def safe_torch(needed_by: str, install: str) -> Any:
    """Import PyTorch. Raises EngineUnavailable for a release that runs code which it finds in a file of weights.

    Since 2.6 `torch.load` reads weights only, unless told otherwise, and libraries that load weights rely on it;
    before, even `weights_only=True` could be got around.
    """
    torch = library("torch", needed_by, install)
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _SAFE_TORCH:
        raise EngineUnavailable(f"{needed_by} needs PyTorch 2.6 or newer, which loads weights without running code")
    return torch
