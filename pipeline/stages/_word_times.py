"""Looks at word times: whether they can be true. Joins those of characters into those of words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from manifests.schema import Word, WordTimes
from manifests.words import words_of
from pipeline.engines.contract import Clip
from pipeline.engines.shared.word_times import loud_frames

_PHRASE_ENDS = re.compile(r"[.,;:!?…。，、；：！？—–-][\"'”’)\]]*$")
_FRAMES_PER_S = 100
_AROUND_S = 0.05
"""Sound this near to a word may be its own: aligners place borders to some hundredths of a second."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """What word times must keep to; see the settings of `align`."""

    min_word_ms: int
    max_word_s: float
    max_gap_s: float
    max_unplaced_s: float


def find_problem(times: WordTimes, clip: Clip, limits: TimeLimits) -> str | None:
    """Say what cannot be true of the times of the clip's words; None: nothing was found. Words without times count
    as missing, not as wrong, unless there is no other."""
    placed = [word for word in times.words if word.start_sample is not None]
    if not placed:
        return "no word has times"
    for word in placed:
        if problem := _word_problem(word, clip, limits):
            return problem
    for this, following in pairwise(placed):
        if problem := _pair_problem(this, following, clip.sample_rate, limits):
            return problem
    return _sound_problem(times.words, clip, limits)


def _word_problem(word: Word, clip: Clip, limits: TimeLimits) -> str | None:
    start, end = _span(word)
    if not 0 <= start < end <= len(clip.samples):
        return f"the word {word.text!r} is not inside the clip, or ends before it starts"
    seconds = (end - start) / clip.sample_rate
    if seconds < limits.min_word_ms / 1000:
        return f"the word {word.text!r} lasts {1000 * seconds:.0f} ms"
    if seconds > limits.max_word_s:
        return f"the word {word.text!r} lasts {seconds:.1f} s"
    return None


def _pair_problem(this: Word, following: Word, rate: int, limits: TimeLimits) -> str | None:
    (start, end), (next_start, _) = _span(this), _span(following)
    if next_start < start:
        return f"the word {following.text!r} starts before the one before it"
    gap_s = (next_start - end) / rate
    if gap_s > limits.max_gap_s and not _PHRASE_ENDS.search(this.text):
        return f"{gap_s:.1f} s without a word behind {this.text!r}, inside a phrase"
    return None


def _sound_problem(words: Sequence[Word], clip: Clip, limits: TimeLimits) -> str | None:
    """Compare the words with what is heard: a word where there is nothing, and sound where there is no word."""
    hop = max(1, clip.sample_rate // _FRAMES_PER_S)
    loud = loud_frames(clip.samples, hop)
    covered = np.zeros(len(loud), bool)
    around = round(_AROUND_S * _FRAMES_PER_S)
    for word in words:
        if word.start_sample is not None:
            start, end = _span(word)
            first, last = start // hop, -(-end // hop)
            if not loud[first:last].any():
                return f"the word {word.text!r} lies in silence"
            covered[max(0, first - around) : last + around] = True
    unplaced_s = float(np.count_nonzero(loud & ~covered)) / _FRAMES_PER_S
    if unplaced_s > limits.max_unplaced_s and all(word.start_sample is not None for word in words):
        return f"{unplaced_s:.1f} s of sound belong to no word"
    return None


def _span(word: Word) -> tuple[int, int]:
    assert word.start_sample is not None
    return word.start_sample, word.end_sample if word.end_sample is not None else word.start_sample


def joined(times: WordTimes, pieces: Sequence[str], language: str) -> WordTimes:
    """Join timed characters into the words that `pieces` are, which one behind the other are the text.

    A word starts with its first character and ends with its last one; it has times only if all of these have.
    """
    units = words_of("".join(pieces), language)
    ends = np.cumsum([len(piece) for piece in pieces])
    # A unit belongs to the piece in which its last letter lies; marks behind it may lie in a piece of their own.
    owners = [int(np.searchsorted(ends, _first_letter(unit.start, "".join(pieces)), side="right")) for unit in units]
    words: list[Word] = []
    previous = -1
    for owner, word in zip(owners, times.words, strict=True):
        if owner != previous:
            words.append(word)
        else:
            words[-1] = _both(words[-1], word)
        previous = owner
    return replace(times, unit="word", words=tuple(words))


def _first_letter(start: int, text: str) -> int:
    found = re.compile(r"\w").search(text, start)
    return found.start() if found else start


def _both(first: Word, second: Word) -> Word:
    if first.start_sample is None or second.start_sample is None:
        return Word(first.text + second.text, None, None)
    return Word(first.text + second.text, first.start_sample, second.end_sample)
