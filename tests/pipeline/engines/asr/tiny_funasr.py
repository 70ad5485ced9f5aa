"""Model directories as funasr reads them, with random weights: the tests make them, nothing is downloaded."""

from pathlib import Path
from typing import Any

import yaml

from pipeline.engines.shared.torchaudio_import import prepare_torchaudio

FRONTEND: dict[str, Any] = {
    "frontend": "WavFrontend",
    "frontend_conf": {"fs": 16000, "window": "hamming", "n_mels": 80, "lfr_m": 7, "lfr_n": 6},
}
SAN_M: dict[str, Any] = {
    "output_size": 64,
    "attention_heads": 2,
    "linear_units": 64,
    "num_blocks": 2,
    "input_layer": "pe",
    "pos_enc_class": "SinusoidalPositionEncoder",
    "normalize_before": True,
    "kernel_size": 11,
    "sanm_shfit": 0,
    "selfattention_layer_type": "sanm",
}
CHARACTERS = "今天气怎么样你好世界我们去看电影吧明后大家都来学校图书馆里请把窗户关上"

TAGS = ["<|zh|>", "<|en|>", "<|HAPPY|>", "<|Speech|>", "<|woitn|>"]
TAG_BIAS = 4.0
VOCABULARY = 120


def make_sense_voice(directory: Path) -> Path:
    """SenseVoiceSmall with the tags of its true vocabulary."""
    import sentencepiece

    directory.mkdir(parents=True, exist_ok=True)
    corpus = directory / "corpus.txt"
    corpus.write_text("\n".join(["turn the lamp off before you leave", CHARACTERS, *CHARACTERS] * 20), "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(directory / "tokens"),
        vocab_size=VOCABULARY,
        model_type="bpe",
        user_defined_symbols=TAGS,
        minloglevel=2,
    )
    (directory / "tokens.model").rename(directory / "bpe.model")
    config = {
        "model": "SenseVoiceSmall",
        "model_conf": {"length_normalized_loss": True, "sos": 1, "eos": 2, "ignore_id": -1},
        "encoder": "SenseVoiceEncoderSmall",
        "encoder_conf": {**SAN_M, "tp_blocks": 1},
        "tokenizer": "SentencepiecesTokenizer",
        "tokenizer_conf": {"bpemodel": str(directory / "bpe.model"), "unk_symbol": "<unk>", "split_with_space": True},
        "ctc_conf": {"dropout_rate": 0.0, "ctc_type": "builtin", "reduce": True, "ignore_nan_grad": True},
        **FRONTEND,
    }
    # The tags come after <unk>, <s> and </s>.
    likely = [TAG_BIAS if 3 <= number < 3 + len(TAGS) else 0.0 for number in range(VOCABULARY)]
    return _write(directory, config, "funasr.models.sense_voice.model", {"ctc.ctc_lo.bias": likely})


def make_paraformer(directory: Path, bias: float = 2.0) -> Path:
    """Paraformer; `bias` of the predictor says how many characters it finds in a second (none for -20)."""
    directory.mkdir(parents=True, exist_ok=True)
    tokens = ["<blank>", "<s>", "</s>", *CHARACTERS, "<unk>"]
    config = {
        "model": "Paraformer",
        "model_conf": {"ctc_weight": 0.0, "length_normalized_loss": True, "predictor_weight": 1.0, "lsm_weight": 0.1},
        "encoder": "SANMEncoder",
        "encoder_conf": SAN_M,
        "decoder": "ParaformerSANMDecoder",
        "decoder_conf": {
            "attention_heads": 2,
            "linear_units": 64,
            "num_blocks": 2,
            "att_layer_num": 2,
            "kernel_size": 11,
            "sanm_shfit": 0,
        },
        "predictor": "CifPredictorV2",
        "predictor_conf": {"idim": 64, "threshold": 1.0, "l_order": 1, "r_order": 1, "tail_threshold": 0.45},
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True, "token_list": tokens},
        **FRONTEND,
    }
    return _write(directory, config, "funasr.models.paraformer.model", {"predictor.cif_output.bias": bias})


def make_fun_asr(directory: Path) -> Path:
    """Fun-ASR-Nano: SenseVoice's encoder, an adaptor, a tiny Qwen3; no CTC decoder, so that batches are batches."""
    llm = str(_qwen(directory / "Qwen3"))
    config: dict[str, Any] = {
        "model": "FunASRNano",
        "model_conf": {"length_normalized_loss": True},
        "audio_encoder": "SenseVoiceEncoderSmall",
        "audio_encoder_conf": {**SAN_M, "tp_blocks": 1},
        "llm": "Qwen3",
        "llm_conf": {"hub": "hf", "llm_dtype": "fp32", "init_param_path": llm},
        "audio_adaptor": "Transformer",
        "audio_adaptor_conf": {"downsample_rate": 1, "use_low_frame_rate": True, "ffn_dim": 64, "n_layer": 1},
        "tokenizer": "HuggingfaceTokenizer",
        "tokenizer_conf": {"init_param_path": llm},
        "dataset_conf": {"do_think": False},
        "max_length": 12,
        **FRONTEND,
    }
    config["audio_adaptor_conf"] |= {"llm_dim": 64, "encoder_dim": 64}
    return _write(directory, config, "funasr.models.fun_asr_nano.model")


def _qwen(directory: Path) -> Path:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    prepare_torchaudio()
    from transformers import PreTrainedTokenizerFast, Qwen3Config

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([CHARACTERS, "turn the lamp off before you leave"] * 20, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.save_pretrained(directory)
    Qwen3Config(
        vocab_size=448,
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        eos_token_id=2,
        pad_token_id=0,
    ).save_pretrained(directory)
    return directory


def _write(directory: Path, config: dict[str, Any], module: str, values: dict[str, Any] | None = None) -> Path:
    import importlib

    import torch

    prepare_torchaudio()
    from funasr import AutoModel

    importlib.import_module(module)
    # Reading the built configuration changes it, so it gets a copy.
    model, _ = AutoModel.build_model(**yaml.safe_load(yaml.safe_dump(config)), device="cpu", ncpu=1)
    torch.manual_seed(1)
    state = {
        name: torch.randn_like(value) * 0.3 if value.dim() > 1 else value for name, value in model.state_dict().items()
    }
    for name, value in (values or {}).items():
        state[name] = torch.as_tensor(value).expand_as(state[name]).clone()
    torch.save(state, directory / "model.pt")
    (directory / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    return directory
