"""Each format: what a row of it becomes, that it is recognized, and what is not of it."""

import json

import pytest

from manifests.reasons import Reason
from pipeline.readers import detect_format, formats, read_rows
from tests.tables import each_row


def said(*pairs, role="from", text="value"):
    return [{role: name, text: words} for name, words in pairs]


def moss(number, human, answer, commands="None", results="None"):
    return {
        f"turn_{number}": {
            "Human": f"<|Human|>: {human}<eoh>\n",
            "Inner Thoughts": "<|Inner Thoughts|>: None<eot>\n",
            "Commands": f"<|Commands|>: {commands}<eoc>\n",
            "Tool Responses": f"<|Results|>: {results}<eor>\n",
            "MOSS": f"<|MOSS|>: {answer}<eom>\n",
        }
    }


def part(kind, **fields):
    return {"type": kind, **fields}


def messages(*pairs, **more):
    return {"messages": said(*pairs, role="role", text="content"), **more}


MOSS_TEN = {name: turn for n in (10, 2, 1) for name, turn in moss(n, f"q{n}", f"a{n}").items()}

READ = [
    # format, row, id, turns
    ("alpaca", {"instruction": "Hi", "input": "", "output": "Ho"}, "0", [("u", "Hi"), ("a", "Ho")]),
    ("alpaca", {"instruction": "Sum", "input": "1 2", "output": "3"}, "0", [("u", "Sum", "1 2"), ("a", "3")]),
    ("alpaca", {"id": 7, "instruction": "Hi", "input": None, "output": "Ho"}, "7", [("u", "Hi"), ("a", "Ho")]),
    ("alpaca", {"instruction": "", "input": "Hi", "output": "Ho"}, "0", [("u", "Hi"), ("a", "Ho")]),
    ("alpaca", {"instruction": "Hi", "output": "", "system": "Be kind"}, "0", [("u", "Hi")]),
    ("alpaca", {"id": "../../etc/passwd", "instruction": "<b>Hi</b>", "output": "Ho"}, "../../etc/passwd",
     [("u", "<b>Hi</b>"), ("a", "Ho")]),
    ("alpaca", {"id": True, "instruction": "Hi", "output": "Ho"}, "0", [("u", "Hi"), ("a", "Ho")]),
    ("llama-factory", {"instruction": "c", "input": "d", "output": "e", "system": "s", "history": [["a", "b"]]}, "0",
     [("u", "a"), ("a", "b"), ("u", "c", "d"), ("a", "e")]),
    ("llama-factory", {"instruction": "c", "output": "e", "history": None}, "0", [("u", "c"), ("a", "e")]),
    ("belle", {"input": "问题", "target": "回答"}, "0", [("u", "问题"), ("a", "回答")]),
    ("belle", {"input": "概括下文：\n长文", "target": "短"}, "0", [("u", "概括下文：", "长文"), ("a", "短")]),
    ("belle-0.8m", {"instruction": "Human:一\nAssistant:二\nHuman:三\nAssistant:\n", "input": "", "output": "四"}, "0",
     [("u", "一"), ("a", "二"), ("u", "三"), ("a", "四")]),
    ("belle-0.8m", {"instruction": "Human: a\nb Human: c\nAssistant：", "input": "d", "output": "e"}, "0",
     [("u", "a\nb Human: c", "d"), ("a", "e")]),
    ("belle-3.5m", {"id": "16012449", "conversations": said(("human", "一"), ("assistant", "二"))}, "16012449",
     [("u", "一"), ("a", "二")]),
    ("ultrachat", {"id": "3", "data": ["a", "b", "c"]}, "3", [("u", "a"), ("a", "b"), ("u", "c")]),
    ("ultrachat-200k", {"prompt": "a", "prompt_id": "f0", **messages(("user", "a"), ("assistant", "b"))}, "f0",
     [("u", "a"), ("a", "b")]),
    ("moss-002", {"id": 1, "prefix": "You are", "plain_text": "[Human]: a [b]<eoh> [MOSS]: c<eoa> [Human]: d<eoh>"},
     "1", [("u", "a [b]"), ("a", "c"), ("u", "d")]),
    ("moss-003", {"conversation_id": "9", "meta_instruction": "You are", "chat": MOSS_TEN}, "9",
     [("u", "q1"), ("a", "a1"), ("u", "q2"), ("a", "a2"), ("u", "q10"), ("a", "a10")]),
    ("moss-003", {"chat": {"turn_1": {"Human": "a", "MOSS": "b"}, "turn_2": None}}, "0", [("u", "a"), ("a", "b")]),
    ("openorca", {"id": "flan.1", "system_prompt": "Think", "question": "a", "response": "b"}, "flan.1",
     [("u", "a"), ("a", "b")]),
    ("sharegpt", {"id": "x", "conversations": said(("system", "s"), ("human", "a"), ("gpt", "b"))}, "x",
     [("u", "a"), ("a", "b")]),
    ("sharegpt", {"conversations": said(("user", "a"), ("chatgpt", "b"), ("Human", "c"), ("bing", "d"))}, "0",
     [("u", "a"), ("a", "b"), ("u", "c"), ("a", "d")]),
    ("sharegpt", {"conversations": said(("user", "a"), ("bard", "b"), role="role", text="content")}, "0",
     [("u", "a"), ("a", "b")]),
    ("openai", {"messages": [{"role": "user", "content": " ", "text": "a"}, {"role": "assistant", "content": "b",
     "value": "b", "text": None}]}, "0", [("u", "a"), ("a", "b")]),
    ("openai", messages(("system", "s"), ("developer", "s"), ("user", "a"), ("assistant", "b")), "0",
     [("u", "a"), ("a", "b")]),
    ("openai", messages(("user", [part("text", text="a"), "b"]), ("assistant", [part("output_text", text="c")])), "0",
     [("u", "a\nb"), ("a", "c")]),
    ("openai", messages(("user", "a"), ("assistant", [part("refusal", refusal="No.")])), "0",
     [("u", "a"), ("a", "No.")]),
    ("openai", messages(("user", "a"), ("assistant", None)), "0", [("u", "a")]),
    ("alpaca", {"instruction": "Double", "input": 5, "output": 10.5}, "0", [("u", "Double", "5"), ("a", "10.5")]),
    ("alpaca", {"instruction": "Hi", "output": "Ho", "response": "x", "prompt": "y"}, "0", [("u", "Hi"), ("a", "Ho")]),
    ("belle", {"kind": "Sum", "input": "问题", "target": 3}, "0", [("u", "问题"), ("a", "3")]),
    ("moss-003", {"chat": moss(1, "a", "b", "none", "NONE")}, "0", [("u", "a"), ("a", "b")]),
    ("sharegpt", {"conversations": said(("human ", "a"), (" gpt", "b"), ("Human:", "c"), ("AI", "d"))}, "0",
     [("u", "a"), ("a", "b"), ("u", "c"), ("a", "d")]),
    ("sharegpt", {"conversations": said(("<|user|>", "a"), ("<|assistant|>", "b"))}, "0", [("u", "a"), ("a", "b")]),
    ("sharegpt", {"conversations": said(("问", "a"), ("答", "b"), ("用户", "c"), ("助手：", "d"))}, "0",
     [("u", "a"), ("a", "b"), ("u", "c"), ("a", "d")]),
    ("sharegpt", {"conversations": said(("customer", "a"), ("agent", "b"), ("prompter", "c"), ("claude", "d"))}, "0",
     [("u", "a"), ("a", "b"), ("u", "c"), ("a", "d")]),
    ("sharegpt", {"conversations": [{"from": None, "role": "user", "value": None, "content": "a"}]}, "0",
     [("u", "a")]),
    ("sharegpt", {"conversations": json.dumps(said(("human", "a"), ("gpt", "b")))}, "0", [("u", "a"), ("a", "b")]),
    ("openai", {"messages": json.dumps(said(("user", "a"), ("assistant", "b"), role="role", text="content"))}, "0",
     [("u", "a"), ("a", "b")]),
    ("openai", messages(("user", "a")) | {"messages": [{"role": "user", "text": "a", "content": None}]}, "0",
     [("u", "a")]),
    ("openai", {"prompt": "a", "chosen": "b", **messages(("user", "a"), ("assistant", "b"))}, "0",
     [("u", "a"), ("a", "b")]),
    ("lmsys", {"conversation_id": "f", "conversation": said(("user", "a"), ("assistant", "b"), role="role",
     text="content")}, "f", [("u", "a"), ("a", "b")]),
    ("lmsys", {"conversation_hash": "h", "model": "m", "conversation": [
     {"role": "user", "content": "a", "toxic": False, "turn_identifier": 1},
     {"role": "assistant", "content": "b", "toxic": False, "turn_identifier": 1}]}, "h", [("u", "a"), ("a", "b")]),
    ("conversation-pairs", {"conversation_id": 9, "conversation": [{"human": "a", "assistant": "b"},
     {"human": "c", "assistant": "d"}]}, "9", [("u", "a"), ("a", "b"), ("u", "c"), ("a", "d")]),
    ("dolly", {"instruction": "Sum", "context": "1 2", "response": "3", "category": "closed_qa"}, "0",
     [("u", "Sum", "1 2"), ("a", "3")]),
    ("ms-swift", {"query": "c", "response": "d", "history": [["a", "b"]], "system": "s"}, "0",
     [("u", "a"), ("a", "b"), ("u", "c"), ("a", "d")]),
    ("ms-swift", {"query": "c", "response": "d"}, "0", [("u", "c"), ("a", "d")]),
    ("prompt-response", {"prompt": "a", "response": "b", "prompt_id": "p"}, "p", [("u", "a"), ("a", "b")]),
    ("prompt-completion", {"prompt": "a", "completion": "b"}, "0", [("u", "a"), ("a", "b")]),
    ("prompt-completion", {"prompt": said(("system", "s"), ("user", "a"), role="role", text="content"),
     "completion": said(("assistant", "b"), role="role", text="content")}, "0", [("u", "a"), ("a", "b")]),
    ("question-answer", {"question": "2 + 2?", "answer": 4}, "0", [("u", "2 + 2?"), ("a", "4")]),
    ("question-answer", {"question": "a", "context": "c", "answer": "b"}, "0", [("u", "a", "c"), ("a", "b")]),
    ("instruction-response", {"instruction": "a", "input": "c", "response": "b"}, "0", [("u", "a", "c"), ("a", "b")]),
    ("input-output", {"input": "a", "output": "b"}, "0", [("u", "a"), ("a", "b")]),
    ("human-assistant", {"human": "a", "assistant": "b"}, "0", [("u", "a"), ("a", "b")]),
]  # fmt: skip


