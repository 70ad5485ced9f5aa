"""Ranks voices, and the synthesizers that speak with them, by what they sound like.

Four measures are read off a voice's clips of a few sentences: how well it is understood, how good it sounds, how like
itself it stays from one sentence to the next, and how far it is from every real person. They have no common scale, so
places are averaged, not values: a voice's place is the mean of its places by each measure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import numpy as np

from voicebank.voice import Vector, Voice


@dataclass(frozen=True, slots=True)
class RankedVoice:
    """A voice as one synthesizer speaks with it; `place` is its mean place, from 1.

    `own` is the mean cosine between its sentences, `nearest_real` the cosine to the real person `nearest_id`. What
    could not be measured is None; a voice with a `problem` has no place.
    """

    voice: Voice
    error_rate: float | None = None
    quality: float | None = None
    own: float | None = None
    nearest_real: float | None = None
    nearest_id: str | None = None
    problem: str | None = None
    place: float | None = None

    @property
    def engine(self) -> str:
        return self.voice.engine


class RankingMeasure(NamedTuple):
    """One measure: its words for people, and the number that is least for the best voice."""

    words: str
    badness: Callable[[RankedVoice], float | None]


MEASURES = (
    RankingMeasure("error rate", lambda one: one.error_rate),
    RankingMeasure("quality", lambda one: None if one.quality is None else -one.quality),
    RankingMeasure("likeness to itself", lambda one: None if one.own is None else -one.own),
    RankingMeasure("likeness to a real person", lambda one: one.nearest_real),
)


@dataclass(frozen=True, slots=True)
class RankedEngine:
    """A synthesizer with the means over those of its voices that could be measured; `place` is their mean place."""

    engine: str
    voices: int
    failed: int
    error_rate: float | None
    quality: float | None
    own: float | None
    nearest_real: float | None
    place: float | None


def places(badness: Sequence[float]) -> list[float]:
    """Return the place of each number, 1 for the least; equal numbers share the mean of their places."""
    found = [0.0] * len(badness)
    start = 1
    for _, group in groupby(sorted((value, index) for index, value in enumerate(badness)), key=lambda pair: pair[0]):
        indices = [index for _, index in group]
        for index in indices:
            found[index] = start + (len(indices) - 1) / 2
        start += len(indices)
    return found


def rank(voices: Sequence[RankedVoice]) -> list[RankedVoice]:
    """Return the voices with their places, the best first; those with a problem come last, in their order.

    Error rates of different languages do not compare, so each language is ranked on its own, and languages follow one
    another in alphabetical order. A measure that some voice lacks does not count for any.
    """
    ranked: list[RankedVoice] = []
    for language in sorted({one.voice.language for one in voices}):
        sound = [one for one in voices if one.voice.language == language and one.problem is None]
        columns = [[measure.badness(one) for one in sound] for measure in MEASURES]
        counted = [
            places([value for value in column if value is not None]) for column in columns if None not in column
        ]
        placed = [_placed(one, [column[row] for column in counted]) for row, one in enumerate(sound)]
        ranked += sorted(placed, key=lambda one: (one.place or 0.0, one.voice.voice_id, one.engine))
        ranked += [one for one in voices if one.voice.language == language and one.problem is not None]
    return ranked


def rank_engines(voices: Sequence[RankedVoice]) -> list[RankedEngine]:
    """Return the synthesizers, the one with the best mean place first. `voices` are ranked."""
    engines = sorted({one.engine for one in voices})
    found = [_engine(engine, [one for one in voices if one.engine == engine]) for engine in engines]
    return sorted(found, key=lambda one: (one.place is None, one.place or 0.0, one.engine))


def likeness_to_itself(vectors: Sequence[Vector]) -> float | None:
    """Return the mean cosine of all pairs of clips' vectors, of length 1; None for a single clip."""
    if len(vectors) < 2:
        return None
    matrix = np.stack(vectors)
    return float((matrix @ matrix.T)[np.triu_indices(len(matrix), 1)].mean())


def _placed(one: RankedVoice, of_measures: Sequence[float]) -> RankedVoice:
    return replace(one, place=float(np.mean(of_measures)) if of_measures else None)


def _engine(engine: str, voices: Sequence[RankedVoice]) -> RankedEngine:
    sound = [one for one in voices if one.problem is None]

    def mean(name: str) -> float | None:
        values = [value for one in sound if (value := getattr(one, name)) is not None]
        return float(np.mean(values)) if values else None

    measures = {name: mean(name) for name in ("error_rate", "quality", "own", "nearest_real", "place")}
    return RankedEngine(engine, len(voices), len(voices) - len(sound), **measures)
