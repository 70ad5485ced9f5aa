"""Import the packages that only the audit needs, when they are needed."""

import importlib
from typing import Any

from manifests.errors import EngineUnavailable

EXTRA = "parley[audit]"


def need(module: str) -> Any:
    """Import the module. Raises EngineUnavailable, saying what to install, if its package is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise EngineUnavailable(f"the audit needs the package {error.name}: pip install '{EXTRA}'") from error