@each_row(("name", "row", "row_id", "turns"), READ)
def test_reads(write, turns_of, name, row, row_id, turns):
    (read,) = read_rows(write(json.dumps([row])), name)
    assert (read.row, turns_of(read), read.reason) == (row_id, turns, None)


@each_row(("name", "row"), [(name, row) for name, row, *_ in READ])
def test_is_recognized_by_its_keys(write, name, row):
    assert detect_format(write(json.dumps([row]))) == name


@each_row("name", list(formats()))
def test_the_example_is_of_its_format_and_reads_whole(write, name):
    uri = write(json.dumps([formats()[name].example], ensure_ascii=False))
    assert detect_format(uri) == name
    (row,) = read_rows(uri, name)
    assert row.reason is None
    assert [turn.role for turn in row.turns] == ["user", "agent"] * (len(row.turns) // 2) != []


SPLIT = [
    # the instruction of a Belle 2M row, what is spoken, the material
    ("给下文拟题。\n文本：猫", "给下文拟题。", "文本：猫"),
    ("Sum up:\nA\nB", "Sum up:", "A\nB"),
    ("计算\n结果是多少？\n3+4", "计算\n结果是多少？", "3+4"),
    ("你好\n北京在哪？", "你好\n北京在哪？", ""),
    ("一行。", "一行。", ""),
    ("\n一行。\n\n", "一行。", ""),
]


@pytest.mark.parametrize(("instruction", "text", "material"), SPLIT)
def test_belle_material_below_the_instruction_is_split_off(write, instruction, text, material):
    (row,) = read_rows(write(json.dumps([{"instruction": instruction, "input": "", "output": "o"}])), "belle")
    assert (row.turns[0].text, row.turns[0].material) == (text, material)


def test_belle_with_an_input_is_not_split(write):
    (row,) = read_rows(write(json.dumps([{"instruction": "a.\nb", "input": "c", "output": "o"}])), "belle")
    assert (row.turns[0].text, row.turns[0].material) == ("a.\nb", "c")


ORDER = [
    # roles and texts as they come, turns
    ([("human", "a"), ("human", "b"), ("gpt", "c")], [("u", "a\nb"), ("a", "c")]),
    ([("gpt", "hello"), ("human", "a"), ("gpt", "b")], [("u", "a"), ("a", "b")]),
    ([("gpt", "hello"), ("gpt", "there"), ("human", "a")], [("u", "a")]),
    ([("human", "a"), ("gpt", "  "), ("gpt", "b\n"), ("human", "")], [("u", "a"), ("a", "b")]),
    ([("human", "a"), ("gpt", "b"), ("human", "c")], [("u", "a"), ("a", "b"), ("u", "c")]),
]


@pytest.mark.parametrize(("pairs", "turns"), ORDER)
def test_turns_alternate_from_the_user_on(write, turns_of, pairs, turns):
    (row,) = read_rows(write(json.dumps([{"conversations": said(*pairs)}])), "sharegpt")
    assert (turns_of(row), row.reason) == (turns, None)


UNUSABLE = [
    # format, row, reason, in the detail, turns (None: the row itself, as one user turn)
    ("alpaca", {"instruction": " ", "input": "", "output": "o"}, Reason.EMPTY_ROW, "no user text", [("a", "o")]),
    ("alpaca", {"instruction": None, "output": float("nan")}, Reason.EMPTY_ROW, "no user text", []),
    ("openai", {"messages": []}, Reason.EMPTY_ROW, "no user text", []),
    ("sharegpt", {"conversations": said(("gpt", "b"))}, Reason.EMPTY_ROW, "no user text", [("a", "b")]),
    ("alpaca", {"instruction": "a"}, Reason.UNKNOWN_SCHEMA, "output: ", None),
    ("alpaca", {"instruction": 5, "output": "o"}, Reason.UNKNOWN_SCHEMA, "instruction: ", None),
    ("alpaca", {"instruction": ["a"], "output": "o"}, Reason.UNKNOWN_SCHEMA, "instruction: ", None),
    ("alpaca", {"messages": []}, Reason.UNKNOWN_SCHEMA, "instruction: ", None),
    ("alpaca", "just text", Reason.UNKNOWN_SCHEMA, "not an object", None),
    ("alpaca", None, Reason.UNKNOWN_SCHEMA, "not an object", None),
    ("alpaca", 12.5, Reason.UNKNOWN_SCHEMA, "not an object", None),
    ("llama-factory", {"instruction": "a", "output": "b", "history": [["c"]]}, Reason.UNKNOWN_SCHEMA, "history", None),
    ("belle-0.8m", {"instruction": "a", "output": "b"}, Reason.UNKNOWN_SCHEMA, "does not begin", None),
    ("belle-3.5m", {"conversations": said(("gpt", "a"))}, Reason.UNKNOWN_SCHEMA, "unknown role 'gpt'", None),
    ("ultrachat", {"data": "text"}, Reason.UNKNOWN_SCHEMA, "data: ", None),
    ("moss-002", {"plain_text": "a"}, Reason.UNKNOWN_SCHEMA, "does not begin", None),
    ("moss-003", {"chat": []}, Reason.UNKNOWN_SCHEMA, "chat: ", None),
    ("moss-003", {"chat": {"first": {"Human": "a"}}}, Reason.UNKNOWN_SCHEMA, "'first' is not the name", None),
    ("moss-003", {"chat": {**moss(1, "a", "b"), **moss(2, "c", "d", 'Search("x")')}}, Reason.PLUGIN_ROW, "turn 2",
     [("u", "a"), ("a", "b"), ("u", "c"), ("a", "d")]),
    ("moss-003", {"chat": moss(1, "a", "b", results="Search: 1")}, Reason.PLUGIN_ROW, "turn 1",
     [("u", "a"), ("a", "b")]),
    ("sharegpt", {"conversations": said(("human", "a"), ("narrator", "b"))}, Reason.UNKNOWN_SCHEMA, "narrator", None),
    ("sharegpt", {"conversations": said(("human", "a"), ("function_call", "b"), ("observation", "c"))},
     Reason.PLUGIN_ROW, "'function_call'", [("u", "a")]),
    ("openai", messages(("user", "a"), ("tool", "b")), Reason.PLUGIN_ROW, "'tool'", [("u", "a")]),
    ("openai", {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"id": "1"}]}]},
     Reason.PLUGIN_ROW, "calls a tool", [("u", "a")]),
    ("openai", messages(("user", [part("text", text="a"), part("image_url", image_url={"url": "u"})])),
     Reason.MEDIA, "'image_url'", [("u", "a")]),
    ("openai", messages(("user", [{"text": "a"}])), Reason.UNKNOWN_SCHEMA, "messages.0", None),
    ("openai", messages(("user", [part("text")])), Reason.UNKNOWN_SCHEMA, "a part of type 'text' has no text", None),
    ("openai", {"messages": [{"role": "user", "content": "a", "text": "b"}]}, Reason.UNKNOWN_SCHEMA,
     "a message has different texts under 'content' and 'text'", None),
    ("openai", messages(("user", [part("text", content="a")])), Reason.UNKNOWN_SCHEMA, "has no text", None),
    ("openai", messages(("user", [part("text", text={"value": "a"})])), Reason.UNKNOWN_SCHEMA, "messages.0", None),
    ("openai", messages(("user", [part("input_text", text=None)])), Reason.UNKNOWN_SCHEMA, "has no text", None),
    ("openai", {"messages": [{"role": "user", "words": "a"}]}, Reason.UNKNOWN_SCHEMA, "messages.0", None),
    ("openai", {"messages": "[{'role': 'user', 'content': 'a'}]"}, Reason.UNKNOWN_SCHEMA, "messages: ", None),
    ("sharegpt", {"conversations": said(("user", [part("image_url")]), role="role", text="content")}, Reason.MEDIA,
     "'image_url'", []),
    ("lmsys", {"conversation": said(("user", "a"), ("ghost", "b"), role="role", text="content")},
     Reason.UNKNOWN_SCHEMA, "unknown role 'ghost'", None),
    ("conversation-pairs", {"conversation": [{"human": "a"}]}, Reason.UNKNOWN_SCHEMA, "conversation.0.", None),
    ("dolly", {"instruction": "a", "context": ["b"], "response": "c"}, Reason.UNKNOWN_SCHEMA, "context: ", None),
    ("question-answer", {"question": 5, "answer": "a"}, Reason.UNKNOWN_SCHEMA, "question: ", None),
    ("question-answer", {"question": "a", "answer": True}, Reason.UNKNOWN_SCHEMA, "answer: ", None),
    ("prompt-completion", {"prompt": said(("tool", "a"), role="role", text="content"), "completion": "b"},
     Reason.PLUGIN_ROW, "'tool'", [("a", "b")]),
    ("alpaca", {"instruction": "a", "input": True, "output": "b"}, Reason.UNKNOWN_SCHEMA, "input: ", None),
]  # fmt: skip


@each_row(("name", "row", "reason", "detail", "turns"), UNUSABLE)
def test_unusable_rows_say_why_and_keep_what_was_read(write, turns_of, name, row, reason, detail, turns):
    raw = json.dumps(row)
    (read,) = read_rows(write(f"[{raw}]"), name)
    assert read.reason is reason
    assert detail in read.detail
    assert turns_of(read) == ([("u", raw)] if turns is None else turns)


def test_a_row_that_does_not_fit_keeps_its_id(write):
    (row,) = read_rows(write('[{"id": "n7", "instruction": 1}]'), "alpaca")
    assert (row.row, row.reason) == ("n7", Reason.UNKNOWN_SCHEMA)


@each_row("name", list(formats()))
def test_no_format_raises_for_rows_that_are_not_of_it(write, name):
    values = [
        {},
        [],
        "a",
        None,
        1,
        {"chat": {"turn_1": 1}},
        {"messages": [None]},
        {"data": [[]]},
        {"conversations": {}},
    ]
    rows = list(read_rows(write(json.dumps(values)), name))
    assert [row.reason for row in rows] == [Reason.UNKNOWN_SCHEMA] * len(values)
