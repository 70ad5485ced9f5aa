"""Describes how the kept turns sound: length, speaking rate, loudness, predicted ratings."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from manifests.distributions import Distribution
from manifests.schema import Audio, Dialogue, Quality, Take, Turn

BINS = 32
_WAITING = 4096
"""Values that wait before they are counted together: one by one costs a hundred times as much."""

TURN_S, CHARACTERS_PER_S, WORDS_PER_S, SIMILARITY = "turn_s", "characters_per_s", "words_per_s", "speaker_similarity"
MEASURES = (TURN_S, CHARACTERS_PER_S, WORDS_PER_S, *(field.name for field in fields(Quality)), SIMILARITY)


class Sound:
    """Collects the measures of the kept turns by language."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Distribution] = {}
        self._waiting: dict[tuple[str, str], list[float]] = {}

    def add(self, dialogue: Dialogue) -> None:
        """Add a row; one that is not kept is left out."""
        if dialogue.status != "kept":
            return
        for turn in dialogue.turns:
            for measure, value in _measures(turn):
                waiting = self._waiting.setdefault((measure, dialogue.language), [])
                waiting.append(value)
                if len(waiting) >= _WAITING:
                    self._count(measure, dialogue.language)

    def figures(self) -> list[dict[str, Any]]:
        """Return the measures that turns have, each with its languages: turns, mean, quantiles and bins."""
        for measure, language in list(self._waiting):
            self._count(measure, language)
        return [
            {
                "measure": measure,
                "languages": {language: _figures(self._found[measure, language]) for language in found},
            }
            for measure in MEASURES
            if (found := sorted(language for of, language in self._found if of == measure))
        ]

    def _count(self, measure: str, language: str) -> None:
        values = self._waiting.pop((measure, language))
        self._found.setdefault((measure, language), Distribution()).add(np.array(values))


def clip_seconds(audio: Audio | None) -> float:
    """Return the seconds of a clip; 0 for none, and for one whose sample rate is none."""
    return audio.duration_s if audio is not None and audio.sample_rate > 0 else 0.0


def _measures(turn: Turn) -> Iterator[tuple[str, float]]:
    """Yield the measures of the take that counts, those that are finite."""
    take = turn.take
    if take is None:
        return
    for measure, value in (*_lengths(take), *_ratings(take)):
        if value is not None and np.isfinite(value):
            yield measure, value


def _lengths(take: Take) -> Iterator[tuple[str, float]]:
    seconds = clip_seconds(take.audio)
    if seconds <= 0:
        return
    yield TURN_S, seconds
    if take.score is not None and not take.score.is_empty_reference:
        text = take.score.reference
        yield CHARACTERS_PER_S, len(text.replace(" ", "")) / seconds
        if take.score.metric == "wer":
            yield WORDS_PER_S, take.score.reference_length / seconds


def _ratings(take: Take) -> Iterator[tuple[str, float | None]]:
    quality = take.quality
    if quality is not None:
        yield from ((field.name, getattr(quality, field.name)) for field in fields(Quality))
    yield SIMILARITY, take.speaker_similarity


def _figures(values: Distribution) -> dict[str, Any]:
    low, high, counts = values.bins(BINS)
    return {**values.figures(), "low": low, "high": high, "counts": counts}
