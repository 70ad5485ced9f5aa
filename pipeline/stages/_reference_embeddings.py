"""Loads the reference embedding of each voice, by the recipe's speaker encoder; `assess` compares clips with them.

The first choice is the table beside the bank (`parley voicebank reference-embeddings`), which was made from speech;
the second is the x-vectors of a bank that was built with the same encoder. References of other encoders, or of voices
that have changed since, are refused.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal

from manifests.errors import RecipeError
from manifests.storage import Place
from pipeline.engines.contract import Samples
from pipeline.engines.registry import check_verifier, engine_version
from pipeline.recipe import Recipe
from pipeline.stages.cast import CastSettings, engines_and_models, public_bank, spoken_bank
from voicebank.bank import Bank, bank_place, load_bank
from voicebank.card import read_card
from voicebank.reference_embeddings import read_origin, read_reference_embeddings
from voicebank.tables import VOICES_TABLE, iter_voices
from voicebank.voice import ANY_LANGUAGE, Voice

Kind = Literal["reference embeddings", "xvectors"]


def load_reference_embeddings(recipe: Recipe, speaker: str) -> Mapping[str, Samples]:
    """Return the references by voice_id, float32 [D] of length 1. `speaker` is the encoder as the recipe names it.

    Raises RecipeError if the bank has none of that encoder.
    """
    place = bank_place(recipe.section(CastSettings).bank)
    kind = _kind(place, recipe, speaker)
    return read_reference_embeddings(place) if kind == "reference embeddings" else _xvectors(place)


def castable(recipe: Recipe, bank: Bank) -> list[Voice]:
    """Return the voices that the recipe may cast."""
    spoken, engines = spoken_bank(recipe, bank), engines_and_models(recipe)
    return [voice for voice in spoken.select(engines=engines) if voice.language in (*recipe.languages, ANY_LANGUAGE)]


def reference_embeddings_version(recipe: Recipe, speaker: str) -> str:
    """Return the kind of the references with a hash of them.

    Raises RecipeError if a voice that may be cast has no reference, or if the encoder tells nobody apart.
    """
    check_verifier(speaker, recipe.models)
    vectors = load_reference_embeddings(recipe, speaker)
    named = recipe.section(CastSettings).bank
    place, bank = bank_place(named), load_bank(named)
    kind = _kind(place, recipe, speaker)
    origin = read_origin(place) if kind == "reference embeddings" else None
    if origin and origin.bank != bank.digest:
        raise RecipeError(
            f"the voices of the bank have changed since their reference embeddings were made: {_how(recipe, speaker)}"
        )
    if missing := [voice.voice_id for voice in castable(recipe, bank) if voice.voice_id not in vectors]:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise RecipeError(f"{len(missing)} voices have no {kind} ({shown}): {_how(recipe, speaker)}")
    return f"{kind} {_digest(vectors)[:16]}"


def _kind(place: Place, recipe: Recipe, speaker: str) -> Kind:
    """Return which kind of references the bank has; raises RecipeError if it has none of this encoder."""
    wanted = recipe.engine_of(speaker), engine_version("encoder", speaker, recipe.models)
    origin = read_origin(place)
    if origin and (origin.encoder, origin.label) == wanted:
        return "reference embeddings"
    if (place / VOICES_TABLE).is_file():
        built_with = read_card(place).get("encoder") or {}
        if (built_with.get("engine"), built_with.get("label")) == wanted and _has_xvectors(place):
            return "xvectors"
    found = (
        f"has reference embeddings of {origin.encoder} {origin.label} only"
        if origin
        else "has no reference embeddings"
    )
    raise RecipeError(
        f"assess.speaker: the bank {public_bank(recipe.section(CastSettings).bank)} {found}: {_how(recipe, speaker)}"
    )


def _how(recipe: Recipe, speaker: str) -> str:
    """Return the command that makes the reference embeddings."""
    bank = public_bank(recipe.section(CastSettings).bank)
    return f"parley voicebank reference-embeddings {bank} --recipe {recipe.name} --encoder {speaker}"


def _has_xvectors(place: Place) -> bool:
    return any(vectors is not None for _, vectors in iter_voices(place, xvectors=True))


def _xvectors(place: Place) -> dict[str, Samples]:
    return {
        voice.voice_id: vector
        for voices, vectors in iter_voices(place, xvectors=True)
        if vectors is not None
        for voice, vector in zip(voices, vectors, strict=True)
    }


def _digest(vectors: Mapping[str, Samples]) -> str:
    sha256 = hashlib.sha256()
    for voice_id, vector in sorted(vectors.items()):
        sha256.update(f"\n{voice_id} {vector.size}\n".encode())
        sha256.update(vector.astype("<f4", copy=False).tobytes())
    return sha256.hexdigest()
