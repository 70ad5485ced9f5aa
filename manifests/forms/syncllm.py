"""SyncLLM's sequences: two streams of units in chunks on one clock, and turns of sentences that are text or units.

In a chunk stands speaker 0, then speaker 1. A unit that repeats the one before it in its stream is left out, also over
the border of chunks. `[S0]` stands in every chunk, since it is the clock; `[S1]` only where speaker 1 has a new unit.
So the durations within a chunk are lost, and the way back is right to the length of a chunk.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SPEAKERS = ("[S0]", "[S1]")
_TOKEN = re.compile(r"\[(S?\d+)\]")
_MARKED = re.compile(r"(\[S[01]\])")


@dataclass(frozen=True, slots=True)
class SentencePart:
    """Holds a sentence of a turn, as text or as units."""

    text: str | None = None
    units: tuple[int, ...] = ()

    @property
    def as_text(self) -> str:
        return self.text if self.text is not None else units_text(self.units)


def units_text(units: Sequence[int]) -> str:
    return "".join(f"[{unit}]" for unit in units)


def units_of(text: str) -> tuple[int, ...]:
    """Return the units of such a text; raises ValueError for another one."""
    units = tuple(int(each) for each in re.findall(r"\[(\d+)\]", text))
    if units_text(units) != text:
        raise ValueError(f"not units: {text[:40]!r}")
    return units


def interleaved(streams: Sequence[Sequence[int]], chunk: int) -> str:
    """Return the two streams, speaker 0's first, of as many units each, in chunks of `chunk` units.

    The last chunk may be short. Raises ValueError for streams that differ in length.
    """
    first, second = streams
    if len(first) != len(second):
        raise ValueError(f"streams of {len(first)} and {len(second)} units do not have one clock")
    parts: list[str] = []
    last: list[int | None] = [None, None]
    for start in range(0, len(first), chunk):
        for speaker, stream in enumerate((first, second)):
            new = []
            for unit in stream[start : start + chunk]:
                if unit != last[speaker]:
                    new.append(unit)
                last[speaker] = unit
            if new or speaker == 0:
                parts.append(f"{SPEAKERS[speaker]}{units_text(new)}")
    return "".join(parts)


def interpolated(text: str, chunk: int, num_units: int | None = None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the two streams of such a text: a chunk's units share it evenly, the first of them having what is left
    over [ours: the paper does not say], and one without units repeats the last unit.

    `num_units` cuts the last chunk. Raises ValueError for another text, and for a stream that begins without a unit.
    """
    streams: tuple[list[int], list[int]] = ([], [])
    for new in _chunks(text):
        for stream, units in zip(streams, new, strict=True):
            shared = units or stream[-1:]
            if not 0 < len(shared) <= chunk:
                raise ValueError(f"a chunk of {chunk} units cannot have {len(shared)}")
            each, rest = divmod(chunk, len(shared))
            stream += [unit for place, unit in enumerate(shared) for _ in range(each + (place < rest))]
    first, second = (tuple(stream[:num_units]) for stream in streams)
    return first, second


def _chunks(text: str) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the new units of both speakers in each chunk."""
    tokens = _TOKEN.findall(text)
    if "".join(f"[{token}]" for token in tokens) != text or not text.startswith(SPEAKERS[0]):
        raise ValueError(f"not units of two speakers: {text[:40]!r}")
    now: tuple[list[int], list[int]] = ([], [])
    speaker = 0
    for place, token in enumerate(tokens):
        if token == "S0" and place:
            yield now
            now = ([], [])
        if token.startswith("S"):
            speaker = int(token[1:])
        else:
            now[speaker].append(int(token))
    yield now


def turns_text(turns: Sequence[tuple[int, Sequence[SentencePart]]]) -> str:
    """Return turns of (speaker, sentences), one behind the other: `[S1]<sentence><sentence>[S0]<sentence>`."""
    return "".join(f"{SPEAKERS[speaker]}{''.join(part.as_text for part in parts)}" for speaker, parts in turns)


def turns_of(text: str) -> list[tuple[int, list[SentencePart]]]:
    """Return the turns of such a text; sentences of the same kind that stand side by side come back as one part."""
    pieces = _MARKED.split(text)
    if pieces[0]:
        raise ValueError(f"it begins with no speaker: {text[:40]!r}")
    marked = zip(pieces[1::2], pieces[2::2], strict=True)
    return [(SPEAKERS.index(mark), _parts(said)) for mark, said in marked]


def _parts(text: str) -> list[SentencePart]:
    parts = [each for each in re.split(r"((?:\[\d+\])+)", text) if each]
    return [SentencePart(units=units_of(each)) if each.startswith("[") else SentencePart(each) for each in parts]
