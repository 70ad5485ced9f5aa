"""Qwen3-ASR in the worker's own process, by its package `qwen-asr` (transformers backend).

Behind a server it needs no code of its own: vLLM and sglang-omni have it at /v1/audio/transcriptions, where
`openai-transcription` reaches it. This engine is for a GPU without a server. The language of each row is forced, so
that the model writes the text alone; decoding is greedy, as the package has it.
"""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from manifests.errors import EngineDied, EngineUnavailable
from manifests.languages import primary_subtag
from manifests.libraries import library, library_version
from manifests.reasons import Reason
from pipeline.engines.asr._chunked_decoding import AudioWindow, WindowDecoder, WindowTranscript, transcribe
from pipeline.engines.contract import Clip, Engine, Failure, Transcript
from pipeline.engines.shared.silence_guard import SAMPLE_RATE
from pipeline.engines.shared.torch_device import find_device
from pipeline.settings import Checkpoint, Local

NAME = "qwen3-asr"

LANGUAGES = {
    "zh": "Chinese",
    "cmn": "Chinese",
    "en": "English",
    "yue": "Cantonese",
    "ar": "Arabic",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "id": "Indonesian",
    "it": "Italian",
    "ko": "Korean",
    "ru": "Russian",
    "th": "Thai",
    "vi": "Vietnamese",
    "ja": "Japanese",
    "tr": "Turkish",
    "hi": "Hindi",
    "ms": "Malay",
    "nl": "Dutch",
    "sv": "Swedish",
    "da": "Danish",
    "fi": "Finnish",
    "pl": "Polish",
    "cs": "Czech",
    "fa": "Persian",
    "el": "Greek",
    "hu": "Hungarian",
    "mk": "Macedonian",
    "ro": "Romanian",
}
"""Names of languages as the package wants them (README of QwenLM/Qwen3-ASR)."""

_INSTALL = "pip install qwen-asr (in an environment of its own: it pins transformers)"


class Qwen3ASRModel(Checkpoint):
    """A Qwen3-ASR checkpoint in this process."""

    engine: Literal["qwen3-asr"]
    dtype: Literal["bfloat16", "float16", "float32"] = Field("bfloat16", description="of the weights")
    max_new_tokens: int = Field(440, gt=0, le=4096, description="longest transcript of 30 s, in tokens")
    serving: Local = Field(Local(), description="where it runs")


def version(model: Qwen3ASRModel | None = None) -> str:
    """The package's version; with a model, also the checkpoint's label before it."""
    package = f"qwen-asr {library_version('qwen-asr', NAME, _INSTALL)}"
    return package if model is None else f"{model.label} {package} {model.dtype}"


class Qwen3ASR:
    """Transcribes clips of any rate and length; those longer than 30 s are cut where they are quiet."""

    name = NAME

    def __init__(self, model: Qwen3ASRModel) -> None:
        self.version = version(model)
        self.languages: frozenset[str] | None = frozenset(LANGUAGES)
        self._model = _load(model)
        self._decoder = WindowDecoder(self._decode, self._group, self._refuse, model.serving.batch_s)

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return transcribe(clips, languages, self._decoder)

    def _refuse(self, language: str) -> Failure | None:
        if primary_subtag(language) in LANGUAGES:
            return None
        return Failure(Reason.NO_RECOGNIZER, f"the model does not know the language {language!r}")

    def _group(self, seconds: float, language: str) -> str:
        return primary_subtag(language)

    def _decode(self, windows: Sequence[AudioWindow]) -> list[WindowTranscript]:
        clips = [(window.samples, SAMPLE_RATE) for window in windows]
        names = [LANGUAGES[primary_subtag(window.language)] for window in windows]
        try:
            results = self._model.transcribe(audio=clips, language=names)
        except RuntimeError as error:  # out of memory, a lost GPU
            raise EngineDied(f"{NAME} stopped: {error}") from error
        if len(results) != len(windows):
            raise EngineDied(f"{NAME} gave {len(results)} results for {len(windows)} clips")
        return [WindowTranscript(str(result.text).strip()) for result in results]


def _load(model: Qwen3ASRModel) -> Any:
    """Load the checkpoint, whose classes come from the package; raises EngineUnavailable."""
    package = library("qwen_asr", NAME, _INSTALL)
    torch = library("torch", NAME, _INSTALL)
    device = find_device(torch, model.serving.device, NAME)
    try:
        return package.Qwen3ASRModel.from_pretrained(
            model.model,
            revision=model.revision,
            dtype=getattr(torch, model.dtype),
            device_map=str(device),
            max_inference_batch_size=-1,  # batches are cut here, by seconds
            max_new_tokens=model.max_new_tokens,
            trust_remote_code=False,
        )
    except Exception as error:  # the library raises whatever its downloads and readers do
        raise EngineUnavailable(
            f"{NAME}: no checkpoint could be loaded as {model.label} ({type(error).__name__}): "
            "give a local directory of it, or a hub id and access to the hub"
        ) from error


ENGINE = Engine("asr", NAME, "Qwen3-ASR checkpoints", open=Qwen3ASR, version=version, settings=Qwen3ASRModel)
