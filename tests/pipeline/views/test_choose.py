"""The rows that a user names, split by split."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.storage import open_place
from manifests.views import write_view
from parley.testing.exports import export_to
from pipeline.views.choose import chosen_splits, parts_and_configs
from pipeline.views.make import make_splits, make_subsets
from tests.pipeline.views.corpora import made_corpus, made_row

VOICES = [f"tone-user-en-{gender}-{number}" for gender in ("female", "male") for number in range(3)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made_corpus(tmp_path / "corpus", [made_row(number, VOICES[number % len(VOICES)]) for number in range(24)])
    return tmp_path / "corpus"


def chosen(place: Path, **asked: object) -> dict[str, int]:
    options = {"status": "kept", "split": None, **asked}
    return {name: len(corpus) for name, corpus in chosen_splits(open_place(place), **options).items()}  # type: ignore[arg-type]


def ids_of(corpus: Corpus) -> set[str]:
    return {dialogue.dialogue_id for dialogue in corpus.dialogues(audio=False)}


def test_a_corpus_without_splits_is_one(place: Path) -> None:
    assert chosen(place) == {"train": 24}


def test_splits_are_exported_one_by_one(place: Path, tmp_path: Path) -> None:
    make_splits(open_place(place), {"validation": "25%", "test": "25%"}, 0, ["parents"], None, 0.7)
    counts = chosen(place)
    assert set(counts) == {"train", "validation", "test"} and sum(counts.values()) == 24
    assert chosen(place, split="test") == {"test": counts["test"]}
    splits = chosen_splits(open_place(place), "kept", None)
    _, out = export_to("hf", splits, tmp_path / "out")
    assert sorted(file.name for file in (out / "data").iterdir()) == [
        f"{name}-00000.parquet" for name in sorted(counts)
    ]


def test_a_subset_of_a_split(place: Path) -> None:
    make_splits(open_place(place), {"test": "25%"}, 0, ["parents"], None, 0.7)
    make_subsets(open_place(place), "S=50%,L=all", 0, "corpus", None, None)
    whole, part = chosen(place), chosen(place, subset="S")
    assert 10 <= sum(part.values()) <= 14 and all(part[name] <= whole[name] for name in part)


def test_rows_in_no_split_are_not_lost_without_a_word(place: Path) -> None:
    """A stranger's view may leave rows out."""
    numbers = np.zeros(24, dtype=np.int8)
    numbers[:5] = -1
    ids = pa.array([dialogue.dialogue_id for dialogue in Corpus(place)])
    write_view(open_place(place), "splits", ("train", "test"), numbers, ids, {}, "0.1.0")
    with pytest.raises(UserError, match="5 of the chosen rows are in no split"):
        chosen(place)
    assert chosen(place, split="train") == {"train": 19}


def test_subsets_become_configs_that_share_their_rows(place: Path) -> None:
    make_splits(open_place(place), {"test": "25%"}, 0, ["parents"], None, 0.7)
    make_subsets(open_place(place), "XS=25%,S=50%", 0, "corpus", None, None)
    parts, configs = parts_and_configs(open_place(place), None, None, ())
    assert configs is not None and list(configs) == ["default", "XS", "S"]
    ids = {
        name: {dialogue.dialogue_id for dialogue in corpus.dialogues(audio=False)} for name, corpus in parts.items()
    }
    assert sum(map(len, ids.values())) == len(set().union(*ids.values())) == 24, "disjoint, and whole"
    held = {
        config: {split: set().union(*(ids[part] for part in named)) for split, named in splits.items()}
        for config, splits in configs.items()
    }
    for config, views in {"default": {}, "XS": {"subset": "XS"}, "S": {"subset": "S"}}.items():
        chosen = chosen_splits(open_place(place), "kept", None, **views)
        assert held[config] == {split: ids_of(corpus) for split, corpus in chosen.items()}
    alone, none = parts_and_configs(open_place(place), None, "XS", ())
    assert none is None and sum(map(len, alone.values())) == sum(map(len, held["XS"].values()))


@pytest.mark.parametrize("name", ["others", "default"])
def test_a_subset_does_not_take_the_name_of_other_rows(name: str, place: Path) -> None:
    make_subsets(open_place(place), f"{name}=25%", 0, "corpus", None, None)
    with pytest.raises(UserError, match=f"a subset cannot be published as '{name}'"):
        parts_and_configs(open_place(place), None, None, ())
