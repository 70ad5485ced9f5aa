"""Recipes: the ones that ship load, and what is wrong with one is said at once and in one line."""

from pathlib import Path

import pytest

from manifests.errors import RecipeError
from manifests.manifest import recipe_digest
from manifests.storage import open_place
from pipeline.bank.recipe import load_bank_recipe
from pipeline.engines.registry import ENGINES
from pipeline.job.ingest import IngestOptions
from pipeline.job.job import Job
from pipeline.job.listener import Listener
from pipeline.job.run import run_job
from pipeline.job.runner.local import LocalRunner
from pipeline.job.worker import engines_of
from pipeline.recipes.load import load_recipe, shipped_recipes
from pipeline.scoring.duration import default_limits
from pipeline.stages.gate import GateSettings
from pipeline.stages.synthesize import SynthesizeSettings
from pipeline.stages.transcribe import TranscribeSettings
from tests.tables import each_row

AFTER_THE_PAPERS = ["instructs2s", "instructs2s-multiturn", "ke-speechchat", "voiceassistant"]


@each_row("name", shipped_recipes())
def test_every_shipped_recipe_loads_and_names_known_engines(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    keys = engines_of(recipe, recipe.stages)
    assert all(ENGINES.named(recipe.engine_of(engine), kind) for kind, engine in keys)
    assert ("tts", "cosyvoice") in {(kind, recipe.engine_of(engine)) for kind, engine in keys} or (
        name not in AFTER_THE_PAPERS
    )


@pytest.mark.parametrize("name", AFTER_THE_PAPERS)
def test_a_bank_that_the_engines_cannot_speak_with_is_heard_of_before_any_work(name: str, tmp_path: Path) -> None:
    job = Job(load_recipe(name), 0, [], IngestOptions())
    with pytest.raises(RecipeError, match="the bank offline has no voice for cosyvoice; name one that has"):
        run_job(job, open_place(tmp_path / "out"), LocalRunner(), Listener())
    assert not (tmp_path / "out").exists()


def test_the_thresholds_of_ke_speechchat() -> None:
    gate = load_recipe("ke-speechchat-offline").section(GateSettings)
    assert (gate.cer_limit, gate.wer_limit) == (0.05, 0.10)
    assert load_recipe("ke-speechchat-offline").texts.answer_limit == 100


@each_row(
    ("override", "message"),
    [
        ("gate.wer_limt=0.2", r"gate.wer_limt: there is no such key; did you mean 'wer_limit'\?"),
        ("texts.answr_limit=9", r"texts.answr_limit: there is no such key; did you mean 'answer_limit'\?"),
        ("models.m={engine: openai, model: m, serving: {base: x}}", r"serving.base: .*; did you mean 'base_url'\?"),
        ("pools.all.wokers=1", r"pools.all.wokers: there is no such key; did you mean 'workers'\?"),
        ("gate.ladder=[{rat: 0.9}]", r"gate.ladder.0.rat: there is no such key; did you mean 'rate'\?"),
        ("gaet.wer_limit=0.2", r"no key 'gaet'; did you mean 'gate'\?"),
        ("gate.wer_limit=.nan", "not a number"),
        ("block_rows=99999999999999999999", "too large"),
        ("render.edge_silence_ms=999999999999", "render.edge_silence_ms: Input should be less than"),
        ("name=" + "9" * 5000, "digits"),
        ("stages=5", "list at least one"),
        ("gate.wer_limit=1.5", "gate.wer_limit: Input should be less than or equal to 1"),
        ("gate.wer_limit=ten", "gate.wer_limit: Input should be a valid number"),
        ("watermark.codec=mp3", "watermark.codec: Input should be 'flac' or 'wav'"),
        ("pools.all.stages=[gates]", "pools.all: there is no stage 'gates'"),
        ("pools={a: {stages: [rewrite, gate]}, b: {stages: [cast]}}", "pools.a: its stages are not neighbors"),
        ("pools.all.stages=[screen, rewrite]", "pools.all: name its stages in the order of the recipe: rewrite, "),
        ("gate", "write it as key.path=value"),
        ("name.first=x", "name is not a section"),
        ("gate.ladder=[{", "not valid YAML"),
        ("models.rules={engine: openai, model: m}", "models: rules is the name of an engine"),
        ("models.flite={engine: openai-speech, model: m}", "models: flite is the name of an engine"),
        ("synthesize.engine=[tone, tone]", "tone stands there twice"),
        ("models.x={engine: nothing, model: m}", "models.x.engine: no engine 'nothing' takes a model"),
        ("gate.ladder=[{rate: 0.2}]", "gate.ladder.0.rate: Input should be greater than 0.3"),
    ],
)
def test_a_wrong_override_is_named(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("tone-dry-run", [override])


def test_all_problems_come_in_one_message() -> None:
    with pytest.raises(RecipeError) as error:
        load_recipe("tone-dry-run", ["gate.wer_limit=2", "rendr.x=1", "exchanges=some"])
    assert all(word in str(error.value) for word in ("gate.wer_limit", "rendr", "exchanges"))


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(
        RecipeError,
        match=r"no recipe 'ke'; a YAML file, or one of: .*instructs2s, instructs2s-local, instructs2s-multiturn, ",
    ):
        load_recipe("ke")


def test_a_recipe_may_be_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: [", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"mine\.yaml: not valid YAML"):
        load_recipe(str(path))
    path.write_text("- a list", encoding="utf-8")
    with pytest.raises(RecipeError, match="a recipe is a mapping"):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("override", "changes"),
    [
        ("gate.wer_limit=0.2", True),
        ("gate.wer_limit=0.1", False),
        ("block_rows=8", True),
        ("description=another", False),
        ("pools.all.workers=7", False),
    ],
)
def test_the_digest_is_of_what_changes_the_corpus(override: str, changes: bool) -> None:
    before = recipe_digest(load_recipe("tone-dry-run").content(), 0)
    after = recipe_digest(load_recipe("tone-dry-run", [override]).content(), 0)
    assert (before != after) == changes


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert recipe_digest({"a": 1, "b": {"c": 2, "d": 3}}, 0) == recipe_digest({"b": {"d": 3, "c": 2}, "a": 1}, 0)


def test_an_engine_name_stands_for_a_list_or_for_all_languages() -> None:
    recipe = load_recipe("tone-dry-run", ["synthesize.engine=flite", "transcribe.engine=pocketsphinx"])
    assert recipe.section(SynthesizeSettings).engine == ("flite",)
    assert recipe.section(TranscribeSettings).engine_for("zh") == "pocketsphinx"
    assert load_recipe("ke-speechchat-offline").section(TranscribeSettings).engine_for("zh") is None


@pytest.mark.parametrize(("language", "section"), [("en", "spaced_speed"), ("zh", "unspaced_speed")])
def test_the_speeds_of_a_recipe_are_those_of_the_scoring_unless_it_says_otherwise(language: str, section: str) -> None:
    speed, limits = (
        getattr(load_recipe("ke-speechchat-offline").section(GateSettings), section),
        default_limits(language),
    )
    assert (speed.slowest, speed.fastest, speed.pause_s) == (limits.slowest, limits.fastest, limits.pause_s)


@each_row(
    ("data", "message"),
    [
        (b"name: caf\xe9\n", "cannot be read as a text file"),
        (b"[" * 10_000, "nested too deep"),
        (b"name: a\nname: b\n", "line 2: the key 'name' is there twice"),
        (b"name: x\ndescription: y\nlanguages: &a [*a]\n", "an anchor that holds itself"),
        (b"- a\n", "a recipe is a mapping of sections"),
        (b"name: x\nstages: 5\n", "list at least one"),
        (b"name: x\norder: 5\n", "order: a list of the names of stages"),
        (b"name: x\nstages: [{gate: {}, cast: {}}]\n", "write each as a name"),
    ],
)
def test_a_file_that_is_no_recipe(data: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(data)
    for load in (load_recipe, load_bank_recipe):
        with pytest.raises(RecipeError, match=r"^[^\n]+$") as error:
            load(str(file))
        assert load is load_bank_recipe or message in str(error.value)


def test_a_name_that_is_too_long_for_a_file_is_an_unknown_recipe() -> None:
    with pytest.raises(RecipeError, match=r"cannot be read|no recipe"):
        load_recipe("x" * 300)
