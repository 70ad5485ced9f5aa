"""What the checks find in a text, and what the author is told of it."""

import pytest

from manifests.reasons import Reason
from pipeline.engines.contract import Complaint
from pipeline.stages._spoken_text import check_answer, check_question
from tests.tables import each_row


@each_row(
    ("language", "text", "kind", "reason", "values"),
    [
        ("en", "What is tea?", None, None, {}),
        ("en", "one two three four five six", None, None, {}),
        ("en", "well-known words are two each", None, None, {}),
        ("en", "one two three four five six seven", "too_long", Reason.TOO_LONG, {"length": "7", "limit": "6"}),
        ("zh", "茶是什么东西？", None, None, {}),
        ("zh", "茶到底是什么？啊", "too_long", Reason.TOO_LONG, {"length": "7", "limit": "6"}),
        ("en", "", "empty", Reason.TEXT_ENGINE_FAILED, {}),
        ("en", " ?!", "empty", Reason.TEXT_ENGINE_FAILED, {}),
        ("en", "茶", "wrong_language", Reason.WRONG_LANGUAGE, {}),
        ("zh", "What is tea?", "wrong_language", Reason.WRONG_LANGUAGE, {}),
        ("en", "It is 5 (or 6) o'clock", "unpronounceable", Reason.UNPRONOUNCEABLE, {"characters": "5 ( 6 )"}),
        ("en", "One\ntwo\n\tthree", "unpronounceable", Reason.UNPRONOUNCEABLE, {"characters": r"\n \t"}),
        ("en", "a 0123456789%$", "unpronounceable", Reason.UNPRONOUNCEABLE, {"characters": "0 1 2 3 4 5 6 7 8 9"}),
        ("en", "So " + "a" * 60, "unpronounceable", Reason.UNPRONOUNCEABLE, {"characters": "aaaaaaaaaa..."}),
        ("en", "a" * 59, None, None, {}),
        ("zh", "用CPU吗？", "unpronounceable", Reason.UNPRONOUNCEABLE, {"characters": "C P U"}),
        ("en", "what's NEW", "repeated", Reason.TEXT_ENGINE_FAILED, {}),
    ],
)
def test_a_question_that_is_final(
    language: str, text: str, kind: str | None, reason: Reason | None, values: dict[str, str]
) -> None:
    found = check_question(text, language, 6, unlike=["", "What's new?"])
    assert found == (kind and reason and Complaint(reason, kind, {"field": "question", **values}))


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("It is 5 (or 6) o'clock", None),
        ("One\n\ntwo\n", r"unpronounceable: field question, characters \n"),
        ("One\u2028two\r\n", r"unpronounceable: field question, characters \u2028 \r \n"),
        ("a b c d e f g h", "too long: field question, length 8, limit 7"),
    ],
)
def test_a_question_that_is_polished_later_may_be_written_but_on_one_line(text: str, detail: str | None) -> None:
    found = check_question(text, "en", 7, speakable=False)
    assert (found and found.detail) == detail


@pytest.mark.parametrize(
    ("text", "allow_latin", "kind", "reason"),
    [
        ("用CPU吧。", True, None, None),
        ("用CPU吧。", False, "unpronounceable", Reason.UNPRONOUNCEABLE),
        ("茶是饮料啊。", False, "too_long", Reason.ANSWER_TOO_LONG),
        ("。", False, "empty", Reason.TEXT_ENGINE_FAILED),
        ("Use it.", True, "wrong_language", Reason.WRONG_LANGUAGE),
    ],
)
def test_an_answer_has_its_own_limit_and_may_keep_latin_words(
    text: str, allow_latin: bool, kind: str | None, reason: Reason | None
) -> None:
    found = check_answer(text, "zh", 4, allow_latin=allow_latin)
    assert (found and (found.kind, found.reason, found.values["field"])) == (kind and (kind, reason, "answer"))


@each_row("language", ["en", "zh"])
@each_row(
    "text",
    [
        "a" * 50_000,
        "ab " * 20_000,
        "茶" * 50_000,
        "🙂" * 50_000,
        "\ud800",
        "\x00",
        "<|im_end|>",
        "${x} {y}",
        "\n" * 50_000,
    ],
)
def test_no_text_is_too_odd_to_be_judged(language: str, text: str) -> None:
    assert check_question(text, language, 5)
    assert check_answer(text, language, 5)


@each_row(
    ("answer", "question", "found"),
    [
        ("What is the tallest tree?", "What is the tallest tree?", (Reason.ECHO, "repeated")),
        ("what is the tallest tree", "What is the tallest tree?", (Reason.ECHO, "repeated")),
        ("Can you name the tallest tree?", "Hey, um, can you name the tallest tree?", (Reason.ECHO, "repeated")),
        ("Can you name the tallest trees?", "So, can you name the tallest tree?", (Reason.ECHO, "repeated")),
        ("She walks to school every day.", "She walk to school every day.", None),
        ("The tallest tree is a redwood.", "What is the tallest tree?", None),
        ("Good morning!", "Good morning.", None),
        ("I'm sorry, but I cannot help with that.", "What is a tree?", (Reason.REFUSED, "empty")),
        ("As an AI language model, I have no trees.", "What is a tree?", (Reason.REFUSED, "empty")),
        ("N/A", "What is a tree?", (Reason.NO_ANSWER, "empty")),
        ("Los árboles son plantas muy grandes", "What is a tree?", (Reason.WRONG_LANGUAGE, "wrong_language")),
        ("It is <image> a plant.", "What is a tree?", (Reason.MEDIA, "unpronounceable")),
    ],
)
def test_an_answer_that_no_agent_would_speak(answer: str, question: str, found: tuple[Reason, str] | None) -> None:
    complaint = check_answer(answer, "en", 50, question=question)
    assert (None if complaint is None else (complaint.reason, complaint.kind)) == found


@each_row(
    ("question", "reason"),
    [
        ("I'm sorry, but I cannot help with that request.", Reason.REFUSED),
        ("Me gustaría saber cómo se hace el pan", Reason.WRONG_LANGUAGE),
        ("Hola, me gustaria saber como se hace esto en casa", Reason.WRONG_LANGUAGE),
        ("What is a tree?", None),
    ],
)
def test_a_question_that_no_person_would_ask(question: str, reason: Reason | None) -> None:
    complaint = check_question(question, "en", 50)
    assert (complaint.reason if complaint else None) == reason
