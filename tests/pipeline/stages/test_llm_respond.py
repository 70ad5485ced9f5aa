"""respond with a language model: what it asks and what it believes."""

from parley.testing import make_dialogue
from pipeline.engines.contract import TextAnswer
from pipeline.stages.respond import RESPOND
from tests.pipeline.stages.scripted_text import SEEDS, TWO, complaint_of, fields, model_recipe, play
from tests.tables import each_row


def test_respond_goes_on_from_what_was_said() -> None:
    played = play(
        RESPOND,
        [TWO],
        model_recipe("texts.answer_limit=7", "respond.retries=5"),
        writer=lambda r: TextAnswer(
            {"question": f"So, {r.variables['question'].lower()}", "answer": "Milk." if r.history else "Water."}
        ),
    )
    first, second = (request for _, request in played.log)
    assert (first.task, first.form, first.prompt, first.retries) == ("respond", "first", "ke-respond/v2", 5)
    assert (first.variables, first.options, first.history) == ({"question": "What is tea?"}, {"answer_limit": 7}, ())
    assert (second.form, second.variables) == ("next", {"question": "And coffee?"})
    assert second.history == (("So, what is tea?", "Water."),)
    assert (first.seed, second.seed) == tuple(SEEDS.seed_for("respond", TWO, index) for index in (0, 2))
    assert [t.text for t in played.dialogues[0].turns] == ["So, what is tea?", "Water.", "So, and coffee?", "Milk."]


def test_a_template_that_gives_only_the_answer_leaves_the_question() -> None:
    played = play(RESPOND, [TWO], model_recipe(), writer=fields(answer="Water."))
    assert [t.text for t in played.dialogues[0].turns] == ["What is tea?", "Water.", "And coffee?", "Water."]
    assert played.log[1][1].history == (("What is tea?", "Water."),)


ENGLISH = ("What is tea?", "A drink.")


@each_row(
    ("language", "question", "answer", "reason", "detail"),
    [
        ("en", *ENGLISH, None, None),
        ("en", ENGLISH[0], "It’s “tea” — hot.", None, None),
        ("en", ENGLISH[0], "word " * 101, "answer_too_long", "too long: field answer, length 101, limit 100"),
        ("en", "word " * 61, ENGLISH[1], "too_long", "too long: field question, length 61, limit 60"),
        ("en", "What is 1,5?", ENGLISH[1], "unpronounceable", "unpronounceable: field question, characters 1 5"),
        ("en", ENGLISH[0], "It is (a) ¥5.", "unpronounceable", "unpronounceable: field answer, characters ( ) ¥ 5"),
        ("en", ENGLISH[0], "", "text_engine_failed", "empty: field answer"),
        ("en", "", ENGLISH[1], "text_engine_failed", "empty: field question"),
        ("en", ENGLISH[0], "一种饮料。", "wrong_language", "wrong language: field answer"),
        ("zh", "什么是 CPU？", "CPU 是芯片。", None, None),
        ("zh", "什么是茶？", "A drink.", "wrong_language", "wrong language: field answer"),
        ("zh", "什么是茶？", "图1-1", "unpronounceable", "unpronounceable: field answer, characters 1"),
        ("zh", "什么是茶？", "茶" * 101, "answer_too_long", "too long: field answer, length 101, limit 100"),
    ],
)
def test_both_texts_are_believed_only_after_a_look(
    language: str, question: str, answer: str, reason: str | None, detail: str | None
) -> None:
    row = make_dialogue(("茶？", "饮料。"), language=language, spoken=True)
    played = play(
        RESPOND, [row], model_recipe("texts.allow_latin=true"), writer=fields(question=question, answer=answer)
    )
    result = played.dialogues[0]
    assert (result.reason, result.detail) == (reason, detail)
    complaint = complaint_of(played.log[0][1], question=question, answer=answer)
    assert (complaint.detail if complaint else None) == detail, "the engine is told the same"
    if reason:
        assert result.turns == row.turns


@each_row(
    ("language", "before", "polished", "asks"),
    [
        ("en", "What is tea?", "Tea is a drink made of leaves.", False),
        ("en", "What is tea?", "What is tea", True),
        ("en", "What is tea?", "So, um, tell me what tea is.", True),
        ("en", "Explain what tea is.", "Explain what tea is.", True),
        ("zh", "茶是什么？", "茶是一种饮料。", False),
        ("zh", "茶是什么？", "给我说说茶是什么。", True),
        ("zh", "茶是什么？", "茶是什么呀", True),
    ],
)
def test_a_polished_question_still_asks(language: str, before: str, polished: str, asks: bool) -> None:
    row = make_dialogue((before, "饮料。"), language=language, spoken=True)
    answer = {"en": "A hot drink.", "zh": "一种热饮。"}[language]
    played = play(RESPOND, [row], model_recipe(), writer=fields(question=polished, answer=answer))
    expected = (None, None) if asks else ("text_engine_failed", "question: asks nothing any more")
    assert (played.dialogues[0].reason, played.dialogues[0].detail) == expected


@each_row(
    ("language", "answer", "asks"),
    [
        ("en", "Sure, please provide the questions you need organized.", True),
        ("en", "I can't see it. Could you please provide more information?", True),
        ("en", "It is hot. Which kind would you like?", False),
        ("en", "Many shops provide the leaves.", False),
        ("zh", "请您先提供这段文字的内容。", True),
        ("zh", "茶可以提供热量。", False),
    ],
)
def test_an_agent_that_asks_for_the_material_is_not_believed(language: str, answer: str, asks: bool) -> None:
    question = {"en": "What is tea?", "zh": "茶是什么？"}[language]
    row = make_dialogue((question, ""), language=language, spoken=True)
    played = play(RESPOND, [row], model_recipe(), writer=fields(question=question, answer=answer))
    assert played.dialogues[0].reason == ("missing_material" if asks else None)


def test_marks_are_off_what_is_spoken() -> None:
    played = play(
        RESPOND, [make_dialogue()], model_recipe(), writer=fields(question="What’s tea?", answer="“Tea” — hot.")
    )
    assert [t.text for t in played.dialogues[0].turns] == ["What's tea?", "Tea, hot."]


def test_latin_words_in_chinese_only_where_the_recipe_lets_them() -> None:
    row = make_dialogue(("茶？", "饮料。"), language="zh", spoken=True)
    answer = fields(question="什么是CPU？", answer="芯片。")
    results = {
        allowed: play(RESPOND, [row], model_recipe(f"texts.allow_latin={allowed}"), writer=answer).dialogues[0].reason
        for allowed in ("true", "false")
    }
    assert results == {"true": None, "false": "unpronounceable"}
