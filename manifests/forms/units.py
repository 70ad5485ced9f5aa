"""Discrete units as they are written: raw or merged, as lists or between marks.

Corpora hold raw units, one for each frame. Merged ones, where a run of the same unit is written once, lose the
durations; with the counts of `merged` they can be had back.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

SPEECH_START, SPEECH_END = "<sosp>", "<eosp>"
_ANGLES = re.compile(r"<(\d+)>")


def merged(units: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the units without repeats, and how often each stood there in a row."""
    runs = [(unit, sum(1 for _ in run)) for unit, run in groupby(units)]
    return tuple(unit for unit, _ in runs), tuple(count for _, count in runs)


def expanded(units: Sequence[int], counts: Sequence[int]) -> tuple[int, ...]:
    """Return the raw units of which these are the merged ones; the inverse of `merged`."""
    return tuple(unit for unit, count in zip(units, counts, strict=True) for _ in range(count))


def angle_text(units: Iterable[int]) -> str:
    """Write units as SpeechGPT reads them: `<sosp><12><845><eosp>`."""
    return f"{SPEECH_START}{''.join(f'<{unit}>' for unit in units)}{SPEECH_END}"


def angle_units(text: str) -> tuple[int, ...]:
    """Return the units of such a text; raises ValueError if it is none."""
    inside = text.removeprefix(SPEECH_START).removesuffix(SPEECH_END)
    units = tuple(int(each) for each in _ANGLES.findall(inside))
    if angle_text(units) != text:
        raise ValueError(f"not units between {SPEECH_START} and {SPEECH_END}: {text[:40]!r}")
    return units
