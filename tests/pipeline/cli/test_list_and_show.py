"""`list` names what there is, `show` tells all about one: recipes, formats and engines."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import pipeline.recipes
from manifests.errors import RecipeError
from pipeline.cli.main import cli
from pipeline.cli.settings import REQUIRED, setting_rows
from pipeline.engines.asr.whisper import WhisperModel
from pipeline.engines.registry import ENGINES, model_settings
from pipeline.engines.text.openai import OpenAIModel
from pipeline.readers import formats
from pipeline.recipes.load import shipped_recipes
from tests.tables import each_row

SHIPPED = Path(pipeline.recipes.__file__).parent
NAMES = sorted({engine.name for engine in ENGINES.all()})


def parley(*words: str) -> str:
    result = CliRunner().invoke(cli, words, catch_exceptions=False, standalone_mode=False)
    return result.stdout


def table(words: Sequence[str]) -> list[list[str]]:
    return [line.split("\t") for line in parley(*words).splitlines()]


def test_every_recipe_is_listed_with_what_it_is() -> None:
    rows = table(["recipes", "list"])
    assert [name for name, _ in rows] == shipped_recipes()
    assert all(description.strip() for _, description in rows)


@each_row("name", shipped_recipes())
def test_a_recipe_is_shown_as_it_ships(name: str) -> None:
    shown = parley("recipes", "show", name)
    assert shown == (SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(shown)["name"] == name


def test_a_recipe_of_ones_own_is_shown_with_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("# why\nname: mine\n", encoding="utf-8")
    assert parley("recipes", "show", str(file)) == "# why\nname: mine\n"


def test_every_format_is_listed() -> None:
    assert table(["formats", "list"]) == [[name, entry.about] for name, entry in formats().items()]


@each_row("name", list(formats()))
def test_a_format_is_shown_with_its_keys_and_a_row(name: str) -> None:
    shown = dict(table(["formats", "show", name]))
    assert shown["about"] == formats()[name].about
    assert set(shown["keys"].split(", ")) == formats()[name].keys <= json.loads(shown["example"]).keys()


def test_every_engine_is_listed_with_its_state() -> None:
    rows = table(["engines", "list"])
    assert [(kind, name) for kind, name, *_ in rows] == [(e.kind, e.name) for e in ENGINES.all()]
    assert all(row[2].startswith(("works, ", "missing: ")) for row in rows)


@each_row("name", NAMES)
def test_an_engine_is_shown_for_each_kind_that_it_is_of(name: str) -> None:
    sections = parley("engines", "show", name).rstrip("\n").split("\n\n")
    of_name = [(entry.kind, entry) for entry in ENGINES.named(name)]
    for (kind, entry), section in zip(of_name, sections, strict=True):
        first, second, third, *settings = [line.split("\t") for line in section.splitlines()]
        assert (first, second) == (["kind", kind], ["about", entry.about])
        assert third[0] == "version" and third[1].startswith(("works, ", "missing: "))
        assert (settings[0][0] != "settings") == bool(entry.settings)
        if bool(entry.settings):
            assert [row[0] for row in settings if not row[2].strip()] == []


def test_settings_are_listed_with_default_and_meaning_and_sections_are_entered() -> None:
    rows = {path: (default, meaning) for path, default, meaning in setting_rows(WhisperModel)}
    assert rows["model"] == (REQUIRED, "model name on the server, hub id, or local checkpoint")
    assert rows["backend"][0] == '"transformers"'
    assert rows["serving.device"][0] == '"auto"'
    assert not {"engine", "serving"} & rows.keys()
    assert model_settings("whisper") is WhisperModel
    assert model_settings("flite") is None


def test_sections_in_sections_are_entered_too() -> None:
    rows = {path: default for path, default, _ in setting_rows(OpenAIModel)}
    assert (rows["serving.price.prompt"], rows["serving.price.cached"]) == ("0", "null")


@pytest.mark.parametrize(("what", "known"), [("recipes", "tone-dry-run"), ("formats", "alpaca"), ("engines", "flite")])
def test_an_unknown_name_is_one_line_that_names_the_others(what: str, known: str) -> None:
    with pytest.raises(RecipeError, match=rf"^no {what[:-1]} 'nope'; .*{known}"):
        parley(what, "show", "nope")


def test_a_file_that_is_no_text_is_an_error_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match=r"^recipe\.yaml: cannot be read as a text file"):
        parley("recipes", "show", str(file))
