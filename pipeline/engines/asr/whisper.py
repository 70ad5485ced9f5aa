"""Whisper checkpoints, local, from the hub or of the table of models: `whisper-base`, `openai/whisper-large-v3-turbo`.

There are two backends: transformers, the reference, and CTranslate2, which is lighter, for checkpoints converted to
its format. The language of each row and the task are forced. Nothing is conditioned on earlier text, and there is no
temperature fallback and no sampling, so that a clip's transcript depends on the clip alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from pydantic import Field, model_validator

from manifests.errors import EngineDied, EngineUnavailable
from manifests.languages import primary_subtag
from manifests.libraries import extra, library_version
from manifests.reasons import Reason
from pipeline.engines.asr._chunked_decoding import AudioWindow, WindowDecoder, WindowTranscript, transcribe
from pipeline.engines.asr._short_windows import LABEL, SPARE_S, is_doubtful, window_seconds
from pipeline.engines.asr._windows import WINDOW_S
from pipeline.engines.contract import Clip, Engine, Failure, Samples, Transcript
from pipeline.engines.shared.batches import cut_batches
from pipeline.settings import Checkpoint, Local
from pipeline.weights.cache import label, locate

NAME = "whisper"

TOKENS_PER_S, SPARE_TOKENS = 15, 16
"""Eleven syllables a second, the fastest that `pipeline.scoring.duration` accepts, at 1.4 tokens each. A transcript
that loops on a short clip then ends its batch soon, not at the model's limit."""

BATCH_S = 240
MOST_WINDOWS = 128
"""More gain nothing: on an H100, 128 windows of a batch took 1.24 times the time of 8."""
MEASURED_WINDOWS, MEASURED_TOKENS = 8, 64
"""Windows, and tokens of each, with which the memory of a window is measured."""
USED_SHARE = 0.6
"""Share of the free memory that a batch may take: longer transcripts need more than the measured ones."""

_LIMIT_STEP_S = 5
_ALIASES = {"cmn": "zh"}
PACKAGES = {"transformers": "transformers", "ctranslate2": "faster-whisper"}


class WhisperServing(Local):
    batch_s: float | None = Field(  # type: ignore[assignment]
        None,
        gt=0,
        description="most audio in one batch, in seconds, padding included; none: what the GPU holds, measured when "
        "the model is loaded, up to 128 windows of 30 s; 240 on the CPU and with ctranslate2",
    )


class WhisperModel(Checkpoint):
    """A Whisper checkpoint. Language and task are forced."""

    engine: Literal["whisper"]
    backend: Literal["transformers", "ctranslate2"] = Field(
        "transformers", description="ctranslate2: for checkpoints converted to its format"
    )
    dtype: str = Field(
        "auto", description="of the weights: auto (half precision on a GPU), float32, float16, bfloat16"
    )
    beams: int = Field(1, gt=0, description="of the beam search; 1: greedy")
    max_new_tokens: int = Field(440, gt=0, le=440, description="longest transcript of 30 s; shorter clips get less")
    window: Literal["whole", "cut"] = Field(
        "whole", description="cut: the encoder takes the clip and some silence, not 30 s; needs ctranslate2"
    )
    serving: WhisperServing = Field(WhisperServing(), description="where it runs")

    @model_validator(mode="after")
    def _only_ctranslate2_cuts(self) -> Self:
        if self.window == "cut" and self.backend != "ctranslate2":
            raise ValueError("window: cut needs backend: ctranslate2")
        return self


class Backend(Protocol):
    """A library with a loaded checkpoint, which knows `languages`; an English-only checkpoint knows "en" alone.

    `decode` returns one transcript per window (float32 [T], 16 kHz, at most `window_s` seconds, to which silence fills
    each), each of at most its limit of tokens; those of one call are equal where the backend `has_one_limit`. The
    checkpoint's decoder can write at most `max_tokens`. `batch_seconds` measures how much audio a batch may hold.
    """

    languages: frozenset[str]
    max_tokens: int
    has_one_limit: bool

    def batch_seconds(self) -> float | None: ...

    def decode(
        self, windows: Sequence[Samples], languages: Sequence[str], limits: Sequence[int], window_s: float
    ) -> list[WindowTranscript]: ...


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a checkpoint is loaded and how it decodes. `device` is PyTorch's name of a device, or "auto"."""

    checkpoint: str
    revision: str | None
    device: str
    dtype: str
    beams: int


def version(model: WhisperModel | None = None) -> str:
    """Return the library's version; with a model, also the checkpoint's label before it and the decoding after it."""
    package = PACKAGES[model.backend if model else "transformers"]
    library = f"{package} {library_version(package, NAME, extra('recognizers'))}"
    if model is None:
        return library
    window = f"{WINDOW_S}s" if model.window == "whole" else LABEL
    return f"{label(model.model, model.revision, NAME)} {library} {model.dtype} beams={model.beams} window={window}"


