"""Views: rows by number, subsets and splits, and what is refused."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests import shards
from manifests.corpus import Corpus
from manifests.errors import CorpusError, UserError
from manifests.shards import ShardReader
from manifests.storage import open_place
from manifests.validate import validate
from manifests.views import load_view, part_numbers, view_names, write_view
from parley.testing.corpora import make_corpus, make_rows

KEPT = 10
ROWS = make_rows(KEPT, 3, 2)
SPLIT = [0, 0, 1, 0, 2, 0, -1, 0, 1, 0]
RANK = [2, 0, 1, 2, 0, 2, -1, 1, 2, 2]


def _write(place, name, parts, numbers, nested=False):
    ids = pa.array([row.dialogue_id for row in ROWS[:KEPT]])
    return write_view(place, name, parts, np.array(numbers, np.int8), ids, {"seed": 0}, "0.1.0", nested)


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    """Ten kept rows in shards of 4, 4 and 2, in row groups of at most 3, with two views."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", 3)
        place = make_corpus(tmp_path_factory.mktemp("corpus"), ROWS)
    _write(place, "splits", ["train", "validation", "test"], SPLIT)
    _write(place, "subsets", ["XS", "S", "M"], RANK, nested=True)
    return place.path


@pytest.fixture
def copy(where, tmp_path):
    return Path(shutil.copytree(where, tmp_path / "copy"))


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(0, KEPT - 1)))
def test_rows_by_number_are_a_corpus(where, numbers):
    numbers = sorted(numbers)
    part = Corpus(where).rows(numbers)
    rows = [ROWS[number] for number in numbers]
    assert (len(part), list(part), [part[i] for i in range(len(part))]) == (len(rows), rows, rows)
    batches = list(part.select(["dialogue_id"]))
    assert [i for batch in batches for i in batch["dialogue_id"].to_pylist()] == [row.dialogue_id for row in rows]
    assert list(part[1:]) == rows[1:]
    assert list(part.rows(np.arange(len(part))[::2])) == rows[::2]
    assert list(pickle.loads(pickle.dumps(part))) == rows


def test_rows_of_a_slice_count_from_its_start(where):
    assert list(Corpus(where)[4:].rows([0, 3])) == [ROWS[4], ROWS[7]]
    assert Corpus(where).rows([1, 4, 8])[-1] == ROWS[8]
    with pytest.raises(IndexError):
        Corpus(where).rows([1, 4])[2]


@pytest.mark.parametrize("numbers", [[3, 1], [1, 1], [-1, 2], [2, 10], [[1, 2]], [0.5]])
def test_other_row_numbers_are_refused(where, numbers):
    with pytest.raises(UserError, match="row"):
        Corpus(where).rows(numbers)


def test_only_the_row_groups_that_are_needed_are_read(where, monkeypatch):
    read = []
    table = ShardReader.table
    monkeypatch.setattr(
        ShardReader, "table", lambda self, group, paths=None: read.append(group) or table(self, group, paths)
    )
    assert [row.dialogue_id for row in Corpus(where).rows([3, 8, 9])] == [ROWS[i].dialogue_id for i in (3, 8, 9)]
    assert read == [1, 0]  # the second group of the first shard, the only one of the third


def test_a_corpus_opens_by_subset_and_split(where):
    assert list(Corpus(where, split="train")) == [ROWS[i] for i in range(KEPT) if SPLIT[i] == 0]
    assert list(Corpus(where, subset="S")) == [ROWS[i] for i in range(KEPT) if RANK[i] in (0, 1)]
    both = [ROWS[i] for i in range(KEPT) if SPLIT[i] == 0 and RANK[i] in (0, 1, 2)]
    assert list(Corpus(where, subset="M", split="train")) == both
    assert list(Corpus(where, view=["splits/train", "subsets/M"])) == both


def test_a_view_of_one_part_opens_by_its_name(copy):
    place = open_place(copy)
    _write(place, "commercial", ["commercial"], [0, -1, 0, -1, -1, -1, -1, -1, -1, 0])
    assert list(Corpus(copy, view="commercial")) == [ROWS[0], ROWS[2], ROWS[9]]
    assert list(Corpus(copy, view="commercial", split="train")) == [ROWS[0], ROWS[9]]
    assert view_names(place) == ("commercial", "splits", "subsets")


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"subset": "XXL"}, "no part 'XXL'; its parts are XS, S, M"),
        ({"split": "dev"}, "no part 'dev'"),
        ({"view": "commercial"}, "no view 'commercial'; views of this corpus: splits, subsets"),
        ({"view": "splits"}, "several parts"),
        ({"view": "../splits/train"}, "no view '..'"),
        ({"split": "train", "status": "rejected"}, "kept rows"),
    ],
)
def test_what_is_not_there_is_said(where, choice, says):
    with pytest.raises(UserError, match=says):
        Corpus(where, **choice)


