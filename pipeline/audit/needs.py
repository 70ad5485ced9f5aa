"""The packages that only the audit needs, imported when they are."""

from typing import Any

from manifests.libraries import extra, library


def need(module: str) -> Any:
    """The module; EngineUnavailable, with what to install, where its package is missing."""
    return library(module, "the audit", extra("audit"))
