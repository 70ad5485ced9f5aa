"""Tiny checkpoints, made once for all tests of the recognizers, and clips for them."""

from pathlib import Path

import pytest
import tiny_funasr
import tiny_whisper


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoints by backend."""
    root = tmp_path_factory.mktemp("whisper")
    made = tiny_whisper.make_whisper(root / "transformers")
    return {"transformers": made, "ctranslate2": tiny_whisper.convert_to_ctranslate2(made, root / "ctranslate2")}


@pytest.fixture(scope="session")
def english_whisper(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("whisper-en")
    made = tiny_whisper.make_whisper(root / "transformers", multilingual=False)
    return {"transformers": made, "ctranslate2": tiny_whisper.convert_to_ctranslate2(made, root / "ctranslate2")}


@pytest.fixture(scope="session")
def sense_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_funasr.make_sense_voice(tmp_path_factory.mktemp("sense-voice"))


@pytest.fixture(scope="session")
def paraformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_funasr.make_paraformer(tmp_path_factory.mktemp("paraformer"))
