"""Optional libraries: imported when they are needed, with the command that installs one where it is missing."""

import importlib
import importlib.metadata
from typing import Any

from manifests.errors import EngineUnavailable
from manifests.private_paths import public_text


def extra(name: str) -> str:
    """The command that installs an optional part of Parley, such as "voicebank"."""
    return f"pip install 'parley[{name}]'"


def library(module: str, needed_by: str, install: str) -> Any:
    """Import a module for `needed_by` (an engine, a report); `install` is the command that brings it (see `extra`).

    Raises EngineUnavailable where the module, or one that it imports, is missing or does not load.
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
    """Version of an installed distribution, without importing it. Raises EngineUnavailable where it is missing."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise EngineUnavailable(f"{needed_by} needs the package {distribution}: {install}") from error
