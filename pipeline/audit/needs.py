"""The packages that only the audit needs, imported when they are."""

import importlib
from typing import Any

from manifests.errors import EngineUnavailable

EXTRA = "parley[audit]"


def need(module: str) -> Any:
    """The module; EngineUnavailable, with what to install, where its package is missing."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise EngineUnavailable(f"the audit needs the package {error.name}: pip install '{EXTRA}'") from error
