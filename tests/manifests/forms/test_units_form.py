"""Units raw and merged, units between marks, and GLM-4-Voice's turns of text and audio: each with its way back."""

import itertools

import pytest

from manifests.forms.glm4_voice import audio_span, interleaved, separated
from manifests.forms.units import angle_text, angle_units, expanded, merged


@pytest.mark.parametrize("raw", [(), (5,), (5, 5, 7, 7, 9), (1, 1, 1), (1, 2, 1)])
def test_merged_units_and_back(raw: tuple[int, ...]) -> None:
    units, counts = merged(raw)
    assert all(one != other for one, other in itertools.pairwise(units))
    assert expanded(units, counts) == raw


def test_a_run_is_one_unit() -> None:
    assert merged((5, 5, 7, 7, 9)) == ((5, 7, 9), (2, 2, 1))


def test_units_between_marks_and_back() -> None:
    assert angle_text((12, 845, 3, 77)) == "<sosp><12><845><3><77><eosp>"
    assert angle_units("<sosp><12><845><3><77><eosp>") == (12, 845, 3, 77)
    for wrong in ("<sosp><12>", "<sosp>12<eosp>", "<12>", "<sosp><12> <13><eosp>"):
        with pytest.raises(ValueError):
            angle_units(wrong)


@pytest.mark.parametrize(("texts", "codes"), [(13, 26), (20, 60), (30, 10), (0, 30), (5, 0), (14, 26)])
def test_thirteen_of_text_and_twenty_six_of_audio(texts: int, codes: int) -> None:
    text, audio = tuple(f"t{number}" for number in range(texts)), tuple(range(codes))
    tokens = interleaved(text, audio)
    assert separated(tokens) == (text, audio)
    assert tokens[: min(13, texts)] == list(text[:13])
    if texts > 13 and codes > 26:
        assert tokens[13] == "<|audio_0|>" and tokens[39] == "t13"
    assert separated(audio_span(audio)) == ((), audio)
