"""The engines, named in one literal table and imported when asked for.

An engine is never swapped for another: what a recipe names is what runs, or the job stops with a sentence.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from manifests.errors import EngineUnavailable, RecipeError
from manifests.storage import Place
from pipeline.models import Model


@dataclass(frozen=True, slots=True)
class Entry:
    """Module and factory of an engine, and what it is in one line.

    A factory takes nothing; that of an engine `of_model` takes the recipe's `Model`, and for kind "text" the `Place`
    where answers are stored, or None. Its module's `version(model=None)` gives the library's version, or the model's.
    """

    module: str
    factory: str
    about: str
    of_model: bool = False


ENGINES: dict[tuple[str, str], Entry] = {
    ("text", "rules"): Entry(
        "pipeline.engines.text.rules", "RulesGenerator", "rules, no model: selects and verbalizes"
    ),
    ("text", "openai"): Entry(
        "pipeline.engines.text.chat.openai_model",
        "open_generator",
        "any server of the OpenAI chat kind",
        of_model=True,
    ),
    ("text", "vllm"): Entry(
        "pipeline.engines.text.chat.vllm_model", "open_generator", "vLLM in the worker's own process", of_model=True
    ),
    ("tts", "flite"): Entry("pipeline.engines.tts.flite", "Flite", "English, small CMU voices"),
    ("tts", "festival"): Entry("pipeline.engines.tts.festival", "Festival", "English, HTS and diphone voices"),
    ("tts", "espeak-ng"): Entry("pipeline.engines.tts.espeak_ng", "Espeak", "Mandarin, formant synthesis"),
    ("tts", "tone"): Entry("pipeline.engines.tts.tone", "ToneSynthesizer", "not speech: a tone for each character"),
    ("tts", "openai-speech"): Entry(
        "pipeline.engines.tts.openai_speech", "OpenAISpeech", "any server of the OpenAI speech kind", of_model=True
    ),
    ("tts", "cosyvoice"): Entry(
        "pipeline.engines.tts.cosyvoice", "open_synthesizer", "CosyVoice 1, 2 and 3, from its source", of_model=True
    ),
    ("watermark", "perth"): Entry(
        "pipeline.engines.watermark.perth", "PerthWatermarker", "neural, weights in its package"
    ),
    ("watermark", "audioseal"): Entry(
        "pipeline.engines.watermark.audioseal",
        "AudioSealWatermarker",
        "neural, with a message of 16 bits",
        of_model=True,
    ),
    ("watermark", "tone-mark"): Entry(
        "pipeline.engines.watermark.tone_mark", "ToneWatermarker", "a pilot tone, for dry runs only"
    ),
    ("asr", "pocketsphinx"): Entry(
        "pipeline.engines.asr.pocketsphinx", "PocketSphinx", "English, model in its package"
    ),
    ("asr", "openai-transcription"): Entry(
        "pipeline.engines.asr.openai_transcription",
        "OpenAITranscription",
        "any server of the OpenAI transcription kind",
        of_model=True,
    ),
    ("asr", "whisper"): Entry("pipeline.engines.asr.whisper", "open_recognizer", "Whisper checkpoints", of_model=True),
    ("asr", "funasr"): Entry(
        "pipeline.engines.asr.funasr", "open_recognizer", "Paraformer, SenseVoice, Fun-ASR", of_model=True
    ),
    ("asr", "tone"): Entry("pipeline.engines.asr.tone", "ToneRecognizer", "not speech: hears the tones by FFT"),
    ("vad", "silero"): Entry("pipeline.engines.vad.silero", "SileroDetector", "finds speech, model in its package"),
    ("gender", "pitch"): Entry("pipeline.engines.gender.pitch", "PitchGender", "by the voice's pitch alone, no model"),
    ("gender", "audio-classifier"): Entry(
        "pipeline.engines.gender.audio_classifier",
        "GenderClassifier",
        "a classifier of transformers whose labels name genders",
        of_model=True,
    ),
    ("encoder", "resemblyzer"): Entry(
        "pipeline.engines.encoder.resemblyzer", "Resemblyzer", "tells people apart, weights in its package"
    ),
    ("encoder", "wavlm"): Entry(
        "pipeline.engines.encoder.wavlm", "WavLM", "x-vectors by WavLM, of transformers", of_model=True
    ),
    ("encoder", "speechbrain"): Entry(
        "pipeline.engines.encoder.speechbrain", "SpeechBrain", "x-vector, ECAPA-TDNN, ResNet", of_model=True
    ),
    ("encoder", "campplus"): Entry(
        "pipeline.engines.encoder.campplus", "Campplus", "CAM++, which CosyVoice speaks with", of_model=True
    ),
    ("quality", "dnsmos"): Entry(
        "pipeline.engines.quality.dnsmos", "Dnsmos", "predicted opinions, models in its package"
    ),
    ("quality", "utmos"): Entry(
        "pipeline.engines.quality.utmos",
        "Utmos",
        "predicted opinions by SpeechMOS or a TorchScript file",
        of_model=True,
    ),
}


def load_engine(kind: str, name: str, models: Mapping[str, Model] | None = None, answers: Place | None = None) -> Any:
    """A ready engine: of the table, or one of the recipe's models.

    Raises RecipeError for an unknown name, EngineUnavailable where it cannot load.
    """
    model = (models or {}).get(name)
    entry = _entry(kind, name, model)
    factory = getattr(_module(entry), entry.factory)
    if model is None:
        if entry.of_model:
            raise RecipeError(f"{name} is no engine by itself: name a model of the recipe's `models`")
        return factory()
    return factory(model, answers) if kind == "text" else factory(model)


def engine_version(kind: str, name: str, models: Mapping[str, Model] | None = None) -> str:
    """Version of the engine, or of the recipe's model, without loading it. Raises like `load_engine`."""
    model = (models or {}).get(name)
    module = _module(_entry(kind, name, model))
    return str(module.version() if model is None else module.version(model))


def check_name(kind: str, name: str, models: Mapping[str, Model]) -> None:
    """RecipeError where there is no such engine of that kind, here or anywhere."""
    _entry(kind, name, models.get(name))


def is_engine(name: str) -> bool:
    """Whether an engine of any kind has that name."""
    return any(known == name for _, known in ENGINES)


def _entry(kind: str, name: str, model: Model | None) -> Entry:
    key = (kind, model.engine if model else name)
    if key in ENGINES:
        return ENGINES[key]
    if model:
        raise RecipeError(f"model {name} is of engine {model.engine}, which is no {kind} engine")
    known = ", ".join(known for of_kind, known in ENGINES if of_kind == kind)
    raise RecipeError(f"no {kind} engine {name!r}; there are: {known}")


def _module(entry: Entry) -> ModuleType:
    try:
        return importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        raise EngineUnavailable(f"{entry.module.rsplit('.', 1)[-1]}: the package {error.name} is missing") from error
