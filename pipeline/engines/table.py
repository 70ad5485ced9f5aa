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

    A factory takes nothing; that of a language model (`of_model`) takes the recipe's `Model` and the `Place` where
    answers are stored, or None. Its module's `version(model=None)` gives the library's version, or the model's.
    """

    module: str
    factory: str
    about: str
    of_model: bool = False


ENGINES: dict[tuple[str, str], Entry] = {
    ("text", "rules"): Entry("pipeline.engines.rules", "RulesGenerator", "rules, no model: selects and verbalises"),
    ("text", "openai"): Entry(
        "pipeline.engines.chat.openai_model", "open_generator", "any server of the OpenAI chat kind", of_model=True
    ),
    ("text", "vllm"): Entry(
        "pipeline.engines.chat.vllm_model", "open_generator", "vLLM in the worker's own process", of_model=True
    ),
    ("tts", "flite"): Entry("pipeline.engines.flite", "Flite", "English, small CMU voices"),
    ("tts", "festival"): Entry("pipeline.engines.festival", "Festival", "English, HTS and diphone voices"),
    ("tts", "espeak-ng"): Entry("pipeline.engines.espeak", "Espeak", "Mandarin, formant synthesis"),
    ("tts", "tone"): Entry("pipeline.engines.tone", "ToneSynthesizer", "not speech: a tone for each character"),
    ("watermark", "perth"): Entry("pipeline.engines.perth", "PerthWatermarker", "neural, weights in its package"),
    ("watermark", "tone-mark"): Entry("pipeline.engines.tone", "ToneWatermarker", "a pilot tone, for dry runs only"),
    ("asr", "pocketsphinx"): Entry("pipeline.engines.pocketsphinx", "PocketSphinx", "English, model in its package"),
    ("asr", "tone"): Entry("pipeline.engines.tone", "ToneRecognizer", "not speech: hears the tones by FFT"),
}


def load_engine(kind: str, name: str, models: Mapping[str, Model] | None = None, answers: Place | None = None) -> Any:
    """A ready engine: of the table, or for kind "text" also one of the recipe's models.

    Raises RecipeError for an unknown name, EngineUnavailable where it cannot load.
    """
    if kind == "text" and models and name in models:
        entry = _entry(kind, models[name].engine)
        return getattr(_module(entry), entry.factory)(models[name], answers)
    entry = _entry(kind, name)
    if entry.of_model:
        raise RecipeError(f"{name} is no engine by itself: name a model of the recipe's `models`")
    return getattr(_module(entry), entry.factory)()


def engine_version(kind: str, name: str, models: Mapping[str, Model] | None = None) -> str:
    """Version of the engine, or of the recipe's model, without loading it. Raises like `load_engine`."""
    if kind == "text" and models and name in models:
        return str(_module(_entry(kind, models[name].engine)).version(models[name]))
    return str(_module(_entry(kind, name)).version())


def _entry(kind: str, name: str) -> Entry:
    if (kind, name) not in ENGINES:
        known = ", ".join(known for of_kind, known in ENGINES if of_kind == kind)
        raise RecipeError(f"no {kind} engine {name!r}; there are: {known}")
    return ENGINES[kind, name]


def _module(entry: Entry) -> ModuleType:
    try:
        return importlib.import_module(entry.module)
    except ModuleNotFoundError as error:
        raise EngineUnavailable(f"{entry.module.rsplit('.', 1)[-1]}: the package {error.name} is missing") from error
