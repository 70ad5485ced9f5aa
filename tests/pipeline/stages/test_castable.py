"""Banks with clips are cast on every engine that clones; banks that do not fit end the job at its start."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import RecipeError
from manifests.storage import open_place
from parley.testing import tone_recipe
from pipeline.recipe import Recipe
from pipeline.stages.cast import open_casting
from pipeline.stages.synthesize import speaks_with
from voicebank.card import write_card
from voicebank.tables import VoiceWriter
from voicebank.voice import Voice

WIDTH = 192


def recipe(bank: Path, *models: str) -> Recipe:
    """A recipe with the named models: `here` and `there` are servers that clone, `names` one that does not."""
    of_servers = {
        name: f"{{engine: openai-speech, model: {name}, send_reference: {str(name != 'names').lower()}}}"
        for name in ("here", "there", "names")
    }
    settings = {**of_servers, "cosy": "{engine: cosyvoice, model: m, serving: {run_model_code: true}}"}
    chosen = [f"models.{name}={settings[name]}" for name in models if name in settings]
    return tone_recipe(f"synthesize.engine=[{', '.join(models)}]", f"cast.bank={bank}", *chosen)


def bank(directory: Path, **facts: Any) -> Path:
    """Twenty virtual voices of CosyVoice, with what `facts` say of each."""
    place = open_place(directory)
    prompt = {"prompt_audio": b"fLaC", "prompt_text": "Hello."}
    whole = {"engine": "cosyvoice", "embedding": _unit(WIDTH), "parents": ("a", "b"), "weights": (0.5, 0.5), **prompt}
    with VoiceWriter(place) as writer:
        writer.write(
            [
                Voice(f"v-{n}", **{"speaker": "v", "language": "en", "gender": "female", **whole, **facts})
                for n in range(20)
            ]
        )
    write_card(place, {"name": directory.name})
    return directory


def _unit(width: int) -> np.ndarray[Any, Any]:
    return np.full(width, width**-0.5, np.float32)


def engines_of(chosen: Recipe) -> set[str]:
    casting = open_casting(chosen)
    return {speaks_with(chosen, casting[casting.user_at("en", n, 0) or ""].engine) for n in range(20)}


def test_a_voice_is_cast_on_its_own_engine_or_on_those_that_clone(tmp_path: Path) -> None:
    voices = bank(tmp_path / "bank")
    assert engines_of(recipe(voices, "cosy")) == {"cosy"}
    assert engines_of(recipe(voices, "cosy", "here")) == {"cosy"}
    assert engines_of(recipe(voices, "here")) == {"here"}
    assert engines_of(recipe(voices, "here", "there")) == {"here", "there"}, "two models of one engine"
    casting = open_casting(recipe(voices, "here"))
    voice = casting["v-3"]
    assert (voice.engine, voice.embedding, voice.parents, voice.prompt_audio) == ("openai-speech", None, (), b"fLaC")


def test_what_does_not_fit_ends_the_job_in_one_sentence(tmp_path: Path) -> None:
    unprompted = {"prompt_audio": None, "prompt_text": None}
    clip = {"engine": "openai-speech", "embedding": None}
    for name, facts, models, why in [
        ("vectors", unprompted, ("here",), "no voice for openai-speech.*`parley voicebank voice-prompts` gives its"),
        ("wide", {**unprompted, "embedding": _unit(64)}, ("cosy",), "embedding of voice v-0 has 64 numbers, 192"),
        ("clips", {**clip, "parents": (), "weights": ()}, ("names",), "is a clip, where a name is wanted"),
        ("of-servers", {**unprompted, "engine": "openai-speech"}, ("here",), "an embedding, where clips or names"),
        ("torn", {**unprompted, **clip}, ("here", "there"), "two models use the engine openai-speech, and voice v-0"),
    ]:
        chosen = recipe(bank(tmp_path / name, **facts), *models)
        with pytest.raises(RecipeError, match=why) as error:
            open_casting(chosen)
        assert "\n" not in str(error.value)
