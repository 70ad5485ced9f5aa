"""What one server understands of the OpenAI chat API, found out by what it refuses.

A `Dialect` is a value: the client starts with the full one and replaces it by a poorer one when the server refuses a
field, so that each refusal is met once and not for every request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.engines.contract import ChatRequest
from pipeline.engines.remote.error_kinds import Meaning, Problem
from pipeline.engines.text.openai import OpenAIModel

RUNGS = ("json_schema", "json_object with schema", "json_object", "plain")
"""Ways to hold an answer to a schema, the strictest first: OpenAI's and vLLM's, llama.cpp's, that of servers that know
JSON but no schemas, and nothing (the prompt says it in words)."""

DROPPABLE = frozenset({"seed", "top_p"})
"""Fields that the corpus can do without; a server that refuses another one is not the recipe's server."""

CHANGES = len(RUNGS) - 1 + len(DROPPABLE) + 1
"""Most changes a dialect can go through."""


@dataclass(frozen=True, slots=True)
class Dialect:
    rung: int = 0
    dropped: frozenset[str] = frozenset()
    limit_field: str = "max_tokens"

    @property
    def guidance(self) -> str:
        """How answers are held to a schema, for people."""
        return RUNGS[self.rung]

    def without(self, problem: Problem) -> "Dialect | None":
        """The dialect that avoids the problem; None where there is none."""
        if problem.meaning is Meaning.FORMAT and self.rung < len(RUNGS) - 1:
            return replace(self, rung=self.rung + 1)
        if problem.meaning is not Meaning.PARAMETER or problem.parameter is None:
            return None
        if problem.parameter == "max_tokens" == self.limit_field:
            return replace(self, limit_field="max_completion_tokens")
        if problem.parameter in DROPPABLE - self.dropped:
            return replace(self, dropped=self.dropped | {problem.parameter})
        return None

    def fields(self, settings: OpenAIModel, request: ChatRequest) -> dict[str, Any]:
        """The body of the request."""
        fields: dict[str, Any] = {
            "model": settings.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "seed": request.seed,
            self.limit_field: settings.max_tokens,
        }
        for name in self.dropped:
            del fields[name]
        if request.schema is not None and self.rung < len(RUNGS) - 1:
            fields["response_format"] = _response_format(self.rung, request.schema)
        if settings.template_options:
            fields["chat_template_kwargs"] = settings.template_options
        return fields | settings.extra_body


def optional_fields(fields: Mapping[str, Any]) -> frozenset[str]:
    """Names of what was sent besides model and messages: what a server may refuse."""
    return frozenset(fields.keys() - {"model", "messages", "response_format"})


def _response_format(rung: int, schema: Mapping[str, object]) -> dict[str, Any]:
    if rung == 0:
        return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": dict(schema)}}
    return {"type": "json_object", "schema": dict(schema)} if rung == 1 else {"type": "json_object"}
