"""The engines, named in one literal table and imported when asked for.

An engine is never swapped for another: what a recipe names is what runs, or the job stops with a sentence.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from manifests.errors import EngineUnavailable, RecipeError


@dataclass(frozen=True, slots=True)
class Entry:
    """Module and class of an engine, and what it is in one line."""

    module: str
    factory: str
    about: str


ENGINES: dict[tuple[str, str], Entry] = {
    ("text", "rules"): Entry("pipeline.engines.rules", "RulesGenerator", "rules, no model: selects and verbalises"),
    ("tts", "flite"): Entry("pipeline.engines.flite", "Flite", "English, small CMU voices"),
    ("tts", "festival"): Entry("pipeline.engines.festival", "Festival", "English, HTS and diphone voices"),
    ("tts", "espeak-ng"): Entry("pipeline.engines.espeak", "Espeak", "Mandarin, formant synthesis"),
    ("tts", "tone"): Entry("pipeline.engines.tone", "ToneSynthesizer", "not speech: a tone for each character"),
    ("watermark", "perth"): Entry("pipeline.engines.perth", "PerthWatermarker", "neural, weights in its package"),
    ("watermark", "tone-mark"): Entry("pipeline.engines.tone", "ToneWatermarker", "a pilot tone, for dry runs only"),
    ("asr", "pocketsphinx"): Entry("pipeline.engines.pocketsphinx", "PocketSphinx", "English, model in its package"),
    ("asr", "tone"): Entry("pipeline.engines.tone", "ToneRecognizer", "not speech: hears the tones by FFT"),
}


def load_engine(kind: str, name: str) -> Any:
    """A ready engine. Raises RecipeError for an unknown name, EngineUnavailable where it cannot load."""
    entry = _entry(kind, name)
    return getattr(_module(entry), entry.factory)()


def engine_version(kind: str, name: str) -> str:
    """Version of the engine, without loading its models. Raises like `load_engine`."""
    entry = _entry(kind, name)
    version = _module(entry).version
    return str(version())


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
