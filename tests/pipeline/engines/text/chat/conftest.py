"""Fixtures of the chat engines' tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_doubles import FakeChat, make_store

from pipeline.engines.text._chat.generator import Asked, Guided, PromptedGenerator


@pytest.fixture
def open_generator(tmp_path: Path) -> Iterator[Callable[..., PromptedGenerator]]:
    store = make_store(tmp_path)
    opened: list[PromptedGenerator] = []

    def open_(model: FakeChat, guided: Guided = "on_failure", **asked: Any) -> PromptedGenerator:
        opened.append(PromptedGenerator(model, Asked(guided, **asked), store))
        return opened[-1]

    yield open_
    for generator in opened:
        generator.close()
