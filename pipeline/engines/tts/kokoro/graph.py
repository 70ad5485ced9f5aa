"""Loads Kokoro's graph and runs it. Exports differ in the names of their inputs."""

from pathlib import Path

import numpy as np

from manifests.errors import EngineUnavailable
from manifests.libraries import library
from pipeline.engines.contract import Samples
from pipeline.engines.shared.onnx import OnnxSession
from pipeline.engines.tts.kokoro import INSTALL, NAME, KokoroModel
from pipeline.engines.tts.kokoro.float_graph import to_float32

SAMPLE_RATE = 24_000

_TOKEN_NAMES = ("input_ids", "tokens")
_FLOAT = "tensor(float)"


class KokoroGraph:
    """A loaded graph: tokens and a style in, samples out. It has no randomness."""

    def __init__(self, file: Path, model: KokoroModel) -> None:
        """Load a graph. Raises EngineUnavailable for a file that is no such graph, and for a missing GPU."""
        if model.serving.device == "cuda" and model.dtype != "float32":
            raise EngineUnavailable("kokoro: a GPU cannot run the int8 graph; set `dtype: float32` as well")
        source: Path | bytes = _float_graph(file) if model.dtype == "float32" else file
        self._session = OnnxSession(source, file.name, NAME, INSTALL, model.serving.device)
        inputs = self._session.inputs
        self._tokens = next((name for name in _TOKEN_NAMES if name in inputs), "")
        if set(inputs) != {self._tokens, "style", "speed"}:
            raise EngineUnavailable(f"kokoro: {file.name} takes {', '.join(inputs)}, not tokens, style and speed")
        if self._session.input_types["speed"] != _FLOAT:
            raise EngineUnavailable(f"kokoro: the speed of {file.name} is a whole number; take an export with a float")

    def speak(self, tokens: list[int], style: Samples, speed: float) -> Samples:
        """Return samples [T] at `SAMPLE_RATE`. The tokens are those of the text, without the silence around it;
        `style` is float32 [256]. Raises EngineDied."""
        feeds = {
            self._tokens: np.array([[0, *tokens, 0]], np.int64),
            "style": style[None, :],
            "speed": np.array([speed], np.float32),
        }
        return np.ascontiguousarray(self._session.run(None, feeds)[0], np.float32).reshape(-1)


def _float_graph(file: Path) -> bytes:
    onnx = library("onnx", NAME, INSTALL)
    try:
        model = onnx.load(str(file))
    except Exception as error:  # protobuf raises an error of its own, which onnx does not name
        raise EngineUnavailable(f"kokoro: {file.name} is not an ONNX graph") from error
    serialized: bytes = to_float32(model, onnx).SerializeToString()
    return serialized
