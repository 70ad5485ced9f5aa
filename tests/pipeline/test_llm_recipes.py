"""The recipes that ask language models: what the sources say stands in them, and every name in them is known."""

from itertools import pairwise

import pytest

from pipeline.cli.model_commands import models_of_recipe
from pipeline.engines.tts import openai_speech
from pipeline.job.gpu_hours import server_gpus
from pipeline.prompts import named_digest
from pipeline.recipes.load import load_recipe, shipped_recipes
from pipeline.stages.cast import CastSettings
from pipeline.stages.converse import ConverseSettings
from pipeline.stages.gate import GateSettings
from pipeline.stages.registry import find_stage
from pipeline.stages.respond import RespondSettings, polishes_questions
from pipeline.stages.rewrite import RewriteSettings
from pipeline.stages.screen import ScreenSettings
from pipeline.stages.synthesize import SynthesizeSettings
from pipeline.stages.transcribe import TranscribeSettings
from pipeline.stages.watermark import WatermarkSettings
from pipeline.weights.table import load_table

LOCAL = ("ke-speechchat-local", "instructs2s-local")
NAMES = ("ke-speechchat", "ke-speechchat-2026", "instructs2s", "instructs2s-multiturn", "voiceassistant", *LOCAL)


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_ships_and_asks_models(name: str) -> None:
    recipe = load_recipe(name)
    assert name in shipped_recipes()
    assert recipe.name == name
    assert {recipe.section(RewriteSettings).engine, recipe.section(RespondSettings).engine} <= set(recipe.models)


@pytest.mark.parametrize("name", NAMES)
def test_every_prompt_of_the_recipe_is_in_the_store_in_each_of_its_languages(name: str) -> None:
    recipe = load_recipe(name)
    named = [prompt for stage in map(find_stage, recipe.stages) for prompt in stage.prompts(recipe)]
    assert len(named) >= 4
    for prompt in named:
        assert named_digest(prompt, recipe.languages)


@pytest.mark.parametrize("name", NAMES)
def test_units_are_in_flight_where_models_answer_and_enough_to_fill_their_servers(name: str) -> None:
    recipe = load_recipe(name)
    for pool in recipe.pools.values():
        assert (pool.blocks_in_flight > 1) == (not any(find_stage(stage).treats_takes for stage in pool.stages))
    most = max(model.serving.concurrency for model in recipe.models.values() if model.engine == "openai")
    assert max(pool.blocks_in_flight for pool in recipe.pools.values()) * recipe.block_rows >= most


def test_ke_speechchat_is_as_the_source_says() -> None:
    recipe = load_recipe("ke-speechchat")
    model_of = {name: getattr(model, "model", None) for name, model in recipe.models.items()}
    assert recipe.languages == ("en", "zh")
    assert (
        model_of[recipe.section(RewriteSettings).engine]
        == model_of[recipe.section(ScreenSettings).engine]
        == "Qwen/Qwen2.5-14B-Instruct"
    )
    assert model_of[recipe.section(ScreenSettings).safety or ""] == "Qwen/Qwen2-72B-Instruct"
    assert model_of[recipe.section(RespondSettings).engine] == "Qwen/Qwen2.5-72B-Instruct"
    assert recipe.section(RewriteSettings).fragments
    assert recipe.texts.answer_limit == 100
    assert (recipe.section(GateSettings).cer_limit, recipe.section(GateSettings).wer_limit) == (0.05, 0.10)
    assert recipe.engine_of(recipe.section(WatermarkSettings).engine) == "audioseal"
    assert {
        language: model_of[recipe.section(TranscribeSettings).engine_for(language) or ""]
        for language in recipe.languages
    } == {
        "en": "openai/whisper-large-v3-turbo",
        "zh": "BELLE-2/Belle-whisper-large-v3-turbo-zh",
    }
    assert all(polishes_questions(recipe, language) for language in recipe.languages)


def test_ke_speechchat_2026_differs_in_what_speaks_and_hears_alone() -> None:
    old, new = load_recipe("ke-speechchat"), load_recipe("ke-speechchat-2026")
    same = [name for name in old.stages if name not in ("synthesize", "transcribe")]
    assert {name: new.stages[name] for name in same} == {name: old.stages[name] for name in same}
    assert list(new.stages) == list(old.stages)
    texts = ("rewriter", "safety", "responder", "marker")
    assert [new.content()["models"][name] for name in texts] == [old.content()["models"][name] for name in texts]
    heard = new.section(TranscribeSettings)
    assert heard.second_hears == "all" and {heard.engine_for("zh"), heard.second_for("zh")} == {
        "listener",
        "other-listener",
    }
    assert server_gpus(new) == 8
    for name in new.section(SynthesizeSettings).engine:
        assert openai_speech.version(new.models[name]).startswith("Qwen/Qwen3-TTS-12Hz-1.7B-Base@unpinned vllm-omni-")


