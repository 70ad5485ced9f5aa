"""Spirit LM's sequences: units, pitch and style in one stream, and spans of text and of speech that take turns.

In the stream a token stands at its frame's time. Repeats are left out of units and pitch, not of style; what remains
is sorted by time, and at the same time style comes before pitch before units. The way back gives each stream without
its repeats: durations are lost, so a data set keeps the raw streams beside.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from manifests.forms.units import merged

Kind = Literal["text", "speech"]
Markers = Literal["paper", "released"]

STREAMS = {"style": "St", "pitch": "Pi", "hubert": "Hu"}
"""The streams in the order in which they stand at the same time, with the names of their tokens."""
RATES = {"style": 1.0, "pitch": 12.5, "hubert": 24.99}
"""Tokens a second in the released code, which takes 24.99 for the 25 of the units."""
MERGED = ("pitch", "hubert")
MARKERS: Mapping[Markers, Mapping[Kind, str]] = {
    "paper": {"text": "[TEXT]", "speech": "[SPEECH]"},
    "released": {"text": "[Text]", "speech": "[Speech]"},
}
_TOKEN = re.compile(r"\[(St|Pi|Hu)(\d+)\]")


@dataclass(frozen=True, slots=True)
class Span:
    """Holds words `first` to `end` - 1, as text or as speech."""

    kind: Kind
    first: int
    end: int


def stream_text(streams: Mapping[str, Sequence[int]], rates: Mapping[str, float] = RATES) -> str:
    """Return raw streams, by name, as one text: `[St10][Pi0][Hu28]`."""
    placed: list[tuple[float, str]] = []
    for name, letters in STREAMS.items():
        place = 0
        ids = streams.get(name, ())
        kept, counts = merged(ids) if name in MERGED else (tuple(ids), (1,) * len(ids))
        for each, count in zip(kept, counts, strict=True):
            placed.append((place / rates[name], f"[{letters}{each}]"))
            place += count
    return "".join(token for _, token in sorted(placed, key=lambda each: each[0]))  # a stable sort


def streams_of(text: str) -> dict[str, tuple[int, ...]]:
    """Return the streams of such a text without repeats; raises ValueError for another text."""
    found = _TOKEN.findall(text)
    if "".join(f"[{letters}{each}]" for letters, each in found) != text:
        raise ValueError(f"not Spirit LM's tokens: {text[:40]!r}")
    names = {letters: name for name, letters in STREAMS.items()}
    streams: dict[str, list[int]] = {}
    for letters, each in found:
        streams.setdefault(names[letters], []).append(int(each))
    return {name: tuple(streams[name]) for name in STREAMS if name in streams}


def drawn_spans(num_words: int, sizes: Mapping[Kind, tuple[int, int]], draw: np.random.Generator) -> tuple[Span, ...]:
    """Draw spans that take turns and cover the words: which kind begins, and how many words each has.

    `sizes` are the fewest and the most words of a span of each kind; the last one may be shorter.
    """
    kind: Kind = "text" if draw.random() < 0.5 else "speech"
    spans: list[Span] = []
    first = 0
    while first < num_words:
        low, high = sizes[kind]
        end = min(num_words, first + int(draw.integers(low, high + 1)))
        spans.append(Span(kind, first, end))
        first, kind = end, "speech" if kind == "text" else "text"
    return tuple(spans)


def interleaved(parts: Sequence[tuple[Kind, str]], markers: Markers = "paper", is_spaced: bool = True) -> str:
    """Return spans of text or of tokens behind their marks. `is_spaced`: a blank stands between a text and the mark
    behind it, as the paper has it."""
    marks = MARKERS[markers]
    pieces = []
    for number, (kind, content) in enumerate(parts):
        blank = " " if is_spaced and kind == "text" and number + 1 < len(parts) else ""
        pieces.append(f"{marks[kind]}{content}{blank}")
    return "".join(pieces)


def parts_of(text: str, markers: Markers = "paper", is_spaced: bool = True) -> list[tuple[Kind, str]]:
    """Return the spans of such a text; the inverse of `interleaved`."""
    marks = {mark: kind for kind, mark in MARKERS[markers].items()}
    pieces = re.split("(" + "|".join(map(re.escape, marks)) + ")", text)
    if pieces[0]:
        raise ValueError(f"it begins with no mark: {text[:40]!r}")
    parts = [(marks[mark], content) for mark, content in zip(pieces[1::2], pieces[2::2], strict=True)]
    last = len(parts) - 1
    return [
        (kind, content.removesuffix(" ") if is_spaced and kind == "text" and number < last else content)
        for number, (kind, content) in enumerate(parts)
    ]
