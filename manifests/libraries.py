"""Imports optional libraries when they are needed; the error for a missing one gives the command to install it."""

import importlib
import importlib.metadata
from typing import Any

from manifests.errors import EngineUnavailable
from manifests.private_paths import public_text


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
