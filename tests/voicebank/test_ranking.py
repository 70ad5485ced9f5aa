"""Places of voices and synthesizers: means of places, each language on its own, what failed last."""

from typing import Any

import numpy as np
import pytest

from voicebank.ranking import RankedVoice, likeness_to_itself, places, rank, rank_engines
from voicebank.voice import Voice


def heard(name: str, *figures: float | None, engine: str = "e", language: str = "en", **of: Any) -> RankedVoice:
    """`figures` are error rate, quality, likeness to itself and to a real person."""
    return RankedVoice(Voice(name, engine, name, language, "female"), *figures, **of)


def order(ranked: list[RankedVoice]) -> list[tuple[str, float | None]]:
    return [(one.voice.voice_id, one.place) for one in ranked]


def test_equal_numbers_share_their_places() -> None:
    assert places([0.3, 0.1, 0.1, 0.9]) == [3.0, 1.5, 1.5, 4.0]
    assert places([]) == [] and places([5.0]) == [1.0]


@pytest.mark.parametrize(
    "better, worse",
    [
        ((0.0, 4.0, 0.9, 0.8), (0.1, 4.0, 0.9, 0.8)),
        ((0.0, 4.5, 0.9, 0.8), (0.0, 4.0, 0.9, 0.8)),
        ((0.0, 4.0, 0.95, 0.8), (0.0, 4.0, 0.9, 0.8)),
        ((0.0, 4.0, 0.9, 0.7), (0.0, 4.0, 0.9, 0.8)),
    ],
    ids=["error rate", "quality", "steady", "nobody's"],
)
def test_each_measure_counts_and_in_its_own_direction(better: Any, worse: Any) -> None:
    assert order(rank([heard("a", *worse), heard("b", *better)])) == [("b", 1.375), ("a", 1.625)]


def test_three_good_places_outweigh_one_however_good() -> None:
    ranked = rank([heard("one", 0.0, 1.0, 0.1, 0.9), heard("three", 5.0, 4.0, 0.9, 0.5)])
    assert order(ranked) == [("three", 1.25), ("one", 1.75)]


def test_a_measure_that_someone_lacks_counts_for_nobody() -> None:
    ranked = rank([heard("a", 0.2, 4.0, None, None), heard("b", 0.1, 4.1, 0.1, 0.99)])
    assert order(ranked) == [("b", 1.0), ("a", 2.0)]


def test_languages_are_apart_and_what_failed_comes_last() -> None:
    voices = [
        heard("zh", 0.5, 3.0, language="zh"),
        heard("mute", problem="no sound"),
        heard("en", 0.1, 4.0),
    ]
    assert order(rank(voices)) == [("en", 1.0), ("mute", None), ("zh", 1.0)]


def test_synthesizers_by_the_mean_place_of_their_voices() -> None:
    ranked = rank(
        [
            heard("a", 0.0, 4.0, engine="good"),
            heard("b", 0.2, 4.2, engine="good"),
            heard("a", 0.4, 3.0, engine="bad"),
            heard("b", problem="x", engine="bad"),
            heard("a", problem="x", engine="dead"),
        ]
    )
    good, bad, dead = rank_engines(ranked)
    assert (good.engine, good.voices, good.failed, good.error_rate, good.quality) == ("good", 2, 0, 0.1, 4.1)
    assert (bad.engine, bad.failed, bad.place, bad.own) == ("bad", 1, 3.0, None)
    assert (dead.engine, dead.failed, dead.place) == ("dead", 1, None)


def test_likeness_is_over_all_pairs() -> None:
    first, second = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    assert likeness_to_itself([first]) is None
    assert likeness_to_itself([first, first, second]) == pytest.approx(1 / 3)