def open_recognizer(model: WhisperModel) -> "Whisper":
    """Load a checkpoint. Raises EngineUnavailable where the library is missing or the checkpoint does not load."""
    stated = version(model)
    decoding = Decoding(locate(model.model, NAME), model.revision, model.serving.device, model.dtype, model.beams)
    try:
        backend = _backend(model.backend, decoding)
    except EngineUnavailable:
        raise
    except Exception as error:  # the libraries raise whatever their downloads and readers do
        kind = "converted to CTranslate2's format " if model.backend == "ctranslate2" else ""
        raise EngineUnavailable(
            f"whisper: no checkpoint {kind}could be loaded as {model.label} ({type(error).__name__}): "
            "give a local directory of it, or a hub id and access to the hub"
        ) from error
    spare_s = SPARE_S if model.window == "cut" else None
    batch_s = model.serving.batch_s or backend.batch_seconds() or BATCH_S
    return Whisper(backend, stated, model.max_new_tokens, batch_s, spare_s)


class Whisper:
    """Transcribes clips of any rate and length; those longer than 30 s are cut where they are quiet.

    With `spare_s`, the encoder takes a clip with about so many seconds of silence. What is doubtful then is decoded
    again in 30 s, and that counts. Without it, the encoder always takes 30 s.
    """

    name = NAME

    def __init__(
        self, backend: Backend, version: str, max_new_tokens: int, batch_s: float, spare_s: float | None = None
    ) -> None:
        self.version = version
        self.languages: frozenset[str] | None = backend.languages
        self._backend = backend
        self._most = min(max_new_tokens, backend.max_tokens)
        self._batch_s, self._spare_s = batch_s, spare_s
        self._decoder = WindowDecoder(self._decode, self._group, self._refuse, batch_s, self._encoded_s)

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return transcribe(clips, languages, self._decoder)

    def _refuse(self, language: str) -> Failure | None:
        if _code(language) in self._backend.languages:
            return None
        return Failure(Reason.NO_RECOGNIZER, f"the checkpoint does not know the language {language!r}")

    def _encoded_s(self, seconds: float) -> float:
        return WINDOW_S if self._spare_s is None else window_seconds(seconds, self._spare_s)

    def _group(self, seconds: float, language: str) -> tuple[int, float]:
        limit = token_limit(seconds, self._most) if self._backend.has_one_limit else 0
        return limit, self._encoded_s(seconds)

    def _decode(self, windows: Sequence[AudioWindow]) -> list[WindowTranscript]:
        window_s = self._encoded_s(windows[0].seconds)
        heard = self._decode_in(windows, window_s)
        doubtful = [
            at
            for at, (window, one) in enumerate(zip(windows, heard, strict=True))
            if window_s < WINDOW_S and is_doubtful(one, window.language, window.seconds)
        ]
        for batch in cut_batches([WINDOW_S] * len(doubtful), self._batch_s):
            chosen = [doubtful[i] for i in batch]
            for at, again in zip(chosen, self._decode_in([windows[at] for at in chosen], WINDOW_S), strict=True):
                heard[at] = again
        return heard

    def _decode_in(self, windows: Sequence[AudioWindow], window_s: float) -> list[WindowTranscript]:
        languages = [_code(window.language) for window in windows]
        try:
            limits = [token_limit(window.seconds, self._most) for window in windows]
            return self._backend.decode([window.samples for window in windows], languages, limits, window_s)
        except RuntimeError as error:  # out of memory, a lost GPU
            raise EngineDied(f"whisper stopped: {error}") from error


def token_limit(seconds: float, most: int) -> int:
    """Return the most tokens that a transcript may have, by the length of its audio in steps of five seconds."""
    longest = math.ceil(seconds / _LIMIT_STEP_S) * _LIMIT_STEP_S
    return min(most, SPARE_TOKENS + TOKENS_PER_S * longest)


def _code(language: str) -> str:
    subtag = primary_subtag(language)
    return _ALIASES.get(subtag, subtag)


def _backend(name: str, decoding: Decoding) -> Backend:
    if name == "ctranslate2":
        from pipeline.engines.asr._whisper_ct2 import CTranslate2Backend

        return CTranslate2Backend(decoding)
    from pipeline.engines.asr._whisper_transformers import TransformersBackend

    return TransformersBackend(decoding)


ENGINE = Engine("asr", "whisper", "Whisper checkpoints", open=open_recognizer, version=version, settings=WhisperModel)
