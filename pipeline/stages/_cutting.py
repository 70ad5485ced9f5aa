"""Cuts the clip of a whole dialogue into its turns, by the times of the words at both sides of each cut."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np

from manifests.languages import is_unspaced
from manifests.schema import Word, WordTimes
from manifests.words import words_of
from pipeline.engines.contract import Clip, Samples

_FRAME_S = 0.01
_SMOOTH = 3
"""Frames over which loudness is averaged: a single quiet frame lies inside many a vowel."""


def whole_text(texts: Sequence[str], language: str) -> str:
    """Return the text of the dialogue, as an aligner gets it."""
    return ("" if is_unspaced(language) else " ").join(text.strip() for text in texts)


def cut_turns(clip: Clip, texts: Sequence[str], language: str, times: WordTimes) -> list[Clip | str]:
    """Return the clip of each turn, with the times of its words; in place of a turn that cannot be cut out, why.

    `times` are those of the words of `whole_text`. A cut lies where it is quietest between the last word before it
    and the first behind it. Samples between two turns all belong to one of them: nothing is lost.
    """
    counts = [len(words_of(text, language)) for text in texts]
    if sum(counts) != len(times.words):
        return [f"the dialogue has {sum(counts)} words, and the aligner tells of {len(times.words)}"] * len(texts)
    ends = list(accumulate(counts))
    words = [times.words[end - count : end] for end, count in zip(ends, counts, strict=True)]
    cuts = [_cut(clip, *pair) for pair in pairwise(words)]
    starts: list[int | str] = [0, *cuts]
    stops: list[int | str] = [*cuts, len(clip.samples)]
    return [
        _turn(clip, start, stop, replace(times, words=tuple(own)))
        for start, stop, own in zip(starts, stops, words, strict=True)
    ]


def _turn(clip: Clip, start: int | str, stop: int | str, times: WordTimes) -> Clip | str:
    if isinstance(start, str):
        return start
    if isinstance(stop, str):
        return stop
    if start >= stop:
        return "the words of its neighbors leave no room for the turn"
    samples = np.ascontiguousarray(clip.samples[start:stop])
    moved = tuple(_moved(word, start, len(samples)) for word in times.words)
    return Clip(samples, clip.sample_rate, replace(times, words=moved))


def _moved(word: Word, start: int, length: int) -> Word:
    if word.start_sample is None or word.end_sample is None:
        return word
    return Word(word.text, *(min(max(at - start, 0), length) for at in (word.start_sample, word.end_sample)))


def _cut(clip: Clip, before: Sequence[Word], behind: Sequence[Word]) -> int | str:
    """Return the sample of the cut, or why there is none."""
    if not before or not behind:
        return "a turn beside the cut has no word"
    end, start = before[-1].end_sample, behind[0].start_sample
    if end is None or start is None:
        return "a word beside the cut has no times"
    if (behind[0].end_sample or start) <= (before[-1].start_sample or 0):
        return "the words on both sides of the cut are not in order"
    first, last = sorted((min(end, len(clip.samples)), min(start, len(clip.samples))))
    return _quietest(clip.samples, first, last, max(1, round(_FRAME_S * clip.sample_rate)))


def _quietest(samples: Samples, first: int, last: int, frame: int) -> int:
    """Return the middle of the quietest frames in the samples first..last, of equally quiet ones the middle-most."""
    count = (last - first) // frame
    middle = (first + last) // 2
    if count <= _SMOOTH:
        return middle
    power = np.square(samples[first : first + count * frame].reshape(count, frame), dtype=np.float64).mean(axis=1)
    smooth = np.convolve(power, np.ones(_SMOOTH) / _SMOOTH, "valid")
    centers = first + (np.arange(len(smooth)) + _SMOOTH / 2) * frame
    quiet = centers[smooth <= smooth.min() + 1e-12]
    return int(quiet[np.argmin(np.abs(quiet - middle))])
