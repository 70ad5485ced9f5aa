"""Ingest: stable ids, alternating turns, repetitions, languages, blocks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from manifests.schema import Dialogue
from manifests.storage import open_place
from parley.testing import tone_recipe
from pipeline.job.blocks import read_block
from pipeline.job.commits import write_hashes
from pipeline.job.ingest import IngestOptions, ingest
from pipeline.job.inputs import open_inputs


def ingested(rows: list[Any], path: Path, *overrides: str, format: str = "sharegpt", **options: Any) -> list[Dialogue]:
    source = path / "my rows (v2).json"
    source.write_text(json.dumps(rows), encoding="utf-8")
    blocks = open_place(path / "blocks")
    heard: list[int] = []
    files = open_inputs([str(source)], format=format, license="CC0-1.0")
    recipe = tone_recipe("block_rows=2", *overrides)
    cut = ingest(files, IngestOptions(**options), recipe, "digest", blocks, open_place(path / "ids"), heard.append)
    write_hashes(blocks, cut.hashes)
    counts = cut.counts
    assert sum(heard) == counts["rows"]
    dialogues = [d for block in range(counts["blocks"]) for d in read_block(blocks, block)]
    assert len(dialogues) == counts["rows"]
    return dialogues


def conversation(*texts: str, first: str = "human") -> dict[str, Any]:
    roles = ["human", "gpt"] if first == "human" else ["gpt", "human"]
    return {"conversations": [{"from": roles[i % 2], "value": text} for i, text in enumerate(texts)]}


def test_ids_depend_on_the_text_alone(tmp_path: Path) -> None:
    rows = [
        conversation("How are you today?", "I am very well, thank you."),
        conversation("Who are you?", "A friend."),
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    there, back = ingested(rows, tmp_path / "a"), ingested(rows[::-1], tmp_path / "b")
    assert [d.dialogue_id for d in there] == [d.dialogue_id for d in back[::-1]]
    assert there[0].dialogue_id.startswith("my-rows-v2-")
    assert [d.source.row for d in there] == ["0", "1"]
    assert {d.source.license for d in there} == {"CC0-1.0"}
    assert {d.recipe for d in there} == {"digest"}


def test_repetitions_are_rejects_with_ids_of_their_own(tmp_path: Path) -> None:
    row = conversation("How are you today?", "I am very well, thank you.")
    rows = ingested([row, row, row], tmp_path)
    assert [(d.status, d.reason) for d in rows] == [("live", None)] + [("rejected", "duplicate")] * 2
    assert [d.dialogue_id.removeprefix(rows[0].dialogue_id) for d in rows] == ["", "-2", "-3"]


def test_live_rows_are_numbered_within_their_language_across_blocks(tmp_path: Path) -> None:
    english = [
        conversation(f"How are you today, my friend number {word}?", "Very well.") for word in ("one", "two", "six")
    ]
    chinese = [conversation(f"你今天过得怎么样?我是{word}。", "我很好,谢谢你。") for word in ("小明", "小红")]
    french = conversation("Comment vas-tu aujourd'hui, mon cher ami de Paris ?", "Je vais bien, merci beaucoup.")
    rows = [english[0], french, chinese[0], english[0], english[1], {"conversations": 3}, chinese[1], english[2]]
    done = ingested(rows, tmp_path)
    numbered = [(d.language, d.ordinal) if d.status == "live" else d.ordinal for d in done]
    assert numbered == [("en", 0), None, ("zh", 0), None, ("en", 1), None, ("zh", 1), ("en", 2)]


def test_the_same_question_on_other_material_is_no_repetition(tmp_path: Path) -> None:
    question = {"instruction": "Say in a word what this is about.", "output": "Weather."}
    rows = [question | {"input": text} for text in ("The sun is out today.", "The rain will not end.")]
    first, second = ingested(rows, tmp_path, format="alpaca")
    assert (first.status, second.status) == ("live", "live")
    assert [turn.material for turn in first.turns] == ["The sun is out today.", ""]


def test_a_bad_row_that_comes_twice_keeps_its_reason(tmp_path: Path) -> None:
    rows = ingested([{"conversations": 7}] * 2, tmp_path)
    assert [d.reason for d in rows] == ["unknown_schema"] * 2
    assert len({d.dialogue_id for d in rows}) == 2


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.JSON", "rows"])
def test_a_data_set_is_named_after_its_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert open_inputs([str(tmp_path / name)], format="alpaca")[0].dataset == "rows"


@pytest.mark.parametrize(
    ("change", "license"),
    [(lambda data: b"x" + data[1:], None), (lambda data: data[:-1] + b"x", None), (lambda data: data, "CC0-1.0")],
    ids=["first byte", "last byte", "license"],
)
def test_a_changed_file_has_another_identity(
    change: Callable[[bytes], bytes], license: str | None, tmp_path: Path
) -> None:
    path, data = tmp_path / "rows.json", b" " * (3 << 20)
    identities = []
    for content, name in [(data, None), (data, None), (change(data), license)]:
        path.write_bytes(content)
        identities.append(open_inputs([str(path)], format="alpaca", license=name)[0].identity())
    assert identities[0] == identities[1] != identities[2]


@pytest.mark.parametrize(
    ("texts", "exchanges", "expected"),
    [
        (["What now?", "Wait.", "And then?", "Go."], "all", ["What now?", "Wait.", "And then?", "Go."]),
        (["What now?", "Wait.", "And then?", "Go."], "first", ["What now?", "Wait."]),
        (["What now?", "Wait.", "And then?"], "all", ["What now?", "Wait.", "And then?", ""]),
        (["What now?"], "all", ["What now?", ""]),
    ],
)
def test_turns_alternate_and_every_question_has_a_place_for_its_answer(
    texts: list[str], exchanges: str, expected: list[str], tmp_path: Path
) -> None:
    (dialogue,) = ingested([conversation(*texts)], tmp_path, f"exchanges={exchanges}", language="en")
    assert [turn.original_text for turn in dialogue.turns] == expected
    assert [turn.role for turn in dialogue.turns] == ["user", "agent"] * (len(expected) // 2)


@pytest.mark.parametrize(
    ("text", "language", "status"),
    [
        ("What is the weather like today in the city?", "en", "live"),
        ("今天天气怎么样？", "zh", "live"),
        ("Quelle est la capitale de la France et combien d'habitants a-t-elle?", "fr", "rejected"),
        ("12345 67890", "und", "rejected"),
    ],
)
def test_the_language_is_told_for_each_row(text: str, language: str, status: str, tmp_path: Path) -> None:
    (dialogue,) = ingested([conversation(text)], tmp_path)
    assert (dialogue.language, dialogue.status) == (language, status)
    assert dialogue.reason == (None if status == "live" else "unsupported_language")


def test_the_material_tells_the_language_too(tmp_path: Path) -> None:
    (dialogue,) = ingested(
        [{"instruction": "12345:", "input": "今天天气怎么样？", "output": ""}], tmp_path, format="alpaca"
    )
    assert dialogue.language == "zh"


def test_a_given_language_is_believed(tmp_path: Path) -> None:
    (dialogue,) = ingested([conversation("12345 67890")], tmp_path, language="en")
    assert (dialogue.language, dialogue.status) == ("en", "live")


def test_a_bad_row_keeps_what_could_be_read_of_it(tmp_path: Path) -> None:
    (dialogue,) = ingested([{"conversations": 7}], tmp_path)
    assert (dialogue.status, dialogue.reason) == ("rejected", "unknown_schema")
    assert "7" in dialogue.turns[0].original_text
    assert [turn.role for turn in dialogue.turns] == ["user"]


def test_blocks_are_cut_in_the_order_of_the_input(tmp_path: Path) -> None:
    rows = ingested([conversation(f"How many are {i} and one?", "A few.") for i in range(5)], tmp_path)
    assert [d.source.row for d in rows] == ["0", "1", "2", "3", "4"]
    assert [len(read_block(open_place(tmp_path / "blocks"), block)) for block in range(3)] == [2, 2, 1]


def test_so_many_rows_of_each_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        rows = [{"instruction": f"Who is {name} {number}?", "output": "A friend."} for number in range(4)]
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    files = open_inputs([str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    blocks, scratch = open_place(tmp_path / "blocks"), open_place(tmp_path / "ids")
    options = IngestOptions(language="en", limit_each=3)
    cut = ingest(files, options, tone_recipe(), "digest", blocks, scratch, lambda rows: None)
    assert cut.counts["rows_of"] == {"a": 3, "b": 3}
