"""Rewriting a quantized graph: the same numbers as the graph that was quantized, and no whole numbers left."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra 'kokoro'")
runtime = pytest.importorskip("onnxruntime", reason="needs the extra 'kokoro'")
quantization = pytest.importorskip("onnxruntime.quantization", reason="needs the extra 'kokoro'")

from onnx import TensorProto, helper, numpy_helper

from manifests.errors import EngineUnavailable
from pipeline.engines.tts.kokoro.float_graph import to_float32

CHANNELS, HIDDEN, TIMES = 6, 5, 40
INTEGER = {"ConvInteger", "MatMulInteger", "DynamicQuantizeLSTM", "DynamicQuantizeLinear"}


def layers(directions: int = 2) -> object:
    """A convolution with a bias, a matrix product and an LSTM, with random weights: float32 in, float32 out."""
    draw = np.random.default_rng(3)

    def weight(name: str, *shape: int) -> object:
        return numpy_helper.from_array(draw.normal(size=shape).astype(np.float32) / 2, name)

    nodes = [
        helper.make_node("Conv", ["x", "conv_w", "conv_b"], ["conv"], pads=[1, 1], name="conv"),
        helper.make_node("Transpose", ["conv"], ["rows"], perm=[2, 0, 1]),
        helper.make_node("MatMul", ["rows", "matrix"], ["product"], name="product"),
        helper.make_node(
            "LSTM", ["product", "w", "r", "b"], ["y"], hidden_size=HIDDEN, direction="bidirectional", name="lstm"
        ),
    ]
    stored = [
        weight("conv_w", CHANNELS, CHANNELS, 3),
        weight("conv_b", CHANNELS),
        weight("matrix", CHANNELS, CHANNELS),
        weight("w", directions, 4 * HIDDEN, CHANNELS),
        weight("r", directions, 4 * HIDDEN, HIDDEN),
        weight("b", directions, 8 * HIDDEN),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, CHANNELS, TIMES])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [TIMES, directions, 1, HIDDEN])]
    graph = helper.make_graph(nodes, "layers", inputs, outputs, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: object, x: np.ndarray) -> np.ndarray:
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.fixture(scope="module")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, Path]:
    folder = tmp_path_factory.mktemp("graphs")
    model = layers()
    onnx.save(model, str(folder / "float.onnx"))
    quantization.quantize_dynamic(folder / "float.onnx", folder / "int8.onnx", per_channel=False)
    return model, folder / "int8.onnx"


def test_the_rewritten_graph_is_the_one_that_was_quantized(quantized: tuple[object, Path]) -> None:
    original, file = quantized
    assert {node.op_type for node in onnx.load(str(file)).graph.node} >= INTEGER
    rewritten = to_float32(onnx.load(str(file)), onnx)
    assert not {node.op_type for node in rewritten.graph.node} & INTEGER
    x = np.random.default_rng(4).normal(size=(1, CHANNELS, TIMES)).astype(np.float32)
    meant, stored, made = run(original, x), run(onnx.load(str(file)), x), run(rewritten, x)
    error = np.abs(made - meant).max()
    assert error < 0.03
    assert error < np.abs(stored - meant).max(), "less is rounded"


def test_a_float_graph_stays_as_it_is() -> None:
    x = np.ones((1, CHANNELS, TIMES), np.float32)
    assert np.array_equal(run(to_float32(layers(), onnx), x), run(layers(), x))


def test_a_weight_that_is_computed_is_refused(quantized: tuple[object, Path]) -> None:
    model = onnx.load(str(quantized[1]))
    node = next(node for node in model.graph.node if node.op_type == "MatMulInteger")
    node.input[1] = node.input[0]
    with pytest.raises(EngineUnavailable, match="computes"):
        to_float32(model, onnx)
