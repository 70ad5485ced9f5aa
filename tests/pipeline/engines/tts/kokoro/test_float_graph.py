"""Rewriting a quantized graph: the same numbers as the graph that was quantized, and no whole numbers left."""

from pathlib import Path

import numpy as np
import pytest

from manifests.errors import EngineUnavailable
from pipeline.engines.tts.kokoro.float_graph import to_float32

onnx = pytest.importorskip("onnx", reason="needs the extra 'kokoro'")
runtime = pytest.importorskip("onnxruntime", reason="needs the extra 'kokoro'")
quantization = pytest.importorskip("onnxruntime.quantization", reason="needs the extra 'kokoro'")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

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
    made_error, stored_error = np.abs(made - meant), np.abs(stored - meant)
    assert made_error.max() < 0.06, "the weights' own rounding is left"
    assert made_error.max() < stored_error.max() and made_error.mean() < stored_error.mean(), "less is rounded"


def test_a_bias_that_was_rounded_to_whole_steps_is_not() -> None:
    """Some quantizers add the bias before scaling, in whole steps of the input's and the weight's scale."""
    stored = {
        "w": np.full((1, 1, 1), 3, np.int8),
        "zero": np.array(1, np.int8),
        "w_scale": np.array(0.5, np.float32),
        "bias": np.array([0.7], np.float32),
        "shape": np.array([1, -1, 1], np.int64),
    }
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "x_scale", "x_zero"]),
        helper.make_node("Mul", ["x_scale", "w_scale"], ["scale"]),
        helper.make_node("ConvInteger", ["q", "w", "x_zero", "zero"], ["whole"]),
        helper.make_node("Div", ["bias", "scale"], ["steps"]),
        helper.make_node("Floor", ["steps"], ["floor"]),
        helper.make_node("Cast", ["floor"], ["steps32"], to=TensorProto.INT32),
        helper.make_node("Reshape", ["steps32", "shape"], ["column"]),
        helper.make_node("Add", ["whole", "column"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["real", "scale"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "biased",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 3])],
        [numpy_helper.from_array(value, name) for name, value in stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    x = np.array([[[-1.0, 0.25, 2.0]]], np.float32)
    assert np.allclose(run(to_float32(model, onnx), x), x * (3 - 1) * 0.5 + 0.7, atol=1e-6)


def test_a_float_graph_stays_as_it_is() -> None:
    x = np.ones((1, CHANNELS, TIMES), np.float32)
    assert np.array_equal(run(to_float32(layers(), onnx), x), run(layers(), x))


def test_a_weight_that_is_computed_is_refused(quantized: tuple[object, Path]) -> None:
    model = onnx.load(str(quantized[1]))
    node = next(node for node in model.graph.node if node.op_type == "MatMulInteger")
    node.input[1] = node.input[0]
    with pytest.raises(EngineUnavailable, match="computes"):
        to_float32(model, onnx)
