"""Finds the model directory and reads its vocabulary."""

import json
from dataclasses import dataclass
from pathlib import Path

from manifests.errors import EngineUnavailable
from pipeline.engines.tts.kokoro import NAME, KokoroModel
from pipeline.weights.cache import locate

_FILES = ("model.onnx", "vocab.json")


@dataclass(frozen=True)
class ModelDirectory:
    """What a directory holds. `vocabulary` gives the token of each phoneme."""

    graph: Path
    voices: Path
    vocabulary: dict[str, int]


def read_directory(model: KokoroModel) -> ModelDirectory:
    """Find a model's directory: a local one, or one of the cache, with its files checked. Raises EngineUnavailable."""
    directory = Path(locate(model.model, NAME))
    lacking = [name for name in _FILES if not (directory / name).is_file()]
    if lacking or not (directory / "voices").is_dir():
        raise EngineUnavailable(
            f"kokoro: {directory.name} has no {', '.join(lacking) or 'voices'}: give a directory with model.onnx, "
            "vocab.json and voices/, or a name that `parley models list` shows"
        )
    return ModelDirectory(directory / "model.onnx", directory / "voices", _vocabulary(directory / "vocab.json"))


def _vocabulary(file: Path) -> dict[str, int]:
    """Read {phoneme: token}, alone or as `vocab` of a configuration."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        found = data.get("vocab", data)
        return {str(phoneme): int(token) for phoneme, token in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise EngineUnavailable(f"kokoro: {file.name} is not a table of phonemes and tokens: {error}") from error
