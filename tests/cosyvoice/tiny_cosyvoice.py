"""CosyVoice model directories of a few megabytes, in the layout of the real ones, with random weights.

What they say is noise, but every step is upstream's own code: text front end, tokenizers, language model, flow,
vocoder, and the two ONNX graphs that read a prompt. Sizes that upstream's code fixes are kept (192-wide speaker
embeddings, 80 mel bands, 512 channels of the second version's encoder, token 151646 of the third's). The third also
keeps its number of speech tokens: any of 200 more ends the speech, so that with few it would hardly begin.
"""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

SAMPLE_RATES = MappingProxyType({1: 22_050, 2: 24_000, 3: 24_000})
YAML_NAMES = MappingProxyType({1: "cosyvoice.yaml", 2: "cosyvoice2.yaml", 3: "cosyvoice3.yaml"})
NAMED_SPEAKER = "sample speaker"

_BASE_VOCABULARY = 151_643
_HIDDEN = 32
QWEN_SIZES = MappingProxyType(
    {
        "hidden_size": _HIDDEN,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    }
)

_CONFORMER = """!new:cosyvoice.transformer.encoder.ConformerEncoder
        input_size: 32
        output_size: 32
        attention_heads: 2
        linear_units: 32
        num_blocks: 1
        input_layer: linear
        pos_enc_layer_type: rel_pos_espnet
        selfattention_layer_type: rel_selfattn
        use_cnn_module: False
        macaron_style: False
"""
_CFM = """
        in_channels: 240
        n_spks: 1
        spk_emb_dim: 80
        cfm_params: !new:omegaconf.DictConfig
            content: {sigma_min: 1e-06, solver: euler, t_scheduler: cosine, training_cfg_rate: 0.2,
                      inference_cfg_rate: 0.7, reg_loss_type: l1}
"""
_SAMPLING = """!name:cosyvoice.utils.common.ras_sampling
        top_p: 0.8
        top_k: 25
        win_size: 10
        tau_r: 0.1
"""
_VOCODER = """
    in_channels: 80
    base_channels: 32
    nb_harmonics: 8
    istft_params: {n_fft: 16, hop_len: 4}
    resblock_kernel_sizes: [3]
    resblock_dilation_sizes: [[1, 3, 5]]
"""
_V1 = f"""
sample_rate: 22050
llm: !new:cosyvoice.llm.llm.TransformerLM
    text_encoder_input_size: 32
    llm_input_size: 32
    llm_output_size: 32
    text_token_size: 51866
    speech_token_size: 64
    spk_embed_dim: 192
    text_encoder: {_CONFORMER}
        static_chunk_size: 1
    llm: !new:cosyvoice.transformer.encoder.TransformerEncoder
        input_size: 32
        output_size: 32
        attention_heads: 2
        linear_units: 32
        num_blocks: 1
        input_layer: linear_legacy
        pos_enc_layer_type: rel_pos_espnet
        selfattention_layer_type: rel_selfattn
        static_chunk_size: 1
    sampling: {_SAMPLING}
flow: !new:cosyvoice.flow.flow.MaskedDiffWithXvec
    input_size: 32
    output_size: 80
    spk_embed_dim: 192
    vocab_size: 64
    input_frame_rate: 50
    encoder: {_CONFORMER}
    length_regulator: !new:cosyvoice.flow.length_regulator.InterpolateRegulator
        channels: 80
        sampling_ratios: [1, 1]
    decoder: !new:cosyvoice.flow.flow_matching.ConditionalCFM {_CFM}
        estimator: !new:cosyvoice.flow.decoder.ConditionalDecoder
            in_channels: 320
            out_channels: 80
            channels: [32, 32]
            attention_head_dim: 8
            n_blocks: 1
            num_mid_blocks: 1
            num_heads: 2
            act_fn: gelu
hift: !new:cosyvoice.hifigan.generator.HiFTGenerator {_VOCODER}
    sampling_rate: 22050
    upsample_rates: [8, 8]
    upsample_kernel_sizes: [16, 16]
    source_resblock_kernel_sizes: [7, 11]
    source_resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5]]
    f0_predictor: !new:cosyvoice.hifigan.f0_predictor.ConvRNNF0Predictor
        num_class: 1
        in_channels: 80
        cond_channels: 32
get_tokenizer: !name:whisper.tokenizer.get_tokenizer
    multilingual: True
    num_languages: 100
    language: en
    task: transcribe
allowed_special: all
feat_extractor: !name:matcha.utils.audio.mel_spectrogram
    {{n_fft: 1024, num_mels: 80, sampling_rate: 22050, hop_size: 256, win_size: 1024,
     fmin: 0, fmax: 8000, center: False}}
"""
_LATER_TOP = """
sample_rate: 24000
qwen_pretrain_path: ''
"""
_LATER_LANGUAGE_MODEL = f"""
    llm_input_size: {_HIDDEN}
    llm_output_size: {_HIDDEN}
    speech_token_size: 64
    llm: !new:cosyvoice.llm.llm.Qwen2Encoder
        pretrain_path: !ref <qwen_pretrain_path>
    sampling: {_SAMPLING}
"""
_LATER_VOCODER = """
    sampling_rate: 24000
    upsample_rates: [8, 5, 3]
    upsample_kernel_sizes: [16, 11, 7]
    source_resblock_kernel_sizes: [7, 7, 11]
    source_resblock_dilation_sizes: [[1, 3, 5], [1, 3, 5], [1, 3, 5]]
"""
_LATER_FEATURES = """
allowed_special: all
feat_extractor: !name:matcha.utils.audio.mel_spectrogram
    {n_fft: 1920, num_mels: 80, sampling_rate: 24000, hop_size: 480, win_size: 1920,
     fmin: 0, fmax: 8000, center: False}
get_tokenizer: !name:cosyvoice.tokenizer.tokenizer.get_qwen_tokenizer
    token_path: !ref <qwen_pretrain_path>
    skip_special_tokens: True
"""
_V2 = f"""{_LATER_TOP}
llm: !new:cosyvoice.llm.llm.Qwen2LM {_LATER_LANGUAGE_MODEL.replace(": 64", ": 256")}
flow: !new:cosyvoice.flow.flow.CausalMaskedDiffWithXvec
    input_size: 512
    output_size: 80
    spk_embed_dim: 192
    vocab_size: 256
    input_frame_rate: 25
    token_mel_ratio: 2
    pre_lookahead_len: 3
    encoder: !new:cosyvoice.transformer.upsample_encoder.UpsampleConformerEncoder
        input_size: 512
        output_size: 512
        attention_heads: 8
        linear_units: 32
        num_blocks: 1
        input_layer: linear
        pos_enc_layer_type: rel_pos_espnet
        selfattention_layer_type: rel_selfattn
        use_cnn_module: False
        macaron_style: False
        static_chunk_size: 25
    decoder: !new:cosyvoice.flow.flow_matching.CausalConditionalCFM {_CFM}
        estimator: !new:cosyvoice.flow.decoder.CausalConditionalDecoder
            in_channels: 320
            out_channels: 80
            channels: [32]
            attention_head_dim: 8
            n_blocks: 1
            num_mid_blocks: 1
            num_heads: 2
            act_fn: gelu
            static_chunk_size: 50
            num_decoding_left_chunks: -1
hift: !new:cosyvoice.hifigan.generator.HiFTGenerator {_VOCODER} {_LATER_VOCODER}
    f0_predictor: !new:cosyvoice.hifigan.f0_predictor.ConvRNNF0Predictor
        num_class: 1
        in_channels: 80
        cond_channels: 32
{_LATER_FEATURES}
"""
_V3 = f"""{_LATER_TOP}
llm: !new:cosyvoice.llm.llm.CosyVoice3LM {_LATER_LANGUAGE_MODEL.replace(": 64", ": 6561")}
flow: !new:cosyvoice.flow.flow.CausalMaskedDiffWithDiT
    input_size: 80
    output_size: 80
    spk_embed_dim: 192
    vocab_size: 6561
    input_frame_rate: 25
    token_mel_ratio: 2
    pre_lookahead_len: 3
    pre_lookahead_layer: !new:cosyvoice.transformer.upsample_encoder.PreLookaheadLayer
        in_channels: 80
        channels: 32
        pre_lookahead_len: 3
    decoder: !new:cosyvoice.flow.flow_matching.CausalConditionalCFM {_CFM}
        estimator: !new:cosyvoice.flow.DiT.dit.DiT
            dim: 32
            depth: 1
            heads: 2
            dim_head: 16
            ff_mult: 2
            mel_dim: 80
            mu_dim: 80
            spk_dim: 80
            out_channels: 80
            static_chunk_size: 50
            num_decoding_left_chunks: -1
hift: !new:cosyvoice.hifigan.generator.CausalHiFTGenerator {_VOCODER} {_LATER_VOCODER}
    conv_pre_look_right: 4
    f0_predictor: !new:cosyvoice.hifigan.f0_predictor.CausalConvRNNF0Predictor
        num_class: 1
        in_channels: 80
        cond_channels: 32
{_LATER_FEATURES}    version: cosyvoice3
"""
_YAMLS = {1: _V1, 2: _V2, 3: _V3}


