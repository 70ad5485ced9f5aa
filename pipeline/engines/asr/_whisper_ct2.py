"""Runs Whisper by CTranslate2: the light backend, for checkpoints converted by `ct2-transformers-converter`.

faster-whisper loads the checkpoint, its tokenizer and its features; its own batching is for the parts of one file, so
batches of clips go to CTranslate2 directly.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from manifests.libraries import extra, library
from pipeline.engines.asr._chunked_decoding import WindowTranscript
from pipeline.engines.asr._windows import WINDOW_S
from pipeline.engines.asr.whisper import MEASURED_TOKENS, MEASURED_WINDOWS, MOST_WINDOWS, NAME, USED_SHARE, Decoding
from pipeline.engines.contract import Samples
from pipeline.engines.shared.silence_guard import SAMPLE_RATE

_INSTALL = extra("recognizers")

FRAMES_PER_S = 100
MAX_TARGET_POSITIONS, PROMPT_TOKENS = 448, 4
"""The same in every Whisper decoder; the converted format does not state them."""


class CTranslate2Backend:
    has_one_limit = True

    def __init__(self, decoding: Decoding) -> None:
        ctranslate2 = library("ctranslate2", NAME, _INSTALL)
        faster_whisper = library("faster_whisper", NAME, _INSTALL)
        tokenizers = library("faster_whisper.tokenizer", NAME, _INSTALL)
        device, _, index = decoding.device.partition(":")
        threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
        loaded = faster_whisper.WhisperModel(
            decoding.checkpoint,
            device=device,
            device_index=int(index or 0),
            compute_type=_compute_type(decoding.dtype, device),
            cpu_threads=threads,
            revision=decoding.revision,
        )
        self._storage = ctranslate2.StorageView
        self._model: Any = loaded.model
        self._beams = decoding.beams
        # transformers 5 writes no preprocessor_config.json, and without one faster-whisper takes 80 mel bands.
        self._features = faster_whisper.feature_extractor.FeatureExtractor(
            **{**loaded.feat_kwargs, "feature_size": self._model.n_mels}
        )
        multilingual = self._model.is_multilingual
        codes = tokenizers._LANGUAGE_CODES if multilingual else ("en",)
        tokenizer = loaded.hf_tokenizer
        self.languages = frozenset(code for code in codes if not multilingual or tokenizer.token_to_id(f"<|{code}|>"))
        self._tokenizers = {
            code: tokenizers.Tokenizer(tokenizer, multilingual, "transcribe", code) for code in self.languages
        }
        self.max_tokens = MAX_TARGET_POSITIONS - PROMPT_TOKENS

    def batch_seconds(self) -> float | None:
        """Measure how much audio a batch may hold on this GPU, in seconds of windows; None on the CPU.

        CTranslate2 does not tell what it takes, but keeps it for the next batch: the card's free memory tells.
        """
        if self._model.device != "cuda" or (free := _free_memory(self._model.device_index)) is None:
            return None
        language = next(iter(self.languages))
        noise = [np.random.default_rng(0).normal(0, 0.1, WINDOW_S * SAMPLE_RATE).astype(np.float32)] * MEASURED_WINDOWS
        self.decode(noise, [language] * MEASURED_WINDOWS, [MEASURED_TOKENS] * MEASURED_WINDOWS, WINDOW_S)
        left = _free_memory(self._model.device_index) or free
        each = max(1, free - left) / MEASURED_WINDOWS
        return float(min(MOST_WINDOWS, max(1, int(USED_SHARE * free / each))) * WINDOW_S)

    def decode(
        self, windows: Sequence[Samples], languages: Sequence[str], limits: Sequence[int], window_s: float
    ) -> list[WindowTranscript]:
        try:
            return self._decode(windows, languages, limits, window_s)
        except RuntimeError as error:
            if len(windows) == 1 or "out of memory" not in str(error).lower():
                raise
        # Others use the card too, and a long batch needs more than the measured one: half of it, twice.
        half = len(windows) // 2
        parts = [slice(None, half), slice(half, None)]
        return [one for at in parts for one in self.decode(windows[at], languages[at], limits[at], window_s)]

    def _decode(
        self, windows: Sequence[Samples], languages: Sequence[str], limits: Sequence[int], window_s: float
    ) -> list[WindowTranscript]:
        max_new_tokens = limits[0]
        features = np.stack([self._mel(samples, window_s) for samples in windows])
        tokenizers = [self._tokenizers[language] for language in languages]
        prompts = [[*tokenizer.sot_sequence, tokenizer.no_timestamps] for tokenizer in tokenizers]
        results = self._model.generate(
            self._storage.from_array(features),
            prompts,
            beam_size=self._beams,
            # CTranslate2 writes at most half of `max_length`: the other half is for text that is conditioned on.
            max_length=2 * max_new_tokens,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
        )
        return [_transcript(*pair, max_new_tokens) for pair in zip(results, tokenizers, strict=True)]

    def _mel(self, samples: Samples, window_s: float) -> Samples:
        """Compute log-mel features, float32 [bands, 100 per second], of the clip padded with silence to `window_s`."""
        whole = np.pad(samples, (0, round(window_s * SAMPLE_RATE) - len(samples)))
        mel: Samples = np.ascontiguousarray(self._features(whole, padding=0)[:, : round(window_s * FRAMES_PER_S)])
        return mel.astype(np.float32)


def _free_memory(index: Sequence[int] | int) -> int | None:
    """Return the free bytes of a GPU by PyTorch; None where PyTorch sees no GPU."""
    import torch

    if not torch.cuda.is_available():
        return None
    free, _ = torch.cuda.mem_get_info(index if isinstance(index, int) else index[0])
    return int(free)


def _transcript(result: Any, tokenizer: Any, max_new_tokens: int) -> WindowTranscript:
    tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
    written = len(result.sequences_ids[0])
    # CTranslate2's score is the mean without the end-of-text token; Whisper's own mean includes it.
    mean = result.scores[0] * written / (written + 1)
    return WindowTranscript(
        tokenizer.decode(tokens), mean, result.no_speech_prob, written, ended=written < max_new_tokens
    )


def _compute_type(dtype: str, device: str) -> str:
    if dtype != "auto":
        return dtype
    import ctranslate2

    on_gpu = device == "cuda" or (device == "auto" and ctranslate2.get_cuda_device_count() > 0)
    return "float16" if on_gpu else "float32"
