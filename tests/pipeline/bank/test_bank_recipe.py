"""Bank recipes: those that ship, what is refused, what is part of the bank and what is not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from manifests.errors import RecipeError
from manifests.manifest import recipe_digest
from pipeline.bank.recipe import BankRecipe, load_bank_recipe, parse_bank_recipe, shipped_bank_recipes
from tests.pipeline.bank.bank_corpora import RECIPE
from tests.tables import each_row


def test_what_ships() -> None:
    assert shipped_bank_recipes() == ["ke-bank", "packaged-bank", "qwen3-bank", "synthesizer-bank"]
    ke = load_bank_recipe("ke-bank")
    assert (ke.quality.threshold, ke.groups.min_clips, ke.pair_rule.threshold) == (4.0, 10, 0.97)
    assert ke.pair_rule.min_pairs == "floor(n/2)"
    packaged = load_bank_recipe("packaged-bank")
    assert packaged.models == {}
    assert set(packaged.engines.values()) == {
        ("encoder", "resemblyzer"),
        ("vad", "silero"),
        ("quality", "dnsmos"),
        ("gender", "pitch"),
    }


def test_every_value_of_the_ke_bank_says_where_it_comes_from() -> None:
    text = Path(__file__).parents[3].joinpath("pipeline/bank/recipes/ke-bank.yaml").read_text()
    body = text[text.index("models:") :]
    untold = [
        line
        for line in body.splitlines()
        if ": " in line and not line.lstrip().startswith("#") and not any(tag in line for tag in TAGS)
    ]
    assert untold == ["  encoder: wavlm-sv"]


TAGS = ("[source]", "[inferred]", "[ours]")


@each_row(
    ("changes", "words"),
    [
        ({"pair_rule": {"encoder": "bands", "threshold": 0.9, "min_pairs": "most"}}, r"pair_rule\.min_pairs.*share"),
        ({"pair_rule": {"encoder": "bands", "threshold": 1.5}}, r"pair_rule\.threshold"),
        ({"pair_rule": {"encoder": "bands"}}, r"pair_rule\.threshold: Field required"),
        ({"groups": {"min_clips": 1}}, r"groups\.min_clips"),
        ({"groups": {"min_clips": 10, "max_clips": 9}}, "max_clips is smaller than min_clips"),
        ({"clips": {"min_s": 9, "max_s": 3}}, "min_s is larger than max_s"),
        ({"quality": {"scale": "utmos"}}, r"quality\.scale"),
        (
            {"models": {"pitch": {"engine": "wavlm", "model": "x"}, "flite": {"engine": "wavlm", "model": "x"}}},
            "flite",
        ),
        ({"sped": 1, "block_clips": 0}, r"(?s)block_clips.*sped"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        parse_bank_recipe(RECIPE | changes)


def test_where_the_work_runs_is_no_part_of_the_bank() -> None:
    overrides = ("pool.workers=7", "pool.gpus=0.5", "models.wavlm-sv.serving.batch_s=3", "description=x")
    assert recipe_digest(load_bank_recipe("ke-bank", overrides).content(), 0) == recipe_digest(
        load_bank_recipe("ke-bank").content(), 0
    )
    other = load_bank_recipe("ke-bank", ("models.wavlm-sv.revision=abc",))
    assert recipe_digest(other.content(), 0) != recipe_digest(load_bank_recipe("ke-bank").content(), 0)


def test_numbers_and_private_paths() -> None:
    recipe = load_bank_recipe("ke-bank", ("pair_rule.min_pairs=12", "models.wavlm-sv.model=/home/someone/wavlm"))
    assert recipe.pair_rule.min_pairs == "12"
    assert "/home/someone" not in str(recipe.content())


@pytest.mark.parametrize(
    ("content", "words"),
    [("- a list", "mapping"), ("a: [", "not valid YAML"), (None, "no bank recipe")],
)
def test_files_that_are_no_recipe(content: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RecipeError, match=words) as caught:
        load_bank_recipe(str(path))
    assert content is None or str(tmp_path) not in str(caught.value)


def test_every_key_says_what_it_is() -> None:
    def undescribed(model: type[BaseModel]) -> list[str]:
        names = []
        for name, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                names += undescribed(field.annotation)
            elif not field.description:
                names.append(f"{model.__name__}.{name}")
        return names

    assert undescribed(BankRecipe) == []
