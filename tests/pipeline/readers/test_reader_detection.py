"""Files whose format cannot be told, and those that look like two."""

import json

import pytest

from manifests.errors import InputError
from pipeline.readers import detect_format, formats, read_rows

ALPACA = {"instruction": "a", "input": "", "output": "b"}
GPT = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
BELLE = {"conversations": [{"from": "human", "value": "a"}, {"from": "assistant", "value": "b"}]}
OPENAI = {"messages": [{"role": "user", "content": "a"}]}


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ([ALPACA, {**ALPACA, "history": []}], "llama-factory"),
        ([BELLE, GPT], "sharegpt"),
        ([{"conversations": [{"from": ["human"], "value": "a"}]}, GPT], "sharegpt"),
        ([{"a": 1}, ALPACA], "alpaca"),
        ([1, "x", ALPACA], "alpaca"),
        ([{"instruction": 1, "output": 2}, ALPACA], "alpaca"),
        ([ALPACA] * 20 + [OPENAI], "alpaca"),  # only the first rows are looked at
    ],
)
def test_mixed_rows(write, rows, name):
    assert detect_format(write(json.dumps(rows))) == name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"a": 1, "b": 2}], "no format has the keys 'a', 'b'; none is near: see `parley formats list`"),
        ([{"Instructions": "a", "Outputs": "b"}], "the nearest format is alpaca ('instruction', 'output'): rename"),
        ([{"prompt": "a", "chosen": "b"}], "the nearest format is prompt-response ('prompt', 'response'): rename"),
        ([{"role": "user", "words": "a"}], "no format has the keys 'role', 'words'"),
        ([{"x": {"role": "user", "content": "a"}}], "if they are rows"),
        ([{"instruction": ["a"], "answers": ["b"]}], "its values are columns: write one object for each row"),
        ({"0": ALPACA, "1": ALPACA}, "its values are objects: if they are rows, write them as a list"),
        ([["a", "b"], ["c", "d"]], "no row is a readable object; the first one begins '[\"a\", \"b\"]'"),
        ("instruction,output\na,b\n", "an input is JSON, JSON lines or Parquet"),
        ('{"role": "user", "content": "a"}\n{"role": "assistant", "content": "b"}\n', "each row is one message: "),
        ([{"message_id": "1", "parent_id": None, "role": "prompter", "text": "a"}], "each row is one message: "),
        ([{"question": "a", "answer": "b", "prompt": "a", "response": "b"}], "one of: prompt-response, "),
        ([{}], "no format has the keys (none)"),
        ([{f"key{n:02}": 1 for n in range(13)}], "'key11', ...;"),
        ([{**OPENAI, **GPT}], "fit more than one format; pass --format with one of: openai, sharegpt"),
        ([ALPACA, OPENAI], "fit more than one format; pass --format with one of: alpaca, openai"),
        ([{"instruction": 1, "output": 2}], "the keys 'instruction', 'output' are those of alpaca, but their"),
        ([{"instruction": "a", "output": ["b"]}], "their values are not (output: Input should be a valid string)"),
        ([{"chat": [{"role": "a"}]}], "no format has the keys 'chat'"),
        ([{"plain_text": "[Human]: a<eoh> [Other]: b"}], "no format has the keys 'plain_text'"),
        ([1, 2], "no row is a readable object; the first one begins '1'"),
        ("version https://example.org/pointer", "the first one begins 'version https://example.org/pointer' (line 1"),
        ([{"\ud800\x00": 1}], "the keys '\ufffd';"),
    ],
)  # fmt: skip
def test_an_undetectable_format_is_a_one_line_error(write, content, message):
    uri = write(content if isinstance(content, str) else json.dumps(content))
    for attempt in (detect_format, read_rows):
        with pytest.raises(InputError) as error:
            attempt(uri)
        text = str(error.value)
        assert message in text
        assert uri in text
        assert text.encode() and "\n" not in text


def test_an_unknown_format_lists_the_known(write):
    with pytest.raises(InputError, match=f"no format 'alpacca'; the formats are: {', '.join(formats())}"):
        read_rows(write("[1]"), "alpacca")


@pytest.mark.parametrize("name", ["ultrachat_200k", "ULTRACHAT-200K"])
def test_format_names_are_forgiving(write, name):
    assert len(list(read_rows(write(json.dumps([OPENAI])), name))) == 1


def test_every_format_says_what_it_is():
    assert all(form.about and "\n" not in form.about and form.keys for form in formats().values())
