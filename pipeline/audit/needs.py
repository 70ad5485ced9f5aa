"""Import the packages that only the audit needs, when they are needed."""

from typing import Any

from manifests.libraries import extra, library


def need(module: str) -> Any:
    """Import the module. Raises EngineUnavailable, saying what to install, if its package is missing."""
    return library(module, "the audit", extra("audit"))