def make_model(
    directory: Path,
    version: int,
    changes: Mapping[str, str] = MappingProxyType({}),
    language_model: Mapping[str, int] = QWEN_SIZES,
) -> Path:
    """Write a whole model directory of that version; needs upstream's code.

    `changes` are made in its yaml, text by text; `language_model` are the sizes of its Qwen2, by transformers' names.
    """
    yaml = _YAMLS[version]
    for tiny, other in changes.items():
        if tiny not in yaml:
            raise ValueError(f"there is no {tiny!r} to change")
        yaml = yaml.replace(tiny, other)
    import torch
    from hyperpyyaml import load_hyperpyyaml

    directory.mkdir(parents=True)
    overrides = {}
    if version > 1:
        blank = directory / "CosyVoice-BlankEN"
        write_language_model(blank, language_model)
        overrides = {"qwen_pretrain_path": str(blank)}
    (directory / YAML_NAMES[version]).write_text(yaml, encoding="utf-8")
    torch.manual_seed(version)
    with (directory / YAML_NAMES[version]).open(encoding="utf-8") as file:
        parts = load_hyperpyyaml(file, overrides=overrides)
    for part in ("llm", "flow", "hift"):
        torch.save(_livelier(parts[part].state_dict()), directory / f"{part}.pt")
    write_graphs(directory, version)
    speaker = torch.nn.functional.normalize(torch.randn(1, 192), dim=1)
    torch.save({NAMED_SPEAKER: {"embedding": speaker}}, directory / "spk2info.pt")
    return directory