@pytest.mark.parametrize(
    ("name", "parts"), [("../up", ["a"]), ("A", ["a"]), ("a", []), ("a", ["x", "x"]), ("a", ["/"])]
)
def test_bad_names_are_refused(copy, name, parts):
    with pytest.raises(UserError, match="view"):
        _write(open_place(copy), name, parts, [0] * KEPT)


def test_a_view_of_another_corpus_is_refused(copy, tmp_path):
    other = make_corpus(tmp_path / "other", ROWS[1:])
    shutil.copytree(copy / "views", tmp_path / "other" / "views")
    with pytest.raises(CorpusError, match="another manifest: make the view again"):
        Corpus(other, split="train")
    assert ["another manifest" in str(problem) for problem in validate(other).problems] == [True, True]


@pytest.mark.parametrize("deep", [False, True])
def test_a_corpus_with_views_is_sound(where, deep):
    assert validate(open_place(where), deep).problems == ()


def _other_rows(views: Path) -> None:
    ids = pa.array([row.dialogue_id for row in reversed(ROWS[:KEPT])])
    place = open_place(views.parent)
    write_view(place, "splits", ["train"], np.zeros(KEPT, np.int8), ids, {}, "0.1.0")


def _part_too_many(views: Path) -> None:
    data = json.loads((views / "splits.json").read_text())
    (views / "splits.json").write_text(json.dumps({**data, "parts": ["train"]}))


def _other_words(views: Path) -> None:
    data = json.loads((views / "splits.json").read_text())
    (views / "splits.json").write_text(json.dumps({**data, "about": {"seed": 1}}))


def _no_dictionary(views: Path) -> None:
    (views / "splits.json").write_text("[]")


def _other_name(views: Path) -> None:
    (views / "splits.json").rename(views / "cuts.json")
    (views / "splits.parquet").rename(views / "cuts.parquet")


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda views: (views / "splits.parquet").unlink(), "splits.parquet is missing"),
        (lambda views: (views / "splits.parquet").write_bytes(b"PAR1"), "not the file that the view names"),
        (lambda views: (views / "splits.json").write_text("{"), "not JSON"),
        (lambda views: (views / "notes.txt").write_text("hello"), "does not belong to the corpus"),
        (_other_words, "its hash is not that of what it says"),
        (lambda views: (views / ".tmp-0123-splits.json").write_text("x"), "does not belong to the corpus"),
        (_no_dictionary, "its format is not"),
        (_other_rows, "does not list the kept rows"),
        (_part_too_many, "does not hold what"),
        (_other_name, "holds a view of the name splits"),
    ],
)
def test_every_harm_is_found(copy, harm, says):
    harm(copy / "views")
    assert says in "\n".join(map(str, validate(open_place(copy)).problems))


def test_a_view_takes_the_place_of_an_older_one_whole(copy, monkeypatch):
    place = open_place(copy)
    _write(place, "splits", ["left", "right"], [0, 1] * 5)
    view = load_view(place, "splits")
    assert (view.parts, part_numbers(place, view).tolist()) == (("left", "right"), [0, 1] * 5)
    monkeypatch.setattr("manifests.views._size_and_hash", lambda file: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _write(place, "splits", ["a"], [0] * KEPT)
    assert view_names(place) == ("subsets",)  # the writer died: no view rather than half of one


def test_nothing_is_written_through_a_link(copy, tmp_path):
    shutil.rmtree(copy / "views")
    (tmp_path / "outside").mkdir()
    (copy / "views").symlink_to(tmp_path / "outside")
    with pytest.raises(UserError, match="symbolic link"):
        _write(open_place(copy), "splits", ["train"], [0] * KEPT)
    assert not list((tmp_path / "outside").iterdir())


def test_what_a_killed_writer_left_goes_when_the_view_is_written_again(tmp_path):
    place = make_corpus(tmp_path / "corpus", ROWS)
    views = tmp_path / "corpus" / "views"
    views.mkdir()
    for name in ("mine.parquet", "mine.json", "other.json"):
        (views / f".tmp-0123-{name}").write_bytes(b"half")
    _write(place, "mine", ["a"], [0] * KEPT)
    assert sorted(file.name for file in views.iterdir()) == [".tmp-0123-other.json", "mine.json", "mine.parquet"]
