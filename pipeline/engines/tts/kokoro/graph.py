"""Loads Kokoro's graph and runs it. Exports differ in the names of their inputs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from manifests.errors import EngineUnavailable
from manifests.libraries import library
from pipeline.engines.contract import Samples
from pipeline.engines.shared.onnx import OnnxSession
from pipeline.engines.tts.kokoro import INSTALL, NAME, KokoroModel
from pipeline.engines.tts.kokoro.float_graph import to_float32

SAMPLE_RATE = 24_000

FRAME_SAMPLES = 600
"""Samples of a frame, in which the graph predicts how long its tokens last: 25 ms."""

LEAD_SAMPLES = FRAME_SAMPLES
"""How much earlier than the frames say a phoneme is heard: measured (docs/word-times.md)."""

_TOKEN_NAMES = ("input_ids", "tokens")
_FLOAT = "tensor(float)"
_FLOAT_ELEMENTS = 1
"""onnx.TensorProto.FLOAT."""


@dataclass(frozen=True, slots=True, eq=False)
class SpokenTokens:
    """Holds samples, float32 [T] at `SAMPLE_RATE`, and where each token lies in them: the first sample of each, and
    past the last one, [tokens + 1]; None if the graph does not tell."""

    samples: Samples
    borders: list[int] | None


class KokoroGraph:
    """A loaded graph: tokens and a style in, samples out. It has no randomness."""

    def __init__(self, file: Path, model: KokoroModel) -> None:
        """Load a graph. Raises EngineUnavailable for a file that is no such graph, and for a missing GPU."""
        if model.serving.device == "cuda" and model.dtype != "float32":
            raise EngineUnavailable("kokoro: a GPU cannot run the int8 graph; set `dtype: float32` as well")
        source = _graph(file, model.dtype == "float32")
        self._session = OnnxSession(source, file.name, NAME, INSTALL, model.serving.device)
        inputs = self._session.inputs
        self._tokens = next((name for name in _TOKEN_NAMES if name in inputs), "")
        if set(inputs) != {self._tokens, "style", "speed"}:
            raise EngineUnavailable(f"kokoro: {file.name} takes {', '.join(inputs)}, not tokens, style and speed")
        if self._session.input_types["speed"] != _FLOAT:
            raise EngineUnavailable(f"kokoro: the speed of {file.name} is a whole number; take an export with a float")

    def speak(self, tokens: list[int], style: Samples, speed: float) -> SpokenTokens:
        """Speak the tokens, which are those of the text, without the silence around it; `style` is float32 [256].
        Raises EngineDied."""
        feeds = {
            self._tokens: np.array([[0, *tokens, 0]], np.int64),
            "style": style[None, :],
            "speed": np.array([speed], np.float32),
        }
        audio, *durations = self._session.run(None, feeds)
        samples = np.ascontiguousarray(audio, np.float32).reshape(-1)
        return SpokenTokens(samples, _borders(durations[-1], len(samples), len(tokens)) if durations else None)


def _borders(durations: Any, num_samples: int, num_tokens: int) -> list[int] | None:
    """Return the borders of the text's tokens from the frames of all, [1, tokens + 2]; None if they do not fit."""
    ends = np.cumsum(np.asarray(durations, np.int64).reshape(-1)) * FRAME_SAMPLES
    if len(ends) != num_tokens + 2 or ends[-1] != num_samples:
        return None
    return [int(end) for end in ends[:-1]]


def _graph(file: Path, is_float: bool) -> bytes:
    """Return the graph, with the durations of its tokens as a second output where it has them."""
    onnx = library("onnx", NAME, INSTALL)
    try:
        model = onnx.load(str(file))
    except Exception as error:  # protobuf raises an error of its own, which onnx does not name
        raise EngineUnavailable(f"kokoro cannot load {file.name}: it is not an ONNX graph") from error
    if is_float:
        model = to_float32(model, onnx)
    if (durations := _durations(model.graph)) is not None:
        model.graph.output.append(onnx.helper.make_tensor_value_info(durations, onnx.TensorProto.FLOAT, None))
    serialized: bytes = model.SerializeToString()
    return serialized


def _durations(graph: Any) -> str | None:
    """Find the value with the tokens' durations: they are divided by the speed, rounded, and at least one frame."""
    inputs = {each.name: each.type.tensor_type.elem_type for each in graph.input}
    if inputs.get("speed") != _FLOAT_ELEMENTS:
        return None  # an export that is refused
    value = "speed"
    for kind in ("Div", "Round", "Clip"):
        node = next((node for node in graph.node if node.op_type == kind and value in node.input), None)
        if node is None:
            return None
        value = str(node.output[0])
    return value
