"""Finds the examples in a template, so that an answer which only repeats them is known (`parse.repeated_field`)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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


def _strings_of(line: str) -> Iterator[str]:
    start = line.find("{")
    while start >= 0:
        try:
            value, end = _DECODER.raw_decode(line, start)
        except ValueError:
            return
        yield from (content for content in value.values() if isinstance(content, str))
        start = line.find("{", end)
