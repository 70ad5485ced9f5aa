"""Lists, matches, and the view without them."""

import gzip
import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.corpus import Corpus
from manifests.errors import InputError, UserError
from manifests.validate import validate
from pipeline.contamination.lists import ListedText, read_list
from pipeline.contamination.matches import MatchSettings, TextIndex
from pipeline.contamination.report import compare_with_lists
from tests.pipeline.views.corpora import made_corpus, made_row, question

LONG = "can you explain to me how the water cycle of our planet works"


def index_of(*texts, **options):
    return TextIndex([ListedText("list", n, text) for n, text in enumerate(texts, 1)], MatchSettings(**options))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (LONG, "exact"),
        ("Can YOU explain to me, how the water-cycle of our planet works?!", "exact"),
        ("can you explain to me how the water cycle of our world works", "near"),
        (f"well hello there my dear friend i have a question {LONG[:55]} thanks so much for it", "ngram"),
        ("can you explain to me how the moon moves", None),
        ("", None),
        ("。。。", None),
    ],
)
def test_english(text, kind):
    (found,) = index_of("something else entirely here", LONG).find([text])
    assert (found.kind if found else None) == kind
    if found:
        assert (found.listed.text, found.listed.row) == (LONG, 2)
    if kind == "ngram":
        assert found.shared == "can you explain to me how the water"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("请告诉我地球上的水循环到底是怎么进行的", "exact"),
        ("请告诉我，地球上的水循环，到底是怎么进行的？", "exact"),
        ("请告诉我地球上的水循环到底是怎么运行的", "near"),
        ("我的孩子昨天在学校里听老师说，地球上的水循环到底是怎么进行的，他一直没有听懂这个", "ngram"),
        ("请告诉我地球上最高的山是哪一座", None),
    ],
)
def test_chinese(text, kind):
    (found,) = index_of("请告诉我地球上的水循环到底是怎么进行的").find([text])
    assert (found.kind if found else None) == kind


def test_the_similarity_is_that_of_the_shingles():
    (found,) = index_of("a b c d e f g h i j").find(["a b c d e f g h i x"])
    assert found.kind == "near" and found.similarity == pytest.approx(8 / 10)  # 9 pairs each, 8 of them shared


def test_short_texts_are_not_looked_for():
    index = index_of("thank you", "好的", "what is this", shortest=3)
    assert index.skipped == 2 and len(index) == 1
    assert index.find(["Thank you.", "好的", "What is this?"])[:2] == [None, None]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_every_changed_text_above_the_threshold_is_found(seed):
    """One word of twenty changed at the end: 18 of 20 pairs are shared."""
    draw = random.Random(seed)
    words = [f"w{draw.randrange(10**6)}" for _ in range(20)]
    (found,) = index_of(" ".join(words), ngram=30).find([" ".join([*words[:-1], "other"])])
    assert found is not None and found.kind == "near"


LISTS = {
    "lines.txt": ("first text here\n\n  second text here \n", ()),
    "strings.json": (json.dumps(["first text here", "second text here"]), ()),
    "alpaca.jsonl": ('{"instruction": "first text here", "output": "second text here"}\n', ()),
    "fields.jsonl": (
        '{"a": {"q": "first text here"}, "b": 1}\n{"a": [{"q": "second text here"}], "c": "no"}\n',
        ("a.q",),
    ),
    "two.json": ('[{"x": "first text here", "y": ["second text here"]}]', ("x", "y")),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_every_form(tmp_path, name):
    content, fields = LISTS[name]
    (tmp_path / name).write_text(content)
    found = read_list(str(tmp_path / name), fields)
    assert [entry.text for entry in found.texts] == ["first text here", "second text here"]
    assert found.file == name and len(found.sha256) == 64


def test_a_list_in_parquet_and_one_that_is_packed(tmp_path):
    pq.write_table(pa.table({"prompt": ["first text here"], "n": [1]}), tmp_path / "list.parquet")
    assert read_list(str(tmp_path / "list.parquet"), ["prompt"]).texts[0].text == "first text here"
    (tmp_path / "list.jsonl.gz").write_bytes(gzip.compress(b'{"prompt": "first text here"}\n'))
    assert read_list(str(tmp_path / "list.jsonl.gz"), ["prompt"]).texts[0].text == "first text here"


@pytest.mark.parametrize(
    ("content", "fields", "says"),
    [
        (b'{"strange": "x", "other": "y"}\n', (), "name the fields of the texts with --field; the rows have"),
        (b'{"a": "x"}\n', ("b",), "holds no texts under b"),
        (b"\n\n", (), "holds no texts"),
        (b"caf\xe9 au lait\n", (), "neither text in UTF-8"),
        (b'{"a": "x"}\n{"a": ', ("a",), "row 2"),
    ],
)
def test_lists_that_cannot_be_read(tmp_path, content, fields, says):
    (tmp_path / "list.dat").write_bytes(content)
    with pytest.raises((UserError, InputError), match=says):
        read_list(str(tmp_path / "list.dat"), fields)


def test_no_such_list(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_list(str(tmp_path / "nothing"))


def test_a_corpus_without_what_the_lists_hold(tmp_path):
    rows = [made_row(n) for n in range(40)]
    place = made_corpus(tmp_path / "corpus", rows)
    (tmp_path / "bench.txt").write_text(
        f"{question(3).title()}?\n{question(7)} now\nit is {question(500_011)}\nunrelated text of a test\n"
    )
    report = compare_with_lists(place, [str(tmp_path / "bench.txt")], [], MatchSettings())
    hit = {pair["dialogue_id"] for pair in report.figures["pairs"]}
    assert hit == {"made-00000003", "made-00000007", "made-0000000b"}
    assert report.figures["hit_rows"] == 3 and report.figures["lists"][0]["texts"] == 4
    assert report.figures["roles"] == {"user": 2 + 2, "agent": 2}  # the text and the source's, in capitals
    assert {pair["kind"] for pair in report.figures["pairs"]} == {"exact", "near"}
    view = report.drop("clean")
    assert view.about["lists"][0]["file"] == "bench.txt" and "pairs" not in view.about
    assert [row.dialogue_id for row in Corpus(place, view="clean")] == [
        row.dialogue_id for row in rows if row.dialogue_id not in hit
    ]
    assert validate(place).ok
