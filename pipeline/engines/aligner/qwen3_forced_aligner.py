"""Qwen3-ForcedAligner by the package qwen-asr, which needs an environment of its own (it pins transformers).

The package cuts the text into words or characters of its own, without marks; its times are multiples of a step of
the checkpoint. `docs/word-times.md` says what was run of this engine.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from manifests.errors import EngineDied, EngineUnavailable
from manifests.languages import primary_subtag
from manifests.libraries import library, library_version, safe_torch
from manifests.reasons import Reason
from manifests.schema import WordTimes
from pipeline.audio.samples import resample
from pipeline.engines.contract import AlignRequest, Engine, Failure, Samples
from pipeline.engines.shared.silence_guard import SAMPLE_RATE, is_silent
from pipeline.engines.shared.torch_device import find_device
from pipeline.engines.shared.word_times import bounded, fit_spans, word_times
from pipeline.settings import Checkpoint, Local
from pipeline.weights.cache import label, locate

NAME = "qwen3-forced-aligner"

LONGEST_S = 180
"""The package's own limit for one clip."""

_INSTALL = "pip install qwen-asr==0.0.6, in an environment of its own"
_LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "zh": "Chinese",
    "cmn": "Chinese",
    "yue": "Cantonese",
    "fr": "French",
    "de": "German",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "pt": "Portuguese",
    "ru": "Russian",
    "es": "Spanish",
}


class Qwen3ForcedAlignerModel(Checkpoint):
    """A Qwen3-ForcedAligner checkpoint."""

    engine: Literal["qwen3-forced-aligner"]
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="of the weights; auto: bfloat16 on a GPU, float32 elsewhere"
    )
    serving: Local = Field(Local(), description="where it runs")


def version(model: Qwen3ForcedAlignerModel | None = None) -> str:
    """Return the package's version; with a model, its label before it."""
    package = f"qwen-asr {library_version('qwen-asr', NAME, _INSTALL)}"
    return f"{label(model.model, model.revision, NAME)} {package} {model.dtype}" if model else package


def open_aligner(model: Qwen3ForcedAlignerModel) -> "Qwen3ForcedAligner":
    """Load a checkpoint. Raises EngineUnavailable where the library is missing or the checkpoint does not load."""
    stated = version(model)
    torch = safe_torch(NAME, _INSTALL)
    device = find_device(torch, model.serving.device, NAME)
    dtype = {"auto": "float32" if device == "cpu" else "bfloat16"}.get(model.dtype, model.dtype)
    try:
        loaded = library("qwen_asr", NAME, _INSTALL).Qwen3ForcedAligner.from_pretrained(
            locate(model.model, NAME),
            revision=model.revision or "main",
            dtype=getattr(torch, dtype),
            device_map=str(device),
            trust_remote_code=False,
        )
    except EngineUnavailable:
        raise
    except Exception as error:  # transformers raises whatever its downloads and readers do
        raise EngineUnavailable(
            f"{NAME}: no checkpoint could be loaded as {model.label} ({type(error).__name__}): "
            "give a local directory of it, or a hub id and access to the hub"
        ) from error
    return Qwen3ForcedAligner(loaded, stated)


class Qwen3ForcedAligner:
    """Aligns clips of any rate, of at most 180 s, in eleven languages."""

    name = NAME
    languages: frozenset[str] | None = frozenset(_LANGUAGES)

    def __init__(self, loaded: Any, version: str) -> None:
        self.version = version
        self._loaded = loaded

    def align(self, requests: Sequence[AlignRequest]) -> list[WordTimes | Failure]:
        """Align one clip at a time: nobody has seen yet that padding in a batch changes nothing."""
        return [self._align(request) for request in requests]

    def _align(self, request: AlignRequest) -> WordTimes | Failure:
        samples, clip = _prepared(request), request.clip
        if isinstance(samples, Failure):
            return samples
        language = _LANGUAGES[primary_subtag(request.language)]
        try:
            (items,) = self._loaded.align(audio=[(samples, SAMPLE_RATE)], text=[request.text], language=[language])
        except RuntimeError as error:  # out of memory, a lost GPU
            raise EngineDied(f"{NAME} stopped: {error}") from error

        def sample(seconds: float) -> int:
            return min(round(seconds * clip.sample_rate), len(clip.samples))

        pieces = [(item.text, sample(item.start_time), sample(item.end_time)) for item in items]
        spans = fit_spans(request.text, request.language, pieces)
        made = bounded(spans, clip.samples, clip.sample_rate)
        return word_times(f"{NAME} {self.version}", request.text, request.language, made)


def _prepared(request: AlignRequest) -> Samples | Failure:
    """Return the clip at 16 kHz, or why it cannot be aligned."""
    clip = request.clip
    if primary_subtag(request.language) not in _LANGUAGES:
        return Failure(Reason.UNALIGNED, f"the aligner does not know the language {request.language!r}")
    if not len(clip.samples) or not np.isfinite(clip.samples).all():
        return Failure(Reason.UNALIGNED, "the clip is empty or holds NaN or infinite samples")
    samples = np.ascontiguousarray(resample(clip.samples, clip.sample_rate, SAMPLE_RATE), dtype=np.float32)
    if is_silent(samples):
        return Failure(Reason.UNALIGNED, "the clip is silent")
    if len(samples) > LONGEST_S * SAMPLE_RATE:
        return Failure(Reason.UNALIGNED, f"the aligner takes clips of at most {LONGEST_S} s")
    return samples


ENGINE = Engine(
    "aligner",
    NAME,
    "Qwen3-ForcedAligner by the package qwen-asr",
    open=open_aligner,
    version=version,
    settings=Qwen3ForcedAlignerModel,
)
