"""Finds which phonemes are a word's, and so when it is spoken: the graph predicts how long each phoneme lasts.

English phonemes have a blank between words, and a number or a sign may be several; a word's own phonemes tell how many
groups it has. Chinese phonemes are those of the characters, one behind the other.

The time of a blank goes to the word behind it: in fluent speech there is nothing between two words, and the next one
is heard there. After a pause, what is silent of it must be cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from pipeline.engines.shared.word_times import Span

_TONES = "↓→↗↘"


@dataclass(frozen=True, slots=True)
class TimedPhoneme:
    """A phoneme, blank or mark, with its samples [start, end)."""

    phoneme: str
    start: int
    end: int

    @property
    def is_sound(self) -> bool:
        return self.phoneme.isalpha() or self.phoneme in _TONES


def word_spans(units: Sequence[str], phonemes: Sequence[TimedPhoneme], has_blanks: bool) -> list[Span | None]:
    """Return the samples of each word, by the phonemes of each alone, and those of the whole text.

    All are None where the two do not fit: then nobody knows which phoneme is whose.
    """
    phonemes = _with_blanks_before(phonemes)
    if has_blanks:
        groups = _groups(phonemes)
        counts = [len(unit.split()) for unit in map(_only_sounds, units)]
    else:
        groups = [[phoneme] for phoneme in phonemes if phoneme.is_sound]
        counts = [len(_only_sounds(unit).replace(" ", "")) for unit in units]
        if "".join(group[0].phoneme for group in groups) != "".join(_only_sounds(u).replace(" ", "") for u in units):
            return [None] * len(units)
    if sum(counts) != len(groups) or not all(counts):
        return [None] * len(units)
    ends = list(accumulate(counts))
    return [(groups[end - count][0].start, groups[end - 1][-1].end) for end, count in zip(ends, counts, strict=True)]


def _with_blanks_before(phonemes: Sequence[TimedPhoneme]) -> list[TimedPhoneme]:
    """Begin each phoneme behind a blank where the blank does."""
    made: list[TimedPhoneme] = []
    for phoneme in phonemes:
        follows = made and made[-1].phoneme == " " and phoneme.phoneme != " "
        made.append(replace(phoneme, start=made[-1].start) if follows else phoneme)
    return made


def _groups(phonemes: Sequence[TimedPhoneme]) -> list[list[TimedPhoneme]]:
    """Return the sounds between blanks."""
    groups: list[list[TimedPhoneme]] = [[]]
    for phoneme in phonemes:
        if phoneme.phoneme == " ":
            groups.append([])
        elif phoneme.is_sound:
            groups[-1].append(phoneme)
    return [group for group in groups if group]


def _only_sounds(phonemes: str) -> str:
    return "".join(c for c in phonemes if c.isalpha() or c in _TONES or c == " ")
