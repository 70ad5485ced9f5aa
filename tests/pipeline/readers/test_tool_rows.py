"""Rows with tool calls and with reasoning: what is kept beside the texts, and what is refused."""

import json
from pathlib import Path

import pytest

from manifests.reasons import Reason
from pipeline.readers.formats import formats
from pipeline.readers.read import detect_format, read_rows
from pipeline.readers.rows import SourceRow, SourceTurn
from pipeline.readers.turns import tidy

TOOLS = [{"name": "timer"}]
CALL = {"id": "a", "type": "function", "function": {"name": "timer", "arguments": '{"minutes": 10}'}}


def read(tmp_path: Path, row: dict[str, object], name: str | None = None) -> SourceRow:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    (found,) = read_rows(str(path), name)
    return found


def test_a_call_its_result_and_what_is_said_become_one_turn(tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "You have tools."},
        {"role": "user", "content": "Ten minutes, please."},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "a", "content": "started"},
        {"role": "assistant", "content": "Ten minutes, starting now."},
    ]
    row = read(tmp_path, {"tools": TOOLS, "messages": messages})
    user, agent = row.turns
    assert (user.text, agent.text, row.reason) == ("Ten minutes, please.", "Ten minutes, starting now.", None)
    assert json.loads(agent.calls or "") == [{"name": "timer", "arguments": {"minutes": 10}, "result": "started"}]
    assert json.loads(row.tools or "") == TOOLS


def test_tools_and_calls_may_be_texts_of_json(tmp_path: Path) -> None:
    answers = json.dumps([{"name": "timer", "arguments": {"minutes": 10}}])
    row = read(tmp_path, {"query": "Ten minutes.", "tools": json.dumps(TOOLS), "answers": answers})
    assert row.turns[1].text == "" and json.loads(row.turns[1].calls or "")[0]["arguments"] == {"minutes": 10}


@pytest.mark.parametrize("answers", ["no json", "[" * 5000, json.dumps([{"arguments": {}}]), "{}"])
def test_calls_that_are_none_are_an_unknown_schema(tmp_path: Path, answers: str) -> None:
    row = read(tmp_path, {"query": "Ten minutes.", "tools": TOOLS, "answers": answers}, "tool-calls")
    assert row.reason is Reason.UNKNOWN_SCHEMA


def test_arguments_that_are_nested_without_end_are_refused(tmp_path: Path) -> None:
    deep: object = "x"
    for _ in range(50):
        deep = {"a": deep}
    row = read(tmp_path, {"query": "a", "tools": TOOLS, "answers": [{"name": "b", "arguments": deep}]}, "tool-calls")
    assert row.reason is Reason.UNKNOWN_SCHEMA and "too deeply" in (row.detail or "")


@pytest.mark.parametrize("arguments", ['{"x": NaN}', {"x": [1.0, float("inf")]}, '{"x": 1e999}'])
def test_numbers_that_json_does_not_have_are_refused(arguments: object, tmp_path: Path) -> None:
    answers = [{"name": "timer", "arguments": arguments}]
    row = read(tmp_path, {"query": "Ten minutes.", "tools": TOOLS, "answers": answers}, "tool-calls")
    assert row.reason is Reason.UNKNOWN_SCHEMA and "infinity" in (row.detail or "")


def test_halves_of_characters_in_tools_and_calls_can_be_stored(tmp_path: Path) -> None:
    answers = [{"name": "timer", "arguments": {"note": "a\ud800b"}}]
    row = read(tmp_path, {"query": "Ten minutes.", "tools": [{"name": "timer\ud800"}], "answers": answers})
    assert json.loads(row.tools or "") == [{"name": "timer\ufffd"}]
    assert json.loads(row.turns[1].calls or "")[0]["arguments"] == {"note": "a\ufffdb"}


def test_messages_without_calls_are_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    messages = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
    path.write_text(json.dumps({"tools": TOOLS, "messages": messages}), encoding="utf-8")
    assert detect_format(str(path)) == "openai"


@pytest.mark.parametrize("name", ["reasoning", "medical-o1", "open-thoughts"])
def test_reasoning_becomes_the_thought_of_the_answer(name: str, tmp_path: Path) -> None:
    example = dict(formats()[name].example)
    user, agent = read(tmp_path, example).turns
    asked, thought, answered = example.values()
    assert (user.text, agent.thought, agent.text) == (asked, thought, answered)


def test_neighbors_that_are_joined_keep_their_calls_and_thoughts() -> None:
    turns = (
        SourceTurn("user", "a"),
        SourceTurn("agent", "", thought="b", calls='[{"name": "c"}]'),
        SourceTurn("agent", "d", thought="e", calls='[{"name": "f"}]'),
    )
    (_, agent) = tidy(turns)
    assert (agent.text, agent.thought, agent.calls) == ("d", "b\ne", '[{"name": "c"}, {"name": "f"}]')


ASKED, SAID = (
    {"role": "user", "content": "Ten minutes, please."},
    {"role": "assistant", "content": "They run."},
)
OLD_CALL = {"role": "assistant", "content": None, "function_call": {"name": "timer", "arguments": "{}"}}


def called(*ids: object) -> dict[str, object]:
    calls = [{"id": one, "function": {"name": "timer", "arguments": "{}"}} for one in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


@pytest.mark.parametrize(
    ("between", "results"),
    [
        ([called("a"), {"role": "tool", "content": "no name"}], ["no name"]),
        ([called(7), {"role": "tool", "tool_call_id": 7, "content": "a number"}], ["a number"]),
        ([OLD_CALL, {"role": "function", "name": "timer", "content": "the old way"}], ["the old way"]),
        ([called("a", "a"), *({"role": "tool", "tool_call_id": "a", "content": one} for one in "xy")], ["x", "y"]),
        ([called("a"), ASKED, called("a"), {"role": "tool", "tool_call_id": "a", "content": "late"}], [None, "late"]),
    ],
    ids=["without an id", "ids that are numbers", "function_call", "one id twice", "the id of an earlier turn"],
)
def test_every_result_stays_with_its_call(between: list[object], results: list[object], tmp_path: Path) -> None:
    row = read(tmp_path, {"tools": TOOLS, "messages": [ASKED, *between, SAID]})
    calls = [call for turn in row.turns if turn.calls for call in json.loads(turn.calls)]
    assert ([call.get("result") for call in calls], row.reason) == (results, None)


@pytest.mark.parametrize(
    "stray",
    [{"tool_call_id": "b"}, {"name": "weather"}, {"role": "user", "content": "Well?"}],
    ids=["another id", "another function", "after a user's turn"],
)
def test_a_result_that_belongs_to_no_call_is_not_lost_in_silence(stray: dict[str, str], tmp_path: Path) -> None:
    said_before = [stray] if "role" in stray else []
    result = {**stray, "role": "tool", "content": "lost words"}
    between = [called("a"), *said_before, result]
    row = read(tmp_path, {"tools": TOOLS, "messages": [ASKED, *between, SAID]}, "tool-messages")
    assert row.reason is Reason.UNKNOWN_SCHEMA and "belongs to no call" in (row.detail or "")
    assert "lost words" in row.turns[0].text
