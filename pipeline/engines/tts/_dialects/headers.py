"""Reads what the headers of a speech answer tell: that the speech was cut off, and when each word is spoken."""

import json
import math
from collections.abc import Mapping
from typing import Any

from manifests.audio_fields import TimeUnit
from manifests.languages import is_unspaced
from manifests.schema import Word, WordTimes
from pipeline.engines.contract import Clip
from pipeline.engines.tts._dialects.dialect import AnswerRules

_MS = 1000


def is_cut_off(rules: AnswerRules, headers: Mapping[str, str]) -> bool:
    """Tell whether the server says that it stopped at a limit, and not at the end of the text."""
    return rules.finish is not None and headers.get(rules.finish.lower(), "").strip().lower() in rules.cut_off


def word_times(
    rules: AnswerRules, headers: Mapping[str, str], clip: Clip, language: str, aligner: str
) -> WordTimes | None:
    """Return the times of the words in the clip; None where the server told nothing of them.

    Where it left them out or they cannot be right, there are no words, and `problem` says why.
    """
    unit: TimeUnit = "character" if is_unspaced(language) else "word"
    if rules.word_times and (told := headers.get(rules.word_times.lower())):
        words = _words(told, clip)
        if words is None:
            return WordTimes(aligner, unit, (), "the word times that the server sent make no sense")
        return WordTimes(aligner, unit, words)
    if rules.word_times_omitted and headers.get(rules.word_times_omitted.lower()) is not None:
        return WordTimes(aligner, unit, (), "the server left the word times out: too long for a header")
    return None


def _words(told: str, clip: Clip) -> tuple[Word, ...] | None:
    """Return the words in samples; None unless they are in order and in the clip, but for its last 100 ms."""
    try:
        entries = json.loads(told)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entries, list):
        return None
    words: list[Word] = []
    for entry in entries:
        times = _times(entry)
        if times is None:
            return None
        start, end = (round(ms * clip.sample_rate / _MS) for ms in times)
        least = words[-1].start_sample or 0 if words else 0
        if not least <= start <= end <= len(clip.samples) + clip.sample_rate // 10:
            return None
        last = len(clip.samples)
        words.append(Word(str(entry["word"]), min(start, last), min(end, last)))
    return tuple(words)


def _times(entry: Any) -> tuple[float, float] | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("word"), str):
        return None
    start, end = entry.get("start_ms"), entry.get("end_ms")
    if not all(isinstance(ms, int | float) and not isinstance(ms, bool) for ms in (start, end)):
        return None
    try:
        times = float(start), float(end)  # type: ignore[arg-type]
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return times if all(map(math.isfinite, times)) else None
