"""A model directory of Kokoro's form whose graph is a few lines of arithmetic: every token is a tone of its own.

A token lasts 600 samples at speed 1, so the length of a clip tells the number of tokens and the speed, and the first
number of the style scales the samples, so a clip tells its style.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PHONEMES = ';:,.!?—…"()“” AIOQSTWYabdefhijklmnopqrstuvwxyzæðŋɑɔəɛɜɡɪɹʃʊʌʒʤʧθᵊˈˌːʰʲɕʂʨꭧɻɤɥɨɯ↓→↗↘ʦɾʔᵻɒɐɚ'
VOCABULARY = {phoneme: number for number, phoneme in enumerate(PHONEMES, start=1)}
TOKEN_SAMPLES = 600
VOICES = ("af_heart", "af_bella", "am_adam", "bf_emma", "zf_xiaoyi", "zf_xiaoni", "zm_yunxi", "ef_dora")


def make_directory(directory: Path, tokens: str = "tokens", speed: int = TensorProto.FLOAT) -> Path:
    """Write model.onnx, vocab.json and a style for each of `VOICES`, all numbers of voice k being k + 1."""
    (directory / "voices").mkdir(parents=True)
    onnx.save(graph(tokens, speed), str(directory / "model.onnx"))
    (directory / "vocab.json").write_text(json.dumps({"vocab": VOCABULARY}, ensure_ascii=False), encoding="utf-8")
    for number, voice in enumerate(VOICES, start=1):
        style = np.full((510, 256), number, "<f4")
        style[:, 1] = np.arange(510)  # which row was taken
        style.tofile(directory / "voices" / f"{voice}.bin")
    return directory


def graph(tokens: str, speed: int) -> Any:
    """Samples [T]: style[0] / 10 * sin(token * t), for t of each token's samples."""
    constants = {
        "length": np.array([TOKEN_SAMPLES], np.float32),
        "zero": np.array(0, np.int64),
        "nought": np.array(0, np.float32),
        "one": np.array(1, np.int64),
        "last": np.array([1], np.int64),
        "column": np.array([0], np.int64),
        "flat": np.array([-1], np.int64),
        "tenth": np.array([0.1], np.float32),
        "step": np.array([0.002], np.float32),
    }
    constants["frames"] = np.array([TOKEN_SAMPLES / 600], np.float32)
    constants["least"] = np.array(1, np.float32)
    nodes = [
        helper.make_node("Cast", [tokens], ["float_tokens0"], to=TensorProto.FLOAT),
        # How long each token lasts, in frames, as the real graph computes it.
        helper.make_node("Mul", ["float_tokens0", "nought"], ["noughts"]),
        helper.make_node("Add", ["noughts", "frames"], ["expected"]),
        helper.make_node("Cast", ["speed"], ["rate"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["expected", "speed" if speed == TensorProto.FLOAT else "rate"], ["stretched"]),
        helper.make_node("Round", ["stretched"], ["rounded"]),
        helper.make_node("Clip", ["rounded", "least"], ["durations"]),
        helper.make_node("Div", ["length", "rate"], ["samples"]),
        helper.make_node("Cast", ["samples"], ["count1"], to=TensorProto.INT64),
        helper.make_node("Squeeze", ["count1"], ["count"]),
        helper.make_node("Range", ["zero", "count", "one"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["times"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["times", "step"], ["phase"]),
        helper.make_node("Cast", [tokens], ["float_tokens"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float_tokens"], ["tones"], perm=[1, 0]),
        helper.make_node("Mul", ["tones", "phase"], ["angles"]),
        helper.make_node("Sin", ["angles"], ["waves"]),
        helper.make_node("Gather", ["style", "column"], ["first"], axis=1),
        helper.make_node("Mul", ["first", "tenth"], ["gain"]),
        helper.make_node("Mul", ["waves", "gain"], ["loud"]),
        helper.make_node("Reshape", ["loud", "flat"], ["audio"]),
    ]
    inputs = [
        helper.make_tensor_value_info(tokens, TensorProto.INT64, [1, "n"]),
        helper.make_tensor_value_info("style", TensorProto.FLOAT, [1, 256]),
        helper.make_tensor_value_info("speed", speed, [1]),
    ]
    outputs = [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["t"])]
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "tiny", inputs, outputs, stored)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
