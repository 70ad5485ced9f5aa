"""The index of near-duplicates, from blocks on disk to the mapping that the stage asks."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs

from manifests.errors import CorpusError
from manifests.reasons import Reason
from manifests.schema import Dialogue
from manifests.storage import Place, open_place
from parley.testing import make_dialogue
from pipeline.dedup import build, build_index, index, load_index
from pipeline.dedup.bands import band_keys, choose_bands
from pipeline.dedup.passes import Comparison
from pipeline.dedup.settings import DedupSettings
from pipeline.dedup.shingles import shingle_hashes
from pipeline.job.blocks import write_block
from pipeline.job.commits import write_hashes
from pipeline.job.runner.ray import RayRunner
from pipeline.stages.contract import reject

SETTINGS = DedupSettings()


class InProcess:
    """Maps as the local runner does."""

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        return map(function, items)


class Remembers(InProcess):
    def __init__(self) -> None:
        self.items: list[Any] = []

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        self.items += items
        return map(function, items)


class Dies(InProcess):
    """Stops after a number of results."""

    def __init__(self, after: int) -> None:
        self.left = after

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        for item in items:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield function(item)


def asked(*questions: str, language: str = "en") -> list[Dialogue]:
    """A dialogue for each question; its id is its number."""
    return [
        make_dialogue((text, "Yes."), dialogue_id=str(i), language=language, spoken=True)
        for i, text in enumerate(questions)
    ]


def write_blocks(rows: Sequence[Dialogue], directory: Place, block_rows: int) -> int:
    parts = [rows[begin : begin + block_rows] for begin in range(0, len(rows), block_rows)]
    write_hashes(directory, [write_block(directory, block, part) for block, part in enumerate(parts)])
    return len(parts)


def index_of(
    rows: Sequence[Dialogue], place: Place, block_rows: int = 4, settings: DedupSettings = SETTINGS, runner: Any = None
) -> dict[str, str]:
    count = write_blocks(rows, place / "blocks", block_rows)
    found = build_index(place / "blocks", count, place / "index", settings, runner or InProcess())
    duplicates = load_index(place / "index")
    assert found == len(duplicates) == len(list(duplicates))
    return dict(duplicates)


MOUNTAIN = "What is the tallest mountain in the whole wide world today?"
PAIRS = [
    ("en", MOUNTAIN, "what is the tallest mountain, in the whole wide world today", True),
    ("en", MOUNTAIN, "What is the tallest mountain in the whole wide world today, please?", True),
    ("en", MOUNTAIN, "So what is the tallest mountain in the whole wide world today?", True),
    ("en", MOUNTAIN, "What is the tallest mountain in the whole wide world now?", True),
    ("en", MOUNTAIN, "What is the highest mountain in the whole wide world today?", False),
    ("en", MOUNTAIN, "What is the tallest mountain in the world?", False),
    ("en", MOUNTAIN, "In the whole wide world today, what is the longest river?", False),
    ("en", "Hello!", "hello", True),
    ("en", "Hello", "Hello there", False),
    ("en", "Thanks", "Hello", False),
    ("en", "What is five plus two?", "What is five plus three?", False),
    ("zh", "请问今天北京的天气怎么样？", "请问，今天北京的天气怎么样呢？", True),
    ("zh", "请问今天北京的天气怎么样？", "请问今天北京的天气怎么样", True),
    ("zh", "请问今天北京的天气怎么样？", "请问今天上海的天气怎么样？", False),
    ("zh", "你好", "你好！", True),
    ("zh", "你好", "你好吗", False),
    ("en", "", "", False),
    ("zh", "？", "！", False),
]


@pytest.mark.parametrize(("language", "first", "second", "is_repeat"), PAIRS)
def test_near_duplicates_are_found_and_near_misses_kept(
    language: str, first: str, second: str, is_repeat: bool, tmp_path: Path
) -> None:
    expected = {"1": "0"} if is_repeat else {}
    assert index_of(asked(first, second, language=language), open_place(tmp_path / "there")) == expected
    assert index_of(asked(second, first, language=language), open_place(tmp_path / "back")) == expected


@pytest.mark.parametrize(("threshold", "found"), [(1.0, {"1"}), (0.9, {"1", "2"}), (0.6, {"1", "2", "3"})])
def test_the_threshold_is_the_recipes(threshold: float, found: set[str], tmp_path: Path) -> None:
    rows = asked(MOUNTAIN, *(PAIRS[i][2] for i in (0, 1, 4)))
    assert index_of(rows, open_place(tmp_path), settings=DedupSettings(threshold=threshold)).keys() == found


def test_the_other_row_is_the_earliest_even_if_it_repeats_one_itself(tmp_path: Path) -> None:
    words = [f"word{i}" for i in range(14)]
    chain = [" ".join(words[i : i + 11]) for i in range(3)]
    assert index_of(asked(*chain, chain[2], chain[0]), open_place(tmp_path)) == {
        "1": "0",
        "2": "1",
        "3": "1",
        "4": "0",
    }


def test_rows_of_two_languages_are_not_compared(tmp_path: Path) -> None:
    rows = [
        make_dialogue(("OK", "Yes."), dialogue_id=name, language=name[:2], spoken=True)
        for name in ("en-1", "zh-1", "en-2", "zh-2")
    ]
    assert index_of(rows, open_place(tmp_path)) == {"en-2": "en-1", "zh-2": "zh-1"}


def test_all_questions_of_a_dialogue_count_and_no_answer(tmp_path: Path) -> None:
    talks = {
        "a": [("What is tea?", "A drink."), ("And who drinks it?", "Many.")],
        "first question alone": [("What is tea?", "A drink.")],
        "other second question": [("What is tea?", "A drink."), ("Where does it grow?", "Many.")],
        "b": [("What is tea?", "Leaves and water."), ("And who drinks it?", "I do not.")],
    }
    rows = [make_dialogue(*talk, dialogue_id=name, spoken=True) for name, talk in talks.items()]
    assert index_of(rows, open_place(tmp_path)) == {"b": "a"}


def test_settled_rows_are_neither_duplicates_nor_originals(tmp_path: Path) -> None:
    rows = asked(*[MOUNTAIN] * 5)
    rows[0], rows[3] = reject(rows[0], Reason.UNCLEAR), reject(rows[3], Reason.TEXT_ENGINE_FAILED)
    assert index_of(rows, open_place(tmp_path)) == {"2": "1", "4": "1"}


def test_without_live_rows_the_index_is_empty(tmp_path: Path) -> None:
    assert index_of([reject(row, Reason.UNCLEAR) for row in asked("One", "One")], open_place(tmp_path)) == {}
    assert index_of([], open_place(tmp_path / "nothing")) == {}


def make_corpus(rows: int) -> list[Dialogue]:
    """Questions of few words, so that many are alike, and greetings; both languages, some rows settled."""
    draw = random.Random(11)
    questions: list[str] = []
    for _ in range(rows):
        kind = draw.random()
        if questions and kind < 0.4:
            words = draw.choice(questions).split()
            place = draw.randrange(len(words) + 1)
            words[place : place + draw.randrange(2)] = [draw.choice("abcdefgh")] if draw.random() < 0.7 else []
            questions.append(" ".join(words))
        elif kind < 0.5:
            questions.append("hello")
        else:
            questions.append(" ".join(draw.choices("abcdefgh", k=draw.randint(4, 16))))
    return [
        make_dialogue(
            (text, "Yes."),
            dialogue_id=f"row-{i}",
            language="zh" if i % 3 == 0 else "en",
            spoken=True,
            status="rejected" if i % 17 == 0 else "live",
            reason="unclear" if i % 17 == 0 else None,
        )
        for i, text in enumerate(questions)
    ]


CORPUS = make_corpus(200)


def pair_by_pair(rows: Sequence[Dialogue], settings: DedupSettings) -> dict[str, str]:
    """What the index must hold, the slow way: every pair that shares a band key, by sets of shingles."""
    bands = choose_bands(settings)
    texts = [(d, h) for d in rows if d.status == "live" and len(h := shingle_hashes(d, settings.shingle))]
    keys = [set(row.tolist()) for row in band_keys([hashes for _, hashes in texts], bands)]
    sets = [set(hashes.tolist()) for _, hashes in texts]
    found: dict[str, str] = {}
    for j, (dialogue, _) in enumerate(texts):
        for i in range(j):
            is_similar = len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= settings.threshold
            if is_similar and keys[i] & keys[j]:
                found[dialogue.dialogue_id] = texts[i][0].dialogue_id
                break
    return found


@pytest.fixture(scope="module")
def expected() -> Mapping[str, str]:
    found = pair_by_pair(CORPUS, SETTINGS)
    assert 20 < len(found) < 100
    assert set(found.values()) & found.keys(), "some rows repeat a row that repeats another"
    return found


@pytest.mark.parametrize("block_rows", [3, 64, 1000])
@pytest.mark.parametrize(
    ("chunk_rows", "comparison_bytes"), [(20, 20_000), (50, 100_000), (32_768, 2**20), (32_768, 1)]
)
def test_any_cut_of_the_work_gives_the_same_index(
    block_rows: int,
    chunk_rows: int,
    comparison_bytes: int,
    expected: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if comparison_bytes == 1:
        monkeypatch.setattr(build, "_ENTRY_BYTES", 1)
        comparison_bytes = 64
    monkeypatch.setattr(build, "CHUNK_ROWS", chunk_rows)
    monkeypatch.setattr(build, "COMPARISON_BYTES", comparison_bytes)
    monkeypatch.setattr(build, "_PENDING_PAIRS", 10)
    assert index_of(CORPUS, open_place(tmp_path), block_rows) == expected


@pytest.mark.parametrize("comparison_bytes", [64, 30_000, 2**20])
def test_comparisons_cover_all_partitions(
    comparison_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "COMPARISON_BYTES", comparison_bytes)
    monkeypatch.setattr(build, "_ENTRY_BYTES", 20)
    runner = Remembers()
    index_of(CORPUS, open_place(tmp_path), 50, runner=runner)
    tasks = [(item.first, item.last) for item in runner.items if isinstance(item, Comparison)]
    partitions = runner.items[0].plan.partitions
    assert [number for first, last in tasks for number in range(first, last + 1)] == list(range(partitions))
    assert all(first <= last for first, last in tasks)
    assert (len(tasks) > 1) == (comparison_bytes < 2**20)


@pytest.mark.slow
def test_ray_gives_the_same_index(
    expected: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "CHUNK_ROWS", 50)
    monkeypatch.setattr(build, "COMPARISON_BYTES", 50_000)
    runner = RayRunner()
    try:
        assert index_of(CORPUS, open_place(tmp_path), 20, runner=runner) == expected
    finally:
        runner.close()


def test_an_object_store_gives_the_same_index(
    bucket: str, expected: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "CHUNK_ROWS", 50)
    place = open_place(bucket.format("job"))
    with pytest.raises(KeyboardInterrupt):
        index_of(CORPUS, place, 50, runner=Dies(4))
    assert index_of(CORPUS, place, 50) == expected
    assert [found.name for found in (place / "index").list()] == ["duplicates.arrow", "index.json"]


@pytest.mark.parametrize("after", [0, 2, 4, 6])
def test_a_killed_build_begins_again(
    after: int, expected: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "CHUNK_ROWS", 50)
    monkeypatch.setattr(build, "COMPARISON_BYTES", 50_000)
    with pytest.raises(KeyboardInterrupt):
        index_of(CORPUS, open_place(tmp_path), 20, runner=Dies(after))
    with pytest.raises(CorpusError, match="missing"):
        load_index(open_place(tmp_path / "index"))
    (tmp_path / "index" / "scratch").mkdir(parents=True, exist_ok=True)
    (tmp_path / "index" / "scratch" / "entries-000000.arrow").write_bytes(b"half of a file")
    (tmp_path / "index" / "duplicates.arrow").write_bytes(b"of an earlier run")
    (tmp_path / "index" / ".tmp-1-duplicates.arrow").write_bytes(b"half of a file")
    assert index_of(CORPUS, open_place(tmp_path), 20) == expected
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["duplicates.arrow", "index.json"]


def test_a_finished_index_is_not_built_again(tmp_path: Path) -> None:
    place = open_place(tmp_path)
    index_of(asked("Hello", "Hello"), place)
    assert build_index(place / "blocks", 1, place / "index", SETTINGS, Dies(0)) == 1


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name, block_rows in (("one", 10), ("two", 90)):
        index_of(CORPUS, open_place(tmp_path / name), block_rows)
    one, two = (sorted((tmp_path / name / "index").iterdir()) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_the_index_is_asked_by_id(tmp_path: Path) -> None:
    place = Place(fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "job")
    index_of(asked("Hello", "Hello"), place)
    duplicates = load_index(place / "index")
    assert duplicates["1"] == "0"
    assert duplicates.get("0") is None and "0" not in duplicates and "1" in duplicates
    with pytest.raises(KeyError, match="elsewhere"):
        duplicates["elsewhere"]
    assert json.loads((tmp_path / "job" / "index" / "index.json").read_text())["rows"] == 2


def test_ids_with_the_same_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_hash", lambda dialogue_id: 7)
    found = index_of(asked("Hello", "Hello", "Why?", "Why?"), open_place(tmp_path))
    assert found == {"1": "0", "3": "2"}
    assert "0" not in load_index(open_place(tmp_path / "index"))


def test_the_table_of_another_index_is_refused(tmp_path: Path) -> None:
    index_of(asked("Hello", "Hello"), open_place(tmp_path / "one"))
    index_of(asked(*["Hello"] * 50), open_place(tmp_path / "other"))
    (tmp_path / "other" / "index" / "duplicates.arrow").replace(tmp_path / "one" / "index" / "duplicates.arrow")
    with pytest.raises(CorpusError, match=r"damaged: duplicates\.arrow"):
        load_index(open_place(tmp_path / "one" / "index"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("index.json", b"{"),
        ("index.json", b"[1]"),
        ("index.json", b'{"duplicates": 1}'),
        ("duplicates.arrow", b"short"),
        ("duplicates.arrow", None),
        ("duplicates.arrow", b"\0" * 5000),
    ],
)
def test_a_damaged_index_is_named(name: str, content: bytes | None, tmp_path: Path) -> None:
    index_of(asked("Hello", "Hello"), open_place(tmp_path))
    path = tmp_path / "index" / name
    if content is None:
        path.unlink()
    elif len(content) == 5000:
        path.write_bytes(b"\0" * path.stat().st_size)
    else:
        path.write_bytes(content)
    with pytest.raises(CorpusError, match=rf"damaged: {name}"):
        load_index(open_place(tmp_path / "index"))


@pytest.mark.parametrize("text", ["{}", "[]", "[" * 9000, "\x00", '{"bytes": "x", "duplicates": 1}'])
def test_a_damaged_description_of_an_index(text: str, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(CorpusError, match=r"index\.json is not what was written"):
        load_index(open_place(tmp_path))
