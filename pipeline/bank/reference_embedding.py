"""Implements `parley voicebank reference-embeddings`: every voice of a bank speaks, a speaker encoder embeds it.

The mean embedding of each voice's probe sentences is stored (`voicebank.reference_embeddings`), and `assess` compares
clips with it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from manifests.errors import UserError
from manifests.storage import Place
from pipeline.bank.probe import BATCH, SENTENCES, Sentences, speak_and_encode
from pipeline.engines.contract import Samples, SpeakerEncoder, SpeechSynthesizer
from pipeline.engines.registry import load_engine, load_verifier
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from pipeline.stages._reference_embeddings import castable
from pipeline.stages.assess import AssessSettings
from pipeline.stages.cast import speaking_engines
from pipeline.stages.synthesize import speaks_with
from voicebank.bank import bank_place, load_bank, shipped_banks
from voicebank.reference_embeddings import Origin, write_reference_embeddings
from voicebank.voice import Voice


def embed_bank(
    bank: str,
    recipe_name: str,
    overrides: Sequence[str],
    encoder: str | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[str, bool]:
    """Return the outcome for people, and whether every voice of the recipe's engines has its reference embedding."""
    recipe = load_recipe(recipe_name, overrides)
    assess = recipe.find(AssessSettings)
    name = encoder or (assess.speaker if assess else None)
    if name is None:
        raise UserError("--encoder is missing, and the recipe's assess.speaker names none: add --encoder NAME")
    place, loaded = _writable(bank), load_bank(bank)
    voices = castable(recipe, loaded)
    if not voices:
        raise UserError(f"the bank {loaded.name} has no voice for {', '.join(speaking_engines(recipe))}")
    hearing: SpeakerEncoder = load_verifier(name, recipe.models)
    synthesizers = _synthesizers(recipe, voices)
    vectors, failures = reference_embeddings(voices, synthesizers, hearing, progress=progress)
    versions = {engine: synthesizer.version for engine, synthesizer in synthesizers.items()}
    if vectors:
        origin = Origin(recipe.engine_of(name), hearing.version, loaded.digest, versions)
        write_reference_embeddings(place, origin, vectors)
    lines = [f"not measured: {voice_id}: {why}" for voice_id, why in failures.items()]
    return "\n".join([*lines, f"{len(vectors):,} of {len(voices):,} voices have a reference embedding"]), not failures


def reference_embeddings(
    voices: Sequence[Voice],
    synthesizers: Mapping[str, SpeechSynthesizer],
    encoder: SpeakerEncoder,
    sentences: Sentences = SENTENCES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[dict[str, Samples], dict[str, str]]:
    """Return each voice's mean embedding by voice_id, float32 [D] of length 1, and why other voices have none."""
    vectors: dict[str, Samples] = {}
    failures: dict[str, str] = {}
    for begin in range(0, len(voices), BATCH):
        for voice, found in speak_and_encode(voices[begin : begin + BATCH], synthesizers, encoder, sentences):
            if isinstance(found, str):
                failures[voice.voice_id] = found
            else:
                mean = found.mean(axis=0, dtype=np.float64)
                vectors[voice.voice_id] = (mean / np.linalg.norm(mean)).astype(np.float32)
        progress(min(begin + BATCH, len(voices)), len(voices))
    return vectors, failures


def _writable(bank: str) -> Place:
    if bank in shipped_banks():
        raise UserError(
            f"the bank {bank} ships with Parley and is never changed: copy its directory, and name the copy"
        )
    return bank_place(bank)


def _synthesizers(recipe: Recipe, voices: Sequence[Voice]) -> dict[str, Any]:
    spoken = {voice.engine for voice in voices}
    return {engine: load_engine("tts", speaks_with(recipe, engine), recipe.models) for engine in sorted(spoken)}
