"""The examples of a template, and whether an answer only repeats them: weak models do so when they know nothing else.

What a template shows as a reply may not come back as one, unless the request is about the same thing, and neither may
several words in a row of the examples' requests and replies. A judge's reason that is an example's, a rule's, or a
placeholder ("a few words"), is no judgment. Nor may a mark come back that stands around the request's texts.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.engines.contract import TextRequest
from pipeline.engines.text._chat.tasks import Value
from pipeline.text.repeated import is_nearly, is_part, shared_run

_TAG = re.compile(r"<<<(\w+)\n")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Examples:
    """`replies` are the texts of all replies that the template shows, `requests` what they reply to, `rules` its other
    lines."""

    replies: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


def find_examples(texts: Mapping[str, str]) -> Examples:
    """Find the examples in the parts of a template: lines with a JSON object, and the lines above them."""
    replies: list[str] = []
    requests: list[str] = []
    rules: list[str] = []
    for text in texts.values():
        above: list[str] = []
        for line in text.splitlines():
            if shown := list(_strings_of(line)):
                replies += shown
                requests += above
                above = []
            else:
                _, colon, said = line.replace("：", ":").partition(":")
                rules.append(line)
                above = [*above, said.strip()] if colon and said.strip() and "$" not in line else []
    return Examples(*(tuple(dict.fromkeys(found)) for found in (replies, requests, rules)))


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


def _strings_of(line: str) -> Iterator[str]:
    start = line.find("{")
    while start >= 0:
        try:
            value, end = _DECODER.raw_decode(line, start)
        except ValueError:
            return
        yield from (content for content in value.values() if isinstance(content, str))
        start = line.find("{", end)
