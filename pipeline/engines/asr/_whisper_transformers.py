"""Runs Whisper by transformers: the reference backend, for any checkpoint of `WhisperForConditionalGeneration`."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, safe_torch
from pipeline.engines.asr._chunked_decoding import WindowTranscript
from pipeline.engines.asr._whisper_mel import LogMel
from pipeline.engines.asr._windows import WINDOW_S
from pipeline.engines.asr.whisper import MEASURED_TOKENS, MEASURED_WINDOWS, MOST_WINDOWS, NAME, USED_SHARE, Decoding
from pipeline.engines.contract import Samples
from pipeline.engines.shared.silence_guard import SAMPLE_RATE
from pipeline.engines.shared.torch_device import find_device
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio

_INSTALL = extra("recognizers")

PROMPT_TOKENS = 4
"""<|startoftranscript|>, language, task, <|notimestamps|>."""

_NO_SPEECH = ("<|nospeech|>", "<|nocaptions|>")


class TransformersBackend:
    """Decodes a batch in three steps.

    The encoder runs once, `generate` works from its output, and one more pass over the tokens gives their
    log-probabilities and, at the first position, the probability that there is no speech. Each window has a limit of
    tokens of its own, so windows of all lengths share a batch.
    """

    has_one_limit = False

    attention: ClassVar[str] = "sdpa"
    """How transformers computes it: this is the quickest way, which does not show the weights."""

    def __init__(self, decoding: Decoding) -> None:
        prepare_torchaudio()
        self._torch = safe_torch(NAME, _INSTALL)
        transformers = library("transformers", NAME, _INSTALL)
        self._device = find_device(self._torch, decoding.device, NAME)
        self._dtype = _dtype(self._torch, decoding.dtype, self._device)
        self._beams = decoding.beams
        revision = decoding.revision or "main"
        processor = transformers.WhisperProcessor.from_pretrained(
            decoding.checkpoint, revision=revision, trust_remote_code=False
        )
        self._tokenizer = processor.tokenizer
        self._log_mel = LogMel(processor.feature_extractor, self._torch, self._device)
        model: Any = transformers.WhisperForConditionalGeneration.from_pretrained(
            decoding.checkpoint,
            revision=revision,
            dtype=self._dtype,
            attn_implementation=self.attention,
            trust_remote_code=False,
        )
        self._model = model.to(self._device).eval()
        settings = self._model.generation_config
        self._is_multilingual = bool(getattr(settings, "is_multilingual", False))
        self.languages = _languages(settings) if self._is_multilingual else frozenset({"en"})
        self.max_tokens = self._model.config.max_target_positions - PROMPT_TOKENS
        self._no_speech_id = _known(self._tokenizer, _NO_SPEECH)

    def batch_seconds(self) -> float | None:
        """Measure how much audio a batch may hold on this GPU, in seconds of windows; None on the CPU."""
        if self._device == "cpu":
            return None
        cuda: Any = self._torch.cuda
        language = next(iter(self.languages))
        noise = [np.random.default_rng(0).normal(0, 0.1, WINDOW_S * SAMPLE_RATE).astype(np.float32)] * MEASURED_WINDOWS
        cuda.reset_peak_memory_stats(self._device)
        before = cuda.memory_allocated(self._device)
        self.decode(noise, [language] * MEASURED_WINDOWS, [MEASURED_TOKENS] * MEASURED_WINDOWS, WINDOW_S)
        each = (cuda.max_memory_allocated(self._device) - before) / MEASURED_WINDOWS
        cuda.empty_cache()
        free, _ = cuda.mem_get_info(self._device)
        return float(min(MOST_WINDOWS, max(1, int(USED_SHARE * free / each))) * WINDOW_S)

    def decode(
        self, windows: Sequence[Samples], languages: Sequence[str], limits: Sequence[int], window_s: float
    ) -> list[WindowTranscript]:
        try:
            return self._decode(windows, languages, limits)
        except self._torch.OutOfMemoryError:
            if len(windows) == 1:
                raise
        # Others use the card too, and a long batch needs more than the measured one: half of it, twice.
        cuda: Any = self._torch.cuda
        cuda.empty_cache()
        half = len(windows) // 2
        parts = [slice(None, half), slice(half, None)]
        return [one for part in parts for one in self.decode(windows[part], languages[part], limits[part], window_s)]

    def _decode(
        self, windows: Sequence[Samples], languages: Sequence[str], limits: Sequence[int]
    ) -> list[WindowTranscript]:
        forced = {"language": list(languages), "task": "transcribe"} if self._is_multilingual else {}
        settings = self._model.generation_config
        with self._torch.inference_mode():
            mel, mask = self._log_mel(windows)
            encoded = self._model.get_encoder()(mel.to(self._dtype))
            written = self._model.generate(
                encoder_outputs=encoded,
                attention_mask=mask,
                max_length=max(limits),  # Whisper's generate adds the prompt to it
                logits_processor=[
                    _EndAtLimit(limits, self._beams, len(self._prompt(languages[0])), settings.eos_token_id)
                ],
                num_beams=self._beams,
                do_sample=False,
                condition_on_prev_tokens=False,
                **forced,
            )
            rows = [_until_end(row, settings) for row in written.tolist()]
            scores = self._score(encoded, rows, languages)
        texts = self._tokenizer.batch_decode(rows, skip_special_tokens=True)
        return [
            WindowTranscript(text, mean, no_speech, len(row), ended=len(row) < limit)
            for text, row, (mean, no_speech), limit in zip(texts, rows, scores, limits, strict=True)
        ]

    def _score(
        self, encoded: Any, rows: Sequence[list[int]], languages: Sequence[str]
    ) -> list[tuple[float, float | None]]:
        """Score tokens: mean log-probability with the end-of-text token, as Whisper counts it, and of no speech."""
        torch, settings = self._torch, self._model.generation_config
        prompts = [self._prompt(language) for language in languages]
        longest = max(len(row) for row in rows)
        ids = [
            [*prompt, *row] + [settings.eos_token_id] * (longest - len(row))
            for prompt, row in zip(prompts, rows, strict=True)
        ]
        logits = self._model(
            encoder_outputs=encoded, decoder_input_ids=torch.tensor(ids, device=self._device), use_cache=False
        ).logits
        scores = []
        for prompt, row, row_logits in zip(prompts, rows, logits, strict=True):
            first = len(prompt) - 1
            at = row_logits[first : first + len(row) + 1].float()
            expected = torch.tensor([*row, settings.eos_token_id], device=self._device)
            mean = float(at.log_softmax(-1).gather(1, expected[:, None]).mean())
            none = row_logits[0].float().softmax(-1)[self._no_speech_id] if self._no_speech_id is not None else None
            scores.append((mean, None if none is None else float(none)))
        return scores

    def _prompt(self, language: str) -> list[int]:
        settings = self._model.generation_config
        start, end = settings.decoder_start_token_id, settings.no_timestamps_token_id
        if not self._is_multilingual:
            return [start, end]
        return [start, settings.lang_to_id[f"<|{language}|>"], settings.task_to_id["transcribe"], end]


class _EndAtLimit:
    """A logits processor that ends each window at a limit of its own, in `generate`'s loop over all of them."""

    def __init__(self, limits: Sequence[int], beams: int, prompt: int, end: int) -> None:
        self._limits, self._prompt, self._end = [limit for limit in limits for _ in range(beams)], prompt, end

    def __call__(self, tokens: Any, scores: Any) -> Any:
        """Leave nothing but the end token to the rows that have reached their limit; scores [B * beams, V]."""
        written = tokens.shape[1] - self._prompt
        over = [row for row, limit in enumerate(self._limits) if written >= limit]
        if over:
            scores[over] = -float("inf")
            scores[over, self._end] = 0.0
        return scores


def _dtype(torch: Any, asked: str, device: str) -> Any:
    if asked == "auto":
        return torch.float32 if device == "cpu" else torch.float16
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[asked]


def _languages(settings: Any) -> frozenset[str]:
    """Read the languages of a multilingual checkpoint.

    Checkpoints that were fine-tuned before 2023 lack the table, and forcing a language would only fail later.
    """
    table = getattr(settings, "lang_to_id", None)
    if not table:
        raise EngineUnavailable(
            "whisper: the checkpoint's generation_config.json has no lang_to_id: copy the file of its base checkpoint"
        )
    return frozenset(token.strip("<|>") for token in table)


def _known(tokenizer: Any, tokens: Sequence[str]) -> int | None:
    vocabulary = tokenizer.get_vocab()
    return next((vocabulary[token] for token in tokens if token in vocabulary), None)


def _until_end(row: list[int], settings: Any) -> list[int]:
    """Cut a row of tokens at its end token or its padding, which may be the same token."""
    ends = [row.index(token) for token in {settings.eos_token_id, settings.pad_token_id} if token in row]
    return row[: min(ends, default=len(row))]
