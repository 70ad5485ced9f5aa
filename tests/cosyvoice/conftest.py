"""Upstream's own code on small random weights. Skipped where upstream is not importable.

Each version is loaded once. Two versions do not go together in one process (see docs/cosyvoice.md); here, what they
would spoil is cleared between them.
"""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_cosyvoice import make_model

from manifests.errors import EngineUnavailable
from pipeline.engines.tts import cosyvoice
from pipeline.engines.tts.cosyvoice import CosyVoiceModel, checkpoint
from pipeline.engines.tts.cosyvoice.synthesizer import CosyVoiceSynthesizer

Open = Callable[..., Any]


def _import_upstream() -> None:
    from pipeline.engines.tts.cosyvoice.patches import import_upstream

    import_upstream()


@pytest.fixture(scope="session")
def upstream_code() -> None:
    try:
        cosyvoice.version()
        _import_upstream()
    except (EngineUnavailable, ImportError) as error:
        pytest.skip(f"CosyVoice's code is not here (make test-cosyvoice COSYVOICE=DIR): {error}")


@pytest.fixture(scope="module", params=[1, 2, 3], ids=["v1", "v2", "v3"])
def version(request: pytest.FixtureRequest, upstream_code: None) -> Iterator[int]:
    audio = importlib.import_module("matcha.utils.audio")
    checkpoint._version_here = None
    audio.mel_basis.clear()
    audio.hann_window.clear()
    yield request.param


@pytest.fixture(scope="session")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    made: dict[int, Path] = {}

    def directory(version: int) -> Path:
        if version not in made:
            made[version] = make_model(tmp_path_factory.mktemp("cosyvoice") / f"tiny{version}", version)
        return made[version]

    return directory


@pytest.fixture(scope="module")
def open_engine(version: int, directories: Callable[[int], Path]) -> Open:
    def open_engine(**settings: Any) -> Any:
        told = {"decoder": "upstream", **settings}
        model = CosyVoiceModel(engine="cosyvoice", model=str(directories(version)), **told)
        return cosyvoice.open_synthesizer(model)

    return open_engine


@pytest.fixture(scope="module")
def engine(open_engine: Open) -> CosyVoiceSynthesizer:
    made: CosyVoiceSynthesizer = open_engine()
    return made