def _livelier(state: dict[str, Any]) -> dict[str, Any]:
    """Float32, as real checkpoints are, and moved a little: layers that start at zero would hide those before them."""
    import torch

    noise = torch.Generator().manual_seed(0)
    return {
        name: value.float() + 0.05 * torch.randn(value.shape, generator=noise) if value.is_floating_point() else value
        for name, value in state.items()
    }


def write_language_model(directory: Path, sizes: Mapping[str, int] = QWEN_SIZES) -> None:
    """A Qwen2 of these sizes and its byte-level tokenizer, padded to the real vocabulary.

    The weights are declared as bfloat16, as those of the real directory are.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=151_936,
        **sizes,
        tie_word_embeddings=True,
    )
    Qwen2ForCausalLM(config).bfloat16().save_pretrained(directory)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(letters)}
    vocabulary |= {f"<unused {number}>": number for number in range(len(letters), _BASE_VOCABULARY)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>") for name in ("endoftext", "im_start", "im_end")])
    tokenizer.save(str(directory / "tokenizer.json"))
    (directory / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"}), encoding="utf-8"
    )


def write_graphs(directory: Path, version: int) -> None:
    """Stand-ins for the two graphs that read a prompt: the speaker encoder and the speech tokenizer."""
    onnx = importlib.import_module("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    weights = np.random.default_rng(7).normal(size=(80, 192)).astype(np.float32)
    encoder = helper.make_graph(
        [
            helper.make_node("Abs", ["input"], ["size"]),
            helper.make_node("ReduceMean", ["size"], ["mean"], axes=[1], keepdims=0),
            helper.make_node("MatMul", ["mean", "weights"], ["output"]),
        ],
        "campplus",
        [helper.make_tensor_value_info("input", kinds.FLOAT, [1, "frames", 80])],
        [helper.make_tensor_value_info("output", kinds.FLOAT, [1, 192])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    # Whisper's features come at 100 frames a second; tokens at 50 in the first version, at 25 later.
    constants = {"from": [0], "to": [2**31 - 1], "axis": [1], "step": [2 if version == 1 else 4], "tokens": [64]}
    tokenizer = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["feats"], ["mean"], axes=[1], keepdims=0),
            helper.make_node("Slice", ["mean", "from", "to", "axis", "step"], ["some"]),
            helper.make_node("Mul", ["some", "scale"], ["spread"]),
            helper.make_node("Cast", ["spread"], ["whole"], to=kinds.INT64),
            helper.make_node("Mod", ["whole", "tokens"], ["indices"]),
        ],
        "speech_tokenizer",
        [
            helper.make_tensor_value_info("feats", kinds.FLOAT, [1, 128, "frames"]),
            helper.make_tensor_value_info("feats_length", kinds.INT32, [1]),
        ],
        [helper.make_tensor_value_info("indices", kinds.INT64, [1, "tokens"])],
        [
            *(onnx.numpy_helper.from_array(np.array(v, np.int64), k) for k, v in constants.items()),
            onnx.numpy_helper.from_array(np.array([1000], np.float32), "scale"),
        ],
    )
    for name, graph in (("campplus", encoder), (f"speech_tokenizer_v{version}", tokenizer)):
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.save(made, str(directory / f"{name}.onnx"))
