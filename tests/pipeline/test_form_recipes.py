"""The recipes after papers that describe sequences: what the sources say stands in them, and a dry run reaches the
exporter."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from manifests.corpus import Corpus
from manifests.forms.omniflatten import SILENT_SPEECH, SILENT_TEXT, Chunks, speech_code, streams_of
from parley.testing.exports import export_to
from pipeline.recipes.load import load_recipe, shipped_recipes
from pipeline.stages.arrange import ArrangeSettings
from pipeline.stages.mix import MixSettings
from pipeline.stages.screen import ScreenSettings
from pipeline.stages.tokenize import TokenizeSettings
from tests.pipeline.tone_job import make_job, run_tone

NAMES = ("omniflatten", "syncllm", "speechgpt", "spirit-lm")


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}-offline" for name in NAMES)])
def test_the_recipe_ships_and_makes_tokens(name: str) -> None:
    recipe = load_recipe(name)
    assert name in shipped_recipes() and list(recipe.stages)[-2:] == ["tokenize", "gate"]
    assert recipe.section(TokenizeSettings).engine == (("tone",) if name.endswith("-offline") else ("units",))
    assert (recipe.exchanges == "first") == name.startswith("speechgpt"), "a chain has one exchange"
    assert ("align" in recipe.stages) == name.startswith(("syncllm", "spirit-lm"))


@pytest.mark.parametrize("name", ["omniflatten", "omniflatten-offline"])
def test_omniflatten_is_as_the_source_says(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.texts.answer_limit == recipe.section(ScreenSettings).max_words == 200
    assert recipe.section(ArrangeSettings).profile == "omniflatten"
    mix = recipe.section(MixSettings)
    assert mix.noise is not None and mix.noise.snr_db == (15, 25) and mix.noise.share == 1
    assert (mix.room, mix.gain, mix.echo, mix.telephone) == (None,) * 4, "noise alone"


def test_chains_have_short_answers() -> None:
    assert load_recipe("speechgpt").texts.answer_limit == 35


def test_a_job_of_two_channels_is_flattened(tmp_path: Path) -> None:
    """Tones, from the text to the tokens of both channels, by the stages and the profile of the recipe."""
    rows = [{"instruction": f"What is the capital of country {i}?", "output": f"It is city {i}."} for i in range(2)]
    (tmp_path / "in.json").write_text(json.dumps(rows))
    stages = ("arrange={profile: omniflatten}", "mix={}", "tokenize={engine: tone, of: both}")
    run_tone(make_job(str(tmp_path / "in.json"), *stages), tmp_path / "corpus")
    corpus = Corpus(str(tmp_path / "corpus"))
    assert len(corpus) == 2
    settings = {"tokenizer": "tone:5", "text_tokenizer": "characters", "characters_per_token": 4.0}
    result, out = export_to("omniflatten", {"train": corpus}, tmp_path / "out", **settings)
    assert (result.written, dict(result.refused)) == (2, {})
    for dialogue, row in zip(corpus, pq.read_table(out / "data").to_pylist(), strict=True):
        streams = streams_of(row["tokens"], Chunks(10, 2))
        assert dialogue.timeline is not None and dialogue.timeline.duration_s * 50 <= len(streams.user)
        said = [number for number, token in enumerate(streams.agent) if token != SILENT_SPEECH]
        agent = dialogue.turns[1]
        [spoken] = [event for event in dialogue.timeline.events if (event.kind, event.turn) == ("turn", 1)]
        assert abs(said[0] - spoken.start_sample / 320) <= 1 and len(said) == said[-1] - said[0] + 1
        assert abs(len(said) - (spoken.end_sample - spoken.start_sample) / 320) <= 1
        assert agent.take is not None and agent.take.tokens[0].tokenizer == "tone"
        codes = [speech_code(streams.agent[frame]) for frame in said]
        assert len(set(codes)) > 2, "tones of several characters"
        text = [token for token in streams.text if token != SILENT_TEXT]
        assert "".join(text) == agent.text
        assert streams.text.index(text[0]) == 2 * (said[0] // 10)
