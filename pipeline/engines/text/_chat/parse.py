"""Reads the values that were asked for from the text that a language model sent back, or says what is wrong with it.

The text must hold one flat JSON object with known keys, somewhere. Anything that cannot be read without guessing gets
a complaint: another try costs a fraction of a cent, a wrong row stays in the corpus.

Nor may an answer only repeat its prompt: weak models do so when they know nothing else. What a template shows as a
reply may not come back as one, unless the request is about the same thing, and neither may several words in a row of
the examples' requests and replies. A judge's reason that is an example's, a rule's, or a placeholder ("a few words"),
is no judgment. Nor may a mark come back that stands around the request's texts.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from manifests.reasons import Reason
from pipeline.engines.contract import ChatReply, Complaint, TextRequest
from pipeline.engines.text._chat.examples import Examples
from pipeline.engines.text._chat.json_repair import repair_object
from pipeline.engines.text._chat.tasks import KEEP, AnswerKey, TextTask, Value
from pipeline.engines.text._chat.template import Template
from pipeline.text.debris.mending import THOUGHT_END, THOUGHT_START, final_channel
from pipeline.text.repeated import is_nearly, is_part, shared_run

MOST_BRACKETS = 64
"""A flat object needs one opening bracket. Without a limit, `[[[[` makes json raise a RecursionError."""

_OPEN_END = re.compile(r"(?:[\"”]|\b(?:true|false|null))\s*$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?。！？…](?=[\s}\]”“\"'`]*$)")
_QUOTE = re.compile(r'(?<!\\)"')
_WORDS = {"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}
_BLANKS = re.compile(r"\s+")
_LINE_END = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_UNSPACED = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
_JOINERS = frozenset("\u200c\u200d")
"""Format characters that some scripts need."""
_TAG = re.compile(r"<<<(\w+)\n")


class _Twice(ValueError):
    """An object that has two different values under one key."""


def read_reply(reply: ChatReply, template: Template, request: TextRequest, told: str) -> dict[str, str] | Complaint:
    """Return the fields of the answer, or what is wrong with it. `told` is the user message that the reply is to."""
    values = parse_answer(reply.text, reply.finish, template.answer)
    if isinstance(values, Complaint):
        return values
    offered = {key.field for key in template.answer.values() if key.offered}
    own = {field: value for field, value in values.items() if field not in offered}
    if field := repeated_field(own, template.examples, request):
        return _repeated(field, "the prompt's example")
    if field := marked_field(values, told):
        return _repeated(field, "the prompt's marks")
    fields = answer_fields(template.task, values)
    return (request.check(fields) if request.check else None) or fields


def parse_answer(
    text: str, finish: Literal["stop", "length"], keys: Mapping[str, AnswerKey]
) -> dict[str, Value] | Complaint:
    """Return the values by field, or what is wrong with the text. `keys`: what was asked for, by name in the text."""
    if finish == "length":
        return _cut_off()
    answer = _without_reasoning(text)
    if answer is None:
        return _cut_off()
    if sum(answer.count(bracket) for bracket in "{[") > MOST_BRACKETS:
        return _malformed(keys)
    found = _found(answer, keys)
    if not found and (closed := _closed(answer)):
        found = _found(closed, keys)
    # Several different objects: a draft and its correction, or answers to further tasks that the model made up.
    if not found or any(other != found[0] for other in found):
        return _malformed(keys)
    empty = (key.field for key in keys.values() if found[0][key.field] == "" and not key.may_be_empty)
    if field := next(empty, None):
        return Complaint(Reason.TEXT_ENGINE_FAILED, "empty", {"field": field})
    return found[0]


def answer_fields(task: TextTask, values: Mapping[str, Value]) -> dict[str, str]:
    """Turn the values of a model's answer into the fields of a `TextAnswer`."""
    if not task.verdicts:
        return {field: str(value) for field, value in values.items()}
    against = (reason.value for field, reason in task.verdicts if values[field] is False)
    return {"verdict": next(against, KEEP), "detail": str(values["reason"])}


def repeated_field(values: Mapping[str, Value], examples: Examples, request: TextRequest) -> str | None:
    """Return the field of the answer that only repeats an example; None if none does."""
    own = "\n".join([*request.variables.values(), *(text for pair in request.history for text in pair)])
    for field, value in values.items():
        if isinstance(value, str) and value and _repeats(value, field, examples, own):
            return field
    return None


def marked_field(values: Mapping[str, Value], told: str) -> str | None:
    """Return the field of the answer that holds a tag of the marks around the texts that the model was told."""
    tags = _TAG.findall(told)
    return next((f for f, value in values.items() if isinstance(value, str) and any(t in value for t in tags)), None)


def _found(answer: str, keys: Mapping[str, AnswerKey]) -> list[dict[str, Value]]:
    """Return the values of each object in which all keys stand."""
    return [values for value in _objects(answer) if (values := _values(value, keys)) is not None]


