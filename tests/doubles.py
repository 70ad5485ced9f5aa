"""Engines of tests in the place of real ones: found by name in this process, as plug-ins are."""

import importlib
from dataclasses import replace
from typing import Any

import pytest

from pipeline.engines.contract import Engine
from pipeline.engines.registry import ENGINES, find_engine


def double(kind: str, name: str, module: str, factory: str) -> Engine:
    """The declaration of an engine that a test's module holds, imported when it is opened."""

    def version(model: Any = None) -> str:
        found = importlib.import_module(module)
        return str(found.version() if model is None else found.version(model))

    return Engine(
        kind,
        name,
        "a test's",
        open=lambda *given: getattr(importlib.import_module(module), factory)(*given),
        version=version,
    )


def swap_engine(monkeypatch: pytest.MonkeyPatch, kind: str, name: str, **changes: Any) -> None:
    """Let this process find the engine with these changes to its declaration."""
    monkeypatch.setitem(ENGINES.added, (kind, name), replace(find_engine(kind, name), **changes))
