"""The dialect of a server: what it understands of the chat API, found out by what it refuses."""

import pytest

from pipeline.engines.contract import ChatMessage, ChatRequest
from pipeline.engines.remote.error_kinds import classify_error
from pipeline.engines.text._chat.openai_model import RUNGS, Dialect
from tests.servers.asking import SCHEMA, settings

REQUEST = ChatRequest((ChatMessage("user", "hello"),), seed=5, schema=SCHEMA)


def test_each_refused_format_leads_to_the_next() -> None:
    dialect, formats = Dialect(), []
    problem = classify_error(400, b"response_format", formatted=True)
    while dialect is not None:
        formats.append((dialect.guidance, dialect.fields(settings(None), REQUEST).get("response_format")))
        last, dialect = dialect, dialect.without(problem)
    assert last.rung == len(RUNGS) - 1
    assert formats == [
        ("json_schema", {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}}),
        ("json_object with schema", {"type": "json_object", "schema": SCHEMA}),
        ("json_object", {"type": "json_object"}),
        ("plain", None),
    ]


@pytest.mark.parametrize(
    ("refused", "gone", "new"),
    [
        (["seed"], {"seed"}, {}),
        (["top_p", "seed"], {"seed", "top_p"}, {}),
        (["max_tokens"], {"max_tokens"}, {"max_completion_tokens": 512}),
    ],
)
def test_refused_fields_are_left_out_or_renamed(refused: list[str], gone: set[str], new: dict[str, int]) -> None:
    full = Dialect().fields(settings(None), REQUEST)
    dialect: Dialect | None = Dialect()
    for name in refused:
        assert dialect is not None
        dialect = dialect.without(classify_error(400, f"unsupported {name}".encode(), [name]))
    assert dialect is not None
    fields = dialect.fields(settings(None), REQUEST)
    assert full.keys() - fields.keys() == gone
    assert {name: fields[name] for name in fields.keys() - full.keys()} == new


@pytest.mark.parametrize("name", ["temperature", "chat_template_kwargs", "max_completion_tokens"])
def test_no_other_field_is_left_out(name: str) -> None:
    dialect = Dialect(limit_field="max_completion_tokens")
    assert dialect.without(classify_error(400, f"unsupported {name}".encode(), [name])) is None


def test_all_fields_of_the_recipe_are_sent() -> None:
    model = settings(
        None,
        temperature=0.3,
        top_p=0.9,
        max_tokens=77,
        template_options={"enable_thinking": False},
        extra_body={"top_k": 20},
    )
    assert Dialect().fields(model, ChatRequest((ChatMessage("user", "hello"),), seed=5)) == {
        "model": "scripted",
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0.3,
        "top_p": 0.9,
        "max_tokens": 77,
        "seed": 5,
        "chat_template_kwargs": {"enable_thinking": False},
        "top_k": 20,
    }