def _closed(answer: str) -> str | None:
    """Return the text with its object closed; None unless only the end of that is missing, or in the wrong order.

    The model says that it has finished, so nothing was cut off. A last text that is open, ends like a sentence and is
    followed by marks alone, as in `{"question": "Why?}"`, ends there: small models close it so, or not at all.
    """
    start, bare = answer.find("{"), answer.rstrip("` \n\r\t")
    if start >= 0 and "}" not in answer[start:] and _OPEN_END.search(bare) and len(_QUOTE.findall(bare)) % 2 == 0:
        return bare + "}"
    said = _SENTENCE_END.search(answer)
    if start < 0 or not said or len(_QUOTE.findall(answer[start : said.end()])) % 2 == 0:
        return None
    last = answer[start : said.end()].rpartition('"')[2]
    return None if set(last) & set("{}[]") else f'{answer[: said.end()]}"}}'


def _malformed(keys: Mapping[str, AnswerKey]) -> Complaint:
    return Complaint(Reason.TEXT_ENGINE_FAILED, "malformed", {"keys": ", ".join(keys)})


def _cut_off() -> Complaint:
    return Complaint(Reason.TEXT_ENGINE_FAILED, "cut_off")


def _repeated(field: str, what: str) -> Complaint:
    return Complaint(Reason.TEXT_ENGINE_FAILED, "repeated", {"field": field}, f"{field}: repeats {what}")


def _without_reasoning(text: str) -> str | None:
    """Return what follows the reasoning; None if the reasoning has no end.

    Some chat templates put the opening tag into the prompt, so a closing tag counts without it.
    """
    text = final_channel(text)
    ends = list(THOUGHT_END.finditer(text))
    rest = text[ends[-1].end() :] if ends else text
    start = THOUGHT_START.search(rest)
    brace = rest.find("{")
    return None if start and (brace < 0 or start.start() < brace) else rest


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of the text that are not inside others, in order."""
    decoder = json.JSONDecoder(strict=False, object_pairs_hook=_object)
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except _Twice:
            value, end = {}, _end_of(text, start)
        except ValueError:
            end = _end_of(text, start)
            value = repair_object(text[start:end])
        yield value
        start = text.find("{", end)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, content in pairs:
        if value.setdefault(name, content) != content:
            raise _Twice(name)
    return value


def _end_of(text: str, start: int) -> int:
    """Find the end of an object that cannot be parsed, by its braces; the last brace if they are unbalanced."""
    depth = 0
    for brace in re.finditer(r"[{}]", text[start:]):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return start + brace.end()
    last = text.rfind("}", start)
    return last + 1 if last >= 0 else len(text)


def _values(value: Mapping[str, Any], keys: Mapping[str, AnswerKey]) -> dict[str, Value] | None:
    """Return what was asked for, by field; None if a key is missing or of another type. Other keys are ignored."""
    folded = {_folded(name): content for name, content in value.items()}
    values: dict[str, Value] = {}
    for name, key in keys.items():
        content = value.get(name, folded.get(_folded(name)))
        typed = _text(content) if key.type == "string" else _boolean(content)
        if typed is None:
            return None
        values[key.field] = typed
    return values


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _boolean(content: object) -> bool | None:
    if isinstance(content, bool):
        return content
    return _WORDS.get(content.strip().casefold()) if isinstance(content, str) else None


def _text(content: object) -> str | None:
    """Return a text as one line without invisible characters, among them lone surrogates, which UTF-8 cannot hold."""
    if not isinstance(content, str):
        return None
    line = _BLANKS.sub(_blank, content)
    unseen = {char for char in set(line) - _JOINERS if unicodedata.category(char) in _UNSEEN}
    return line.translate({ord(char): None for char in unseen}).strip()


def _blank(found: re.Match[str]) -> str:
    """Keep spaces; turn the end of a line into a space, or into nothing between characters of unspaced scripts."""
    if not _LINE_END.search(found[0]):
        return found[0]
    around = found.string[found.start() - 1 : found.start()] + found.string[found.end() : found.end() + 1]
    return "" if len(_UNSPACED.findall(around)) == 2 else " "


def _repeats(text: str, field: str, examples: Examples, own: str) -> bool:
    if field == "reason":  # short, and about all rows alike: only the same words again are a copy
        return any(is_nearly(text, shown) for shown in (*examples.replies, *examples.rules))
    foreign = [shown for shown in examples.replies if not _is_about(own, shown)]
    if any(is_nearly(text, shown) or is_part(text, shown) for shown in foreign):
        return True
    runs = (shared_run(text, shown) for shown in (*examples.requests, *foreign))
    return any(run is not None and shared_run(own, run) is None for run in runs)


def _is_about(own: str, shown: str) -> bool:
    """Tell whether the request has the words that carry the example's meaning itself."""
    words = {word for word in shown.casefold().split() if len(word) >= 5} or {shown}
    text = own.casefold()
    return 2 * sum(word.strip(".,?!") in text for word in words) >= len(words)
