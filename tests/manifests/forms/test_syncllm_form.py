"""SyncLLM's chunks: the golden sequence, the way back within a chunk, and turns of sentences."""

from itertools import groupby

import numpy as np
import pytest

from manifests.forms.syncllm import SentencePart, interleaved, interpolated, turns_of, turns_text

# Three chunks of four units.
FIRST = (75, 75, 75, 75, 17, 17, 338, 338, 338, 338, 338, 338)
SECOND = (89, 89, 89, 89, 89, 89, 89, 89, 89, 41, 41, 7)
TEXT = "[S0][75][S1][89][S0][17][338][S0][S1][41][7]"


def test_the_golden_sequence_and_back() -> None:
    assert interleaved((FIRST, SECOND), 4) == TEXT
    first, second = interpolated(TEXT, 4)
    assert first == FIRST
    assert second == (*SECOND[:8], 41, 41, 7, 7), "wrong only within the last chunk"


@pytest.mark.parametrize("chunk", [4, 5, 6])
def test_the_way_back_is_right_to_a_chunk(chunk: int) -> None:
    draw = np.random.Generator(np.random.PCG64(chunk))
    streams = [tuple(np.repeat(draw.integers(0, 6, 40), draw.integers(1, 9, 40)).tolist()[:100]) for _ in range(2)]
    text = interleaved(streams, chunk)
    back = interpolated(text, chunk, 100)
    assert interleaved(back, chunk) == text
    for stream, again in zip(streams, back, strict=True):
        assert len(again) == 100
        assert [unit for unit, _ in groupby(again)] == [unit for unit, _ in groupby(stream)]
        for start in range(0, 100, chunk):
            assert set(again[start : start + chunk]) <= {
                *stream[start : start + chunk],
                *stream[max(0, start - 1) : start],
            }


def test_what_is_left_over_goes_to_the_first_units() -> None:
    assert interpolated("[S0][1][2][3][S1][9]", 5) == ((1, 1, 2, 2, 3), (9,) * 5)


@pytest.mark.parametrize("text", ["", "[S1][3][S0][4]", "[S0][3]", "[S0][3][S1][4] ", "[S0][1][2][3][S1][4]"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        interpolated(text, 2)


def test_streams_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one clock"):
        interleaved((FIRST, SECOND[:-1]), 4)


def test_turns_of_sentences_and_back() -> None:
    turns = [
        (1, [SentencePart("Is it rye? "), SentencePart(units=(4, 7))]),
        (0, [SentencePart(units=(12,)), SentencePart(" Yes.")]),
    ]
    text = turns_text(turns)
    assert text == "[S1]Is it rye? [4][7][S0][12] Yes."
    assert turns_of(text) == turns
    with pytest.raises(ValueError, match="no speaker"):
        turns_of("Is it")
