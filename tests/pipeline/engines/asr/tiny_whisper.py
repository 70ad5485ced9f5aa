"""Whisper checkpoints in the true file format, with random weights: the tests make them, nothing is downloaded.

The ids are laid out as in large-v3 (multilingual, 51,866 tokens) or as in the English-only checkpoints (51,864): both
libraries tell the one from the other by that. The weights are large, so that what is "heard" depends on the audio, the
language and the text so far.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.engines.shared.torchaudio_import import prepare_torchaudio

LANGUAGES = 100
POSITIONS = 448
MEL_BANDS = 128
PULL = 200.0
"""How strongly later positions lean towards the end of the text: it comes after some fifty words, sooner or later."""


SIZES = MappingProxyType(
    {
        "d_model": 32,
        "encoder_layers": 1,
        "decoder_layers": 2,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
    }
)


def make_whisper(
    directory: Path,
    multilingual: bool = True,
    seed: int = 0,
    spread: float = 0.3,
    sizes: Mapping[str, int] = SIZES,
) -> Path:
    """Weights are drawn with the standard deviation `spread`; `sizes` are those of transformers' WhisperConfig."""
    prepare_torchaudio()
    from transformers import WhisperFeatureExtractor, WhisperProcessor

    tokenizer = _tokenizer(multilingual)
    model = _model(tokenizer, multilingual, seed, spread, sizes)
    model.save_pretrained(directory)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=MEL_BANDS), tokenizer).save_pretrained(directory)
    return directory


def convert_to_ctranslate2(checkpoint: Path, directory: Path) -> Path:
    prepare_torchaudio()
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(str(checkpoint), copy_files=["tokenizer.json"]).convert(str(directory))
    return directory


def _tokenizer(multilingual: bool) -> Any:
    """Byte-level BPE: 256 bytes, pieces of two letters, and names for the ids that no piece has."""
    prepare_torchaudio()
    from tokenizers import AddedToken, pre_tokenizers
    from transformers import WhisperTokenizer
    from transformers.models.whisper.tokenization_whisper import LANGUAGES as NAMES

    letters = "abcdefghijklmnopqrstuvwxyz"
    merges = [(first, second) for first in letters for second in letters]
    pieces = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(first + second for first, second in merges)]
    plain = 50_257 if multilingual else 50_256
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    # CTranslate2 takes a checkpoint for multilingual where the vocabulary has an empty piece, as OpenAI's do.
    vocabulary |= {_word(number): number for number in range(len(pieces), plain - multilingual)}
    vocabulary |= {"": plain - 1} if multilingual else {}
    languages = list(NAMES)[: LANGUAGES if multilingual else LANGUAGES - 1]
    special = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in languages)]
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>", *(f"<|{step * 0.02:.2f}|>" for step in range(1501))]
    vocabulary |= {"<|endoftext|>": plain}
    end = dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), "<|endoftext|>")
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=merges, **end)
    tokenizer.add_tokens([AddedToken(token, special=True) for token in special[1:]], special_tokens=True)
    return tokenizer


def _word(number: int) -> str:
    """A space (as byte-level BPE writes it) and four letters, another for each number."""
    return "Ġ" + "".join(chr(ord("a") + number // 26**place % 26) for place in range(4))


def _model(tokenizer: Any, multilingual: bool, seed: int, spread: float, sizes: Mapping[str, int]) -> Any:
    import torch

    prepare_torchaudio()
    from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

    ids = tokenizer.get_vocab()
    end, start = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=MEL_BANDS,
        **sizes,
        max_target_positions=POSITIONS,
        init_std=spread,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    torch.manual_seed(seed)
    model = WhisperForConditionalGeneration(config)
    with torch.no_grad():
        decoder = model.model.decoder
        # It is also the padding, whose row transformers leaves at zero: such a text would end at its limit alone.
        decoder.embed_tokens.weight[end] = spread * torch.randn(config.d_model)
        steps = torch.arange(POSITIONS)[:, None] / POSITIONS
        decoder.embed_positions.weight += PULL * steps * decoder.embed_tokens.weight[end]
    settings: dict[str, Any] = {
        "decoder_start_token_id": start,
        "eos_token_id": end,
        "pad_token_id": end,
        "bos_token_id": end,
        "max_length": POSITIONS,
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "is_multilingual": multilingual,
        "begin_suppress_tokens": [end],
        "suppress_tokens": [number for token, number in ids.items() if token.startswith("<|") and number != end],
        "alignment_heads": [[1, 0]],
        "prev_sot_token_id": ids["<|startofprev|>"],
    }
    if multilingual:
        codes = [token for token in ids if token.startswith("<|") and token[2:-2].isalpha() and len(token) in (6, 7)]
        settings["lang_to_id"] = {token: ids[token] for token in codes}
        settings["task_to_id"] = {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")}
    model.generation_config = GenerationConfig(**settings)
    return model


def read_generation_config(directory: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((directory / "generation_config.json").read_text())
    return settings
