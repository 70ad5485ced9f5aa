"""Judging voices by their figures: every reason to drop one, and what is compared with what."""

from typing import Any

import numpy as np
import pytest

from manifests.errors import UserError
from voicebank.audition import AuditionDrop, AuditionRule, Judged, RealVoices, VoiceClip, judge, measured_leak_limit
from voicebank.speaker_table import speaker_table_of
from voicebank.voice import Speaker, Vector, Voice

RULE = AuditionRule(count=9, error_margin=0.1, quality_margin=0.3, leak=0.9, twin=0.8)


def vector(*numbers: float) -> Vector:
    made = np.zeros(4, np.float32)
    made[: len(numbers)] = numbers
    return (made / np.linalg.norm(made)).astype(np.float32)


def voice(name: str, gender: Any = "female", parents: tuple[str, ...] = ("k/a", "k/b")) -> Voice:
    return Voice(name, "kokoro", name, "en", gender, parents=parents, weights=(0.5,) * len(parents))


def clip(
    name: str, xvector: Vector | None, error: float | None = 0.0, quality: float | None = 4.0, **of: Any
) -> VoiceClip:
    return VoiceClip(voice(name, **of), error, quality, xvector)


def speaker(name: str, xvector: Vector) -> Speaker:
    return Speaker(name, "en", "female", None, 4, 9.0, 6, 0.9, 0.07, 70, 4.0, "CC0-1.0", xvector)


REAL = {
    "en": RealVoices(
        speaker_table_of([speaker("k/a", vector(1)), speaker("k/b", vector(0, 1)), speaker("k/c", vector(0, 0, 1))]),
        {
            "k/a": clip("a", vector(1, 0.2), error=0.0, quality=4.1),
            "k/b": clip("b", vector(0.1, 1), error=0.1, quality=3.6),
            "k/c": clip("c", None, error=None, quality=None),
        },
    )
}


def drops(*clips: VoiceClip, rule: AuditionRule = RULE) -> list[AuditionDrop | None]:
    return [one.drop for one in judge(clips, REAL, rule)]


BETWEEN = vector(1, 1)


def test_the_worst_parent_sets_the_measure() -> None:
    far = vector(1, -1), vector(-1, 1), vector(-1, -1, 0.1)
    assert drops(clip("x", far[0], error=0.2), clip("y", far[1], error=0.21)) == [None, AuditionDrop.UNCLEAR]
    assert drops(clip("x", far[0], quality=3.31), clip("y", far[1], quality=3.29)) == [None, AuditionDrop.POOR]
    alone = clip("z", far[2], error=0.15, parents=("k/a",))
    assert drops(alone) == [AuditionDrop.UNCLEAR], "its only parent has no error at all"


def test_a_voice_is_compared_with_all_real_voices_not_its_parents_alone() -> None:
    like_c = clip("x", vector(0.1, 0.1, 1))
    (judged,) = judge([like_c], REAL, RULE)
    assert judged == Judged(like_c, AuditionDrop.NEAR_REAL, judged.nearest_real, "k/c", None)
    assert judged.nearest_real == pytest.approx(1 / np.sqrt(1.02))


def test_a_twin_is_compared_with_those_that_stayed_whatever_their_gender() -> None:
    first, second = clip("x", BETWEEN), clip("y", vector(1, 1, 0.3), gender="male")
    dropped, third = clip("d", vector(1, -1), error=0.9), clip("z", vector(1, -1, 0.1))
    assert drops(first, second, dropped, third) == [None, AuditionDrop.TWIN, AuditionDrop.UNCLEAR, None]


def test_voices_of_a_bank_that_is_extended_are_no_twins_of_each_other() -> None:
    clips = [clip("x", BETWEEN), clip("y", vector(1, 1, 0.1)), clip("z", vector(1, 1, 0.2))]
    assert [one.drop for one in judge(clips, REAL, RULE, known=2)] == [None, None, AuditionDrop.TWIN]
    assert drops(*clips) == [None, AuditionDrop.TWIN, AuditionDrop.TWIN]


def test_enough_is_enough_for_each_gender() -> None:
    rule = AuditionRule(1, 0.1, 0.3, 1.0, 1.0)
    clips = [clip("x", BETWEEN), clip("y", vector(1, -1)), clip("z", vector(-1, -1), gender="male")]
    assert drops(*clips, rule=rule) == [None, AuditionDrop.SPARE, None]


def test_what_was_not_measured_does_not_stay() -> None:
    silent = VoiceClip(voice("x"), problem="no sound")
    of_nobody_known = clip("y", BETWEEN, parents=("k/c",))
    assert drops(silent, of_nobody_known) == [AuditionDrop.FAILED] * 2


def test_the_leak_limit_is_the_real_voices_own() -> None:
    own = sorted(REAL["en"].own_similarities())
    assert own == pytest.approx([1 / np.sqrt(1.04), 1 / np.sqrt(1.01)])
    assert measured_leak_limit(REAL) == round(own[0] + 0.05 * (own[1] - own[0]), 3)
    with pytest.raises(UserError, match="no leak limit"):
        measured_leak_limit({"en": RealVoices(REAL["en"].speakers, {})})
