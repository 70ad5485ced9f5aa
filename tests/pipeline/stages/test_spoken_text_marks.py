"""Typographic marks go, whatever has a sound or a meaning stays."""

from pipeline.stages._spoken_text import without_marks
from pipeline.text.verbalize import unspeakable
from tests.tables import each_row


@each_row(
    ("language", "text", "heard"),
    [
        ("en", "It’s the dogs’ turn.", "It's the dogs' turn."),
        ("en", '“Tea” means "cha".', "Tea means cha."),
        ("en", "Tea — hot tea—is good; so is water: really…", "Tea, hot tea, is good, so is water, really..."),
        ("en", "And then —", "And then"),
        ("en", "Some\u00a0tea\u200b, well\u2011known", "Some tea, well-known"),
        ("zh", "《红楼梦》的作者是“曹雪芹”。", "红楼梦的作者是曹雪芹。"),
        ("zh", "玛丽·居里很有名", "玛丽居里很有名"),
        ("zh", "有两点：第一，早睡；第二，早起……", "有两点，第一，早睡，第二，早起"),
        ("zh", "是吗……？", "是吗？"),
        ("zh", "你好, 是吗?好!行.", "你好，是吗？好！行。"),
        ("zh", "你好 世界。 再见", "你好世界。再见"),
        ("zh", "用 CPU 吧", "用 CPU 吧"),
    ],
)
def test_marks_that_nobody_hears(language: str, text: str, heard: str) -> None:
    assert without_marks(text, language) == heard
    assert without_marks(heard, language) == heard
    assert not unspeakable(heard, language, allow_latin=True)


@each_row(
    ("language", "text"),
    [
        ("en", "Plain words, as they are said. "),
        ("en", "It costs $5 (or 6)."),
        ("en", "At 10:30, pages 5–6"),
        ("en", "* one\n* two"),
        ("zh", "比分是3:2，版本2.0"),
        ("zh", "（大概）一百％"),
        ("zh", "一、二、三"),
        ("fr", "« Thé »"),
    ],
)
def test_what_has_a_sound_or_a_meaning_stays_for_the_checks(language: str, text: str) -> None:
    assert without_marks(text, language) == text
