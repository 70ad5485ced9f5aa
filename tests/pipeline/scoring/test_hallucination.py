"""Transcripts that the recognizer invented, and transcripts that look like it but are what was said."""

import pytest

from manifests.reasons import Reason
from pipeline.scoring.hallucination import flags

LONG_S = 60.0


@pytest.mark.parametrize(
    ("text", "language", "reference", "reason"),
    [
        ("go home go home go home", "en", "", Reason.HALLUCINATION_LOOP),
        ("go home go home", "en", "", None),
        ("ha ha ha", "en", "", None),
        ("go home go home go home", "en", "go home, go home, go home", None),
        ("你好吗你好吗你好吗", "zh", "", Reason.HALLUCINATION_LOOP),
        ("哈哈哈", "zh", "", None),
        ("well thank you for watching", "en", "", Reason.HALLUCINATION_SILENCE),
        ("well thank you for watching", "en", "Thank you for watching it.", None),
        ("感谢观看", "zh", "", Reason.HALLUCINATION_SILENCE),
        ("今天天气很好", "en", "", Reason.HALLUCINATION_LANGUAGE),
        ("сегодня хорошая погода", "en", "", Reason.HALLUCINATION_LANGUAGE),
        ("the weather is fine", "zh", "", Reason.HALLUCINATION_LANGUAGE),
        ("我用iPhone拍照", "zh", "", None),
        ("今日はコーヒーを飲む", "ja", "", None),
        ("the weather is fine", "sw", "", None),
        ("北京 is big", "en", "", None),
    ],
)
def test_flags(text: str, language: str, reference: str, reason: Reason | None) -> None:
    found = flags(text, language, LONG_S, reference=reference)
    assert [flag.reason for flag in found] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("text", "language", "prompt", "detail"),
    [
        ("so we set sail at dawn today", "en", "We set sail at dawn.", "5 words of the prompt are heard"),
        ("so we set sail today", "en", "We set sail at dawn.", None),
        ("yes set sail", "en", "Set sail!", "2 words of the prompt are heard"),
        ("他说春天的花园里开满了花", "zh", "春天的花园里开满", "8 characters of the prompt are heard"),
        ("春天的花园", "zh", "春天的草地上没有人", None),
    ],
)
def test_a_prompt_that_is_read_aloud(text: str, language: str, prompt: str, detail: str | None) -> None:
    found = flags(text, language, LONG_S, prompt=prompt)
    assert [(flag.reason, flag.detail) for flag in found] == (
        [(Reason.HALLUCINATION_PROMPT, detail)] if detail else []
    )


@pytest.mark.parametrize(
    ("level_dbfs", "no_speech", "log_probability", "is_silent"),
    [(-61.0, None, None, True), (-60.0, None, None, False), (None, 0.7, -1.1, True), (None, 0.7, -0.9, False)],
)
def test_text_on_silence(
    level_dbfs: float | None, no_speech: float | None, log_probability: float | None, is_silent: bool
) -> None:
    found = flags(
        "good morning", "en", LONG_S, level_dbfs=level_dbfs, no_speech=no_speech, log_probability=log_probability
    )
    assert [flag.reason for flag in found] == ([Reason.HALLUCINATION_SILENCE] if is_silent else [])


def test_more_text_than_anybody_can_say() -> None:
    text = "this sentence needs more than one second to be said"
    assert [flag.reason for flag in flags(text, "en", 1.0)] == [Reason.HALLUCINATION_RATE]
    assert flags(text, "en", 2.0) == ()


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_is_wrong_with_no_text(text: str) -> None:
    assert flags(text, "en", 0.0, level_dbfs=-90.0, prompt="anything at all") == ()
