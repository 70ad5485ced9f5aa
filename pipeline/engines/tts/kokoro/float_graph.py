"""Rewrites a graph that was quantized dynamically to int8, so that it computes in float32 with the same weights.

A dynamically quantized layer measures its input's range at each run, rounds the input to 8 bits, multiplies whole
numbers, and scales the product back. On CPUs with 8-bit dot products (AVX-512 VNNI) that is quicker than float32, on
others slower, and GPUs cannot do it at all. `docs/kokoro.md` has the figures. What is rewritten:

=====================  ============================================================================================
DynamicQuantizeLinear  gone: the input stays as it is, and its scale is 1
ConvInteger            Conv, with the weight less its zero point
MatMulInteger          MatMul, likewise; the scale of the weight is multiplied in where it was
bias of a convolution  was rounded to whole steps of both scales: the rounding goes
DynamicQuantizeLSTM    LSTM, with the weights dequantized and transposed
=====================  ============================================================================================
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import EngineUnavailable

Array = npt.NDArray[Any]

_INTEGER_KIN = {"ConvInteger": "Conv", "MatMulInteger": "MatMul"}
_ONE = "parley_one"


def to_float32(model: Any, onnx: Any) -> Any:
    """Return the model (an `onnx.ModelProto`, which is changed) with all int8 layers computed in float32.

    `onnx` is the library. Raises EngineUnavailable for a quantized layer whose weights the graph computes itself.
    """
    graph = model.graph
    rewriter = _Rewriter(graph, onnx)
    nodes = [made for node in graph.node if (made := rewriter.rewritten(node)) is not None]
    used = {name for node in nodes for name in (*node.input, *_inner_inputs(node))}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *rewriter.made.values()])
    return model


class _Rewriter:
    """Rewrites nodes in order. `made` holds the new constants by name."""

    def __init__(self, graph: Any, onnx: Any) -> None:
        self._onnx = onnx
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._renamed: dict[str, str] = {}
        self._rounded = _rounded_biases(graph)
        self.made: dict[str, Any] = {}
        self._constant(_ONE, np.array(1, np.float32))

    def rewritten(self, node: Any) -> Any | None:
        """Return the node that takes this one's place; None where its input takes it."""
        inputs = [self._renamed.get(name, name) for name in node.input]
        if node.op_type == "DynamicQuantizeLinear":
            self._renamed |= {node.output[0]: inputs[0], node.output[1]: _ONE}
            return None
        if node.output[0] in self._rounded:
            self._renamed[node.output[0]] = inputs[0]
            return None
        if node.op_type in _INTEGER_KIN:
            weight = self._weight(node)
            return self._node(_INTEGER_KIN[node.op_type], [inputs[0], weight], node)
        if node.op_type == "DynamicQuantizeLSTM":
            return self._node("LSTM", [inputs[0], *self._lstm_weights(node), *inputs[3:8]], node)
        kept = self._onnx.NodeProto()
        kept.CopyFrom(node)
        del kept.input[:]
        kept.input.extend(inputs)
        return kept

    def _weight(self, node: Any) -> str:
        """Make the float weight of an integer product: the stored one less its zero point."""
        name = f"{node.input[1]}_float"
        if name not in self.made:
            weight = self._array(node.input[1]).astype(np.float32)
            if len(node.input) > 3 and node.input[3]:
                zero = self._array(node.input[3]).astype(np.float32)
                channels = node.op_type == "ConvInteger" and zero.size > 1
                weight = weight - (zero.reshape(-1, *[1] * (weight.ndim - 1)) if channels else zero)
            self._constant(name, weight)
        return name

    def _lstm_weights(self, node: Any) -> list[str]:
        """Make W and R of an LSTM, [directions, 4 * hidden, inputs], from those stored transposed in int8."""
        names = []
        for weight, scale, zero in ((1, 8, 9), (2, 10, 11)):
            values = self._array(node.input[weight]).astype(np.float32)
            scales, zeros = (_per_direction(self._array(node.input[index])) for index in (scale, zero))
            name = f"{node.input[weight]}_float"
            self._constant(name, np.ascontiguousarray(((values - zeros) * scales).transpose(0, 2, 1)))
            names.append(name)
        return names

    def _node(self, kind: str, inputs: list[str], old: Any) -> Any:
        while not inputs[-1]:
            inputs.pop()
        node = self._onnx.helper.make_node(kind, inputs, list(old.output), name=old.name)
        node.attribute.extend(old.attribute)
        return node

    def _array(self, name: str) -> Array:
        if name not in self._constants:
            raise EngineUnavailable(f"kokoro: the graph computes {name}, so its layer cannot be rewritten to float32")
        array: Array = self._onnx.numpy_helper.to_array(self._constants[name])
        return array

    def _constant(self, name: str, value: Array) -> None:
        self.made[name] = self._onnx.numpy_helper.from_array(value, name)


def _per_direction(values: Array) -> Array:
    """Shape scales or zero points, one or 4 * H for each direction, to multiply [directions, inputs, 4 * H]."""
    values = values.astype(np.float32)
    return values[:, None, None] if values.ndim == 1 else values[:, None, :]


def _rounded_biases(graph: Any) -> set[str]:
    """Return the outputs of the nodes that round the biases which are added to integer convolutions."""
    producers: Mapping[str, Any] = {name: node for node in graph.node for name in node.output}
    convolved = {node.output[0] for node in graph.node if node.op_type == "ConvInteger"}
    rounded = set()
    for node in graph.node:
        if node.op_type == "Add" and node.input[0] in convolved:
            name = node.input[1]
            while name in producers and producers[name].op_type in ("Reshape", "Cast", "Floor"):
                if producers[name].op_type != "Reshape":
                    rounded.add(name)
                name = producers[name].input[0]
    return rounded


def _inner_inputs(node: Any) -> list[str]:
    """Return the names that the graphs inside a node (branches, loops) use."""
    return [name for attribute in node.attribute for inner in attribute.g.node for name in inner.input]
