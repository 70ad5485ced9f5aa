"""Checkpoints of tokenizers in their true formats, tiny and with random weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SNAC = {
    "sampling_rate": 24_000,
    "encoder_dim": 4,
    "encoder_rates": [2, 4, 8, 8],
    "decoder_dim": 32,
    "decoder_rates": [8, 8, 4, 2],
    "attn_window_size": None,
    "codebook_size": 4096,
    "codebook_dim": 8,
    "vq_strides": [4, 2, 1],
}
SPEECHTOKENIZER = {
    "n_filters": 4,
    "dimension": 16,
    "semantic_dimension": 12,
    "strides": [8, 5, 4, 2],
    "lstm_layers": 1,
    "bidirectional": True,
    "dilation_base": 2,
    "residual_kernel_size": 3,
    "n_residual_layers": 1,
    "activation": "ELU",
    "sample_rate": 16_000,
    "n_q": 8,
    "codebook_size": 64,
}
GLM4_VOICE = {
    "model_type": "whisper",
    "d_model": 16,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "encoder_layers": 4,
    "num_mel_bins": 128,
    "max_source_positions": 1500,
    "encoder_causal_convolution": True,
    "quantize_position": 2,
    "pooling_position": 2,
    "pooling_kernel_size": 4,
    "pooling_type": "avg",
    "quantize_vocab_size": 512,
    "quantize_causal_block_size": 200,
}


def mimi(directory: Path) -> None:
    import transformers

    config = transformers.MimiConfig(
        num_filters=4,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        intermediate_size=32,
        codebook_dim=16,
        codebook_size=256,
        vector_quantization_hidden_dimension=16,
        upsample_groups=32,
        num_quantizers=10,
    )
    transformers.MimiModel(config).save_pretrained(directory)


def encodec(directory: Path, **changes: Any) -> None:
    import transformers

    values = {"num_filters": 2, "hidden_size": 16, "codebook_dim": 16, "num_lstm_layers": 1, **changes}
    transformers.EncodecModel(transformers.EncodecConfig(**values)).save_pretrained(directory)


def hubert(
    directory: Path, clusters: int = 60, width: int = 24, do_normalize: bool = True, rate: int = 16_000
) -> None:
    """Twelve layers, and `centers.npz`."""
    import transformers

    config = transformers.HubertConfig(
        hidden_size=24,
        num_hidden_layers=12,
        num_attention_heads=2,
        intermediate_size=24,
        conv_dim=[8] * 7,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        initializer_range=0.5,  # else neighboring layers hardly differ
    )
    transformers.HubertModel(config).save_pretrained(directory)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=do_normalize, sampling_rate=rate).save_pretrained(directory)
    np.savez(directory / "centers.npz", np.random.default_rng(0).normal(size=(clusters, width)))


def glm4_voice(directory: Path, **changes: Any) -> None:
    from safetensors.torch import save_file

    from pipeline.engines.tokenizer._glm4_network import VqEncoder

    config = {**GLM4_VOICE, **changes}
    (directory / "config.json").write_text(json.dumps(config))
    weights = VqEncoder(config).state_dict()
    # As published, the file holds more than the network needs.
    save_file(
        {**weights, "embed_positions2.weight": weights["codebook.weight"][:4].clone()}, directory / "model.safetensors"
    )


def snac(directory: Path) -> None:
    import snac as package
    import torch

    (directory / "config.json").write_text(json.dumps(SNAC))
    torch.save(package.SNAC(**SNAC).state_dict(), directory / "pytorch_model.bin")


def speechtokenizer(directory: Path) -> None:
    import torch

    from pipeline.engines.tokenizer.speechtokenizer import without_trainer

    with without_trainer():
        import speechtokenizer as package

    (directory / "config.json").write_text(json.dumps(SPEECHTOKENIZER))
    torch.save(package.SpeechTokenizer(SPEECHTOKENIZER).state_dict(), directory / "SpeechTokenizer.pt")


def s3(file: Path, version: str) -> None:
    """A graph with the inputs, output and frames of S3: convolutions of stride 2, then digits of a code.

    Each code depends on less than 200 ms of the features.
    """
    import onnx
    from onnx import TensorProto, helper

    digits, levels = (4, 8) if version.startswith("v1") else (8, 3)
    strides = 1 if version == "v1" else 2
    random = np.random.default_rng(0)
    weights: dict[str, npt.NDArray[Any]] = {
        "first": random.normal(0, 0.05, (16, 128, 3)).astype(np.float32),
        "second": random.normal(0, 0.2, (16, 16, 3)).astype(np.float32),
        "down": random.normal(0, 1, (16, digits)).astype(np.float32),
        "half": np.array(0.5, np.float32),
        "top": np.array(levels - 1, np.float32),
        "powers": (levels ** np.arange(digits)).astype(np.float32)[:, None],
    }
    nodes, last = [], "feats"
    for name in ("first", "second")[:strides]:
        nodes.append(helper.make_node("Conv", [last, name], [f"{name}_out"], strides=[2], pads=[1, 1]))
        nodes.append(helper.make_node("Tanh", [f"{name}_out"], [f"{name}_tanh"]))
        last = f"{name}_tanh"
    nodes += [
        helper.make_node("Transpose", [last], ["rows"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["rows", "down"], ["digits"]),
        helper.make_node("Sigmoid", ["digits"], ["share"]),
        helper.make_node("Mul", ["share", "top"], ["level"]),
        helper.make_node("Round", ["level"], ["rounded"]),
        helper.make_node("MatMul", ["rounded", "powers"], ["code"]),
        helper.make_node("Cast", ["code"], ["wide"], to=TensorProto.INT32),
        helper.make_node("Squeeze", ["wide", "last_axis"], ["indices"]),
        helper.make_node("Identity", ["feats_length"], ["length_out"]),
    ]
    initializers = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
    initializers.append(onnx.numpy_helper.from_array(np.array([2]), "last_axis"))
    graph = helper.make_graph(
        nodes,
        "s3",
        [
            helper.make_tensor_value_info("feats", TensorProto.FLOAT, [1, 128, "T"]),
            helper.make_tensor_value_info("feats_length", TensorProto.INT32, [1]),
        ],
        [
            helper.make_tensor_value_info("indices", TensorProto.INT32, [1, "codes"]),
            helper.make_tensor_value_info("length_out", TensorProto.INT32, [1]),
        ],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(file))