@pytest.mark.parametrize(
    ("name", "model", "agents"),
    [
        ("instructs2s", "meta-llama/Meta-Llama-3-70B-Instruct", "one"),
        ("instructs2s-multiturn", "meta-llama/Llama-3.3-70B-Instruct", "one"),
        ("voiceassistant", "gpt-4o", "one"),
    ],
)
def test_one_model_writes_and_one_voice_answers(name: str, model: str, agents: str) -> None:
    recipe = load_recipe(name)
    assert [m.model for m in recipe.models.values() if m.engine == "openai"] == [model]
    assert recipe.section(CastSettings).agents == agents
    assert recipe.languages == ("en",)
    assert (recipe.section(ScreenSettings).engine, recipe.section(ScreenSettings).safety) == ("rules", None)
    assert not recipe.section(RewriteSettings).fragments
    assert not polishes_questions(recipe, "en")


def test_instructs2s_takes_first_exchanges_and_the_multi_turn_corpus_carries_them_on() -> None:
    single, several = load_recipe("instructs2s"), load_recipe("instructs2s-multiturn")
    assert single.exchanges == several.exchanges == "first"
    assert single.section(RewriteSettings).fillers and several.section(RewriteSettings).fillers
    assert single.find(ConverseSettings) is None
    further = several.section(ConverseSettings)
    assert (further.turns_mean, further.turns_max) == (2.0, 5)


@pytest.mark.parametrize(
    ("overrides", "model", "engine"),
    [
        (
            ["models.rewriter={engine: vllm, model: Qwen/Qwen2.5-14B-Instruct}", "pools.questions.gpus=1"],
            "rewriter",
            "vllm",
        ),
        (["models.responder.serving.base_url=http://10.0.0.1/v1"], "responder", "openai"),
    ],
)
def test_a_model_may_run_elsewhere(overrides: list[str], model: str, engine: str) -> None:
    assert load_recipe("ke-speechchat", overrides).models[model].engine == engine


@pytest.mark.parametrize("name", NAMES)
def test_the_stages_stand_in_the_order_of_a_row(name: str) -> None:
    stages = load_recipe(name).stages
    order = [
        "rewrite",
        "screen",
        "dedup",
        "respond",
        "converse",
        "cast",
        "synthesize",
        "render",
        "watermark",
        "transcribe",
        "assess",
        "gate",
    ]
    assert all(order.index(a) < order.index(b) for a, b in pairwise(stages))


@pytest.mark.parametrize("name", LOCAL)
def test_a_local_recipe_needs_no_gpu_no_hub_at_run_time_and_one_small_language_model(name: str) -> None:
    recipe = load_recipe(name)
    assert not any(pool.gpus for pool in recipe.pools.values())
    named = models_of_recipe(name)
    assert {model.model for model in recipe.models.values()} == set(named)
    (language_model,) = (model for model in recipe.models.values() if model.engine == "openai")
    assert language_model.serving.base_url == "http://127.0.0.1:8080/v1", "where `parley models serve` answers"
    assert any(path.endswith(".gguf") for path in named[language_model.model].files)


@pytest.mark.parametrize(
    ("local", "paper"), [("ke-speechchat-local", "ke-speechchat"), ("instructs2s-local", "instructs2s")]
)
def test_a_local_recipe_asks_as_the_papers_does(local: str, paper: str) -> None:
    one, other = load_recipe(local), load_recipe(paper)
    asking = (RewriteSettings, RespondSettings)
    assert [one.section(kind).prompt for kind in asking] == [other.section(kind).prompt for kind in asking]
    assert one.section(ScreenSettings).engine == "rules", "small models are no judges: docs/language-models.md"
    assert one.section(RewriteSettings).fragments == other.section(RewriteSettings).fragments
    assert (one.texts.answer_limit, one.exchanges) == (other.texts.answer_limit, other.exchanges)
    kept = [stage for stage in other.stages if stage != "assess"]
    assert list(one.stages) == kept


def test_another_model_of_the_table_may_write() -> None:
    fetched = models_of_recipe("ke-speechchat-local", ["models.writer.model=smollm2-135m-instruct"])
    assert list(fetched) == ["smollm2-135m-instruct", "kokoro-82m", "whisper-base"]
    assert all(load_table()[name].license in {"Apache-2.0", "MIT"} for name in fetched)
