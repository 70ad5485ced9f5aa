"""A written answer taken apart: prose, and the items of its first list."""

import re
from dataclasses import dataclass

from pipeline.text.sentences import split_sentences
from pipeline.text.verbalize import strip_markup, text_length

_ITEM = re.compile(
    r"^(?P<indent>\s*)(?:[-*•–]\s*|\(?\d{1,2}(?:[.)、．](?!\d)|\s*[：:])\s*|[a-zA-Z]\)\s*)(?P<text>[^\s\d*-].*|\d[^.)、].*)$"
)
_HEAD = re.compile(r"^(?P<head>[^:：。.!?！？]{2,70}?)\s*(?:[:：]|\s[-–—]+\s|——)\s*(?P<body>\S.*)?$")
_PARENTHESES = re.compile(r"\s*[（(][^()（）]*[)）]")
_TERMINAL = re.compile(r"[.!?。！？:：][\"”’」')]*$")


@dataclass(frozen=True, slots=True)
class Written:
    """`prose` are the sentences before the first list (all of them where there is none), `items` that list.

    `more_lists` says that the answer has further ones. `lines` are the lines that are not blank.
    """

    prose: tuple[str, ...]
    items: tuple[str, ...]
    more_lists: bool
    lines: tuple[str, ...]


def take_apart(answer: str, language: str) -> Written:
    """The answer without markup, as sentences and top-level list items."""
    lines = [line.rstrip() for line in strip_markup(answer).splitlines() if line.strip()]
    matches = [_ITEM.match(line) for line in lines]
    first = next((i for i, match in enumerate(matches) if match), len(lines))
    items: list[str] = []
    ended = more = False
    for line, match in zip(lines[first:], matches[first:], strict=True):
        indented = line.startswith((" ", "\t"))
        if match and not ended and len(match["indent"]) <= len(_indent(lines[first])):
            items.append(match["text"].strip())
        elif match and ended:
            more = True
        elif not match and not indented:
            ended = True
    prose = [sentence for line in lines[:first] for sentence in split_sentences(line.strip(), language)]
    return Written(tuple(prose), tuple(items), more, tuple(lines))


def heads(items: tuple[str, ...], longest: int, language: str) -> tuple[str, ...] | None:
    """The names of the items where each is "name: explanation"; None where they are not.

    Explanations of up to `longest` are none: they belong to the item ("cat: noun").
    """
    found = [match for item in items if (match := _HEAD.match(item))]
    if len(found) < len(items):
        return None
    bodies = [match["body"] for match in found if match["body"]]
    if bodies and all(text_length(body, language) <= longest for body in bodies):
        return None
    return tuple(match["head"].strip() for match in found)


def without_parentheses(text: str) -> str:
    """What stands in brackets is an aside, which nobody says."""
    for _ in range(2):
        text = _PARENTHESES.sub("", text)
    return text


def is_verse(lines: tuple[str, ...], longest: int, lengths: list[int]) -> bool:
    """Several short lines most of which end no sentence: a poem, a dialogue, an address."""
    if len(lines) < 3:
        return False
    short = sum(count <= longest for count in lengths)
    open_ended = sum(not _TERMINAL.search(line) for line in lines)
    return short >= 0.7 * len(lines) and open_ended >= 0.5 * len(lines)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
