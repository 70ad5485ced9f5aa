"""The values of tool calls in what is said: whether they are there at all, and whether they were heard.

A word error rate forgives one wrong word in ten. A wrong word that is the value of an argument makes another call.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.scoring.normalize import metric, normalize, tokens

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::00)?")
_SAYABLE = re.compile(r"\w")


def argument_values(calls: str | None) -> tuple[str, ...]:
    """Return the texts and numbers among the arguments of calls (JSON), each once; truth values are no words."""
    values = (value for call in json.loads(calls or "[]") for value in _leaves(call.get("arguments")))
    return tuple(dict.fromkeys(values))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _leaves(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield f"{value:g}" if abs(value) < 1e6 else str(value)
    elif isinstance(value, str) and _SAYABLE.search(value):
        yield value


def said_values(values: Sequence[str], text: str, language: str) -> dict[str, str]:
    """Return the values that the text says, each with the normalized form in which it says it."""
    said = tokens(text, language)
    forms = ((value, form) for value in values for form in _forms(value, language))
    found: dict[str, str] = {}
    for value, form in forms:
        if _contains(said, tokens(form, language)):
            found.setdefault(value, form)
    return found


def misheard_values(values: Sequence[str], text: str, hypothesis: str, language: str) -> tuple[str, ...]:
    """Return the values that the text says and the transcript does not."""
    heard = tokens(hypothesis, language)
    said = said_values(values, text, language)
    return tuple(value for value, form in said.items() if not _contains(heard, tokens(form, language)))


def _forms(value: str, language: str) -> Iterator[str]:
    """Yield how a value may be said: as it is, a date without its year, a time of day on a clock of twelve hours."""
    yield value.replace("_", " ")
    if _DATE.fullmatch(value):
        yield from _days(normalize(value, language), value[:4])
    if found := _TIME.fullmatch(value):
        yield from _clock(int(found[1]), int(found[2]), language)


def _days(date: str, year: str) -> Iterator[str]:
    """Yield the date without its year: "may 3", and "3 may" for "the third of May"."""
    day = date.removesuffix(f" {year}").removeprefix(f"{year}年")
    yield day
    if len(parts := day.split()) == 2:
        yield f"{parts[1]} {parts[0]}"


def _clock(hour: int, minute: int, language: str) -> tuple[str, ...]:
    short, half = hour % 12 or 12, "am" if hour < 12 else "pm"
    if metric(language) == "cer":
        rest = {0: "", 30: "半"}.get(minute, f"{minute}分")
        return (f"{short}点{rest}",)
    if minute:
        return f"{short}:{minute:02} {half}", f"{short}:{minute:02}"
    return f"{short} {half}", f"{short} o'clock"


def _contains(words: Sequence[str], part: Sequence[str]) -> bool:
    """Tell whether the words have that part in a row; a number is no part of a longer one."""
    size = len(part)
    return bool(part) and any(
        words[i : i + size] == part and not _goes_on(words, i - 1, part[0]) and not _goes_on(words, i + size, part[-1])
        for i in range(len(words) - size + 1)
    )


def _goes_on(words: Sequence[str], place: int, digit: str) -> bool:
    """Tell whether a number that is counted by its digits, as in Chinese, goes on at that place."""
    is_single = len(digit) == 1 and digit.isdigit()
    return is_single and 0 <= place < len(words) and len(words[place]) == 1 and words[place].isdigit()
