"""Answers of language models: the values that are read from them, and the complaints."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.reasons import Reason
from pipeline.engines.contract import Complaint
from pipeline.engines.text._chat.json_repair import LONGEST
from pipeline.engines.text._chat.parse import MOST_BRACKETS, parse_answer
from pipeline.engines.text._chat.tasks import TASKS, AnswerKey, Value
from tests.tables import each_row


def keys(task: str, *names: str) -> dict[str, AnswerKey]:
    found = {name: TASKS[task].key_named(name) for name in names}
    return {name: key for name, key in found.items() if key}


QUESTION = keys("rewrite", "question")
BOTH = keys("respond", "question", "answer")
SCREEN = keys("screen", "speakable", "clear", "reason")
MALFORMED, CUT_OFF, EMPTY = "malformed", "cut_off", "empty"


def question_of(text: str) -> str:
    """Return the question, or the kind of the complaint."""
    result = parse_answer(text, "stop", QUESTION)
    return result.kind if isinstance(result, Complaint) else str(result["question"])


@each_row(
    ("text", "question"),
    [
        # As asked for, and with text around it.
        ('{"question": "What now?"}', "What now?"),
        ('\n {"question" : "What now?" } \n', "What now?"),
        ('\ufeff{"question": "What now?"}', "What now?"),
        ('```json\n{"question": "What now?"}\n```', "What now?"),
        ('```\n{"question": "What now?"}', "What now?"),
        ('**{"question": "What now?"}**', "What now?"),
        ('Sure! Here it is:\n\n{"question": "What now?"}\n\nI hope {that} helps.', "What now?"),
        ('The set {a, b} gives {"question": "What now?"}', "What now?"),
        ('{"question": "What now?"}}', "What now?"),
        ('"{\\"question\\": \\"What now?\\"}"', "What now?"),
        # Unusual characters in the value.
        ('{"question": "  What now?  "}', "What now?"),
        ('{"question": "say \\"hi\\" {x} \\u4f60"}', 'say "hi" {x} 你'),
        ('{"question": "one\nline\r\n\ttoo"}', "one line too"),
        ('{"question": "one\\nline"}', "one line"),
        ('{"question": "你好。\\n\\n再见。\\nBye"}', "你好。再见。 Bye"),
        ('{"question": "two  blanks"}', "two  blanks"),
        ('{"question": "be\x07ll \\u0000nul \\u200bzero \\ufeffmark"}', "bell nul zero mark"),
        ('{"question": "half \\ud83d emoji"}', "half  emoji"),
        ('{"question": "می\\u200cخواهم"}', "می\u200cخواهم"),
        ('{"question": "What does </question> mean?"}', "What does </question> mean?"),
        # Keys.
        ('{"Question": "What now?"}', "What now?"),
        ('{" QUESTION ": "What now?"}', "What now?"),
        ('{"ｑuestion": "What now?"}', "What now?"),
        ('{"note": {"a": [1]}, "question": "What now?", "more": null}', "What now?"),
        ('{"QUESTION": "no", "question": "What now?"}', "What now?"),
        ('{"question": "a", "question": "a"}', "a"),
        ('{"question": "a", "question": "b"}', MALFORMED),
        ("{'question': 'a', 'question': 'b'}", MALFORMED),
        ('{"query": "What now?"}', MALFORMED),
        ("{}", MALFORMED),
        # Types.
        ('{"question": 42}', MALFORMED),
        ('{"question": true}', MALFORMED),
        ('{"question": null}', MALFORMED),
        ('{"question": ["a"]}', MALFORMED),
        ('{"question": {"text": "a"}}', MALFORMED),
        ('{"question": ""}', EMPTY),
        ('{"question": " \\n\\u200b "}', EMPTY),
        # Lists and several objects: only what can be read in one way.
        ('[{"question": "a"}]', "a"),
        ('[{"question": "a"}, {"question": "b"}]', MALFORMED),
        ('{"question": "a"}\n{"question": "a"}', "a"),
        ('{"question": "a"}\nBetter:\n{"question": "b"}', MALFORMED),
        ('{"question": "a"} {"other": "b"}', "a"),
        ('{"data": {"question": "a"}}', MALFORMED),
        ('["question", "a"]', MALFORMED),
        # Broken JSON that can be read in one way only.
        ('{"question": "What now?",}', "What now?"),
        ('{"question": "He said "hi" to me"}', 'He said "hi" to me'),
        ('{"question": "He said "hi""}', 'He said "hi"'),
        ('{"question": "Who said "well": now?"}', 'Who said "well": now?'),
        ("{'question': 'What now?'}", "What now?"),
        ("{'question': 'Don't you know?'}", "Don't you know?"),
        ("{'question': 'It\\'s \\'so\\''}", "It's 'so'"),
        ("{'question': \"Don't you?\"}", "Don't you?"),
        ("{'question': 'say \"hi\"', 'ok': True, 'n': None}", 'say "hi"'),
        ("{`question`: `What now?`}", "What now?"),
        ('{question: "What now?"}', "What now?"),
        ('{"question" "What now?"}', "What now?"),
        ('{{"question": "What now?"}}', "What now?"),
        ('{"question": "C:\\dir 50\\%"}', "C:\\dir 50\\%"),
        ("{“question”：“你好吗？”}", "你好吗？"),
        ('{"question"："你好吗？"，}', "你好吗？"),
        ("{“question”: “他说“好”吗？”}", "他说“好”吗？"),
        ("{“question“: “你好吗？“}", "你好吗？"),
        ("{「question」：「你好吗？」}", "你好吗？"),
        ('{"question": "你说"好"吗？"}', '你说"好"吗？'),
        # Broken JSON that must not be guessed at.
        ('{"question": "a" + "b"}', MALFORMED),
        ('{"question": "a" "b"}', MALFORMED),
        ('{"question": "a", "b"}', MALFORMED),
        ('{"question": "Is it "affect", "effect" or both?"}', MALFORMED),
        ('{"question": "What does {"question": "x"} mean?"}', MALFORMED),
        ('{"question": "a} "b" c"}', MALFORMED),
        ("{question: What now?}", MALFORMED),
        ("{What now?}", MALFORMED),
        # Nothing there, or not all of it.
        ("", MALFORMED),
        ("What now?", MALFORMED),
        ("question: What now?", MALFORMED),
        ('["question": "What now?"]', MALFORMED),
        ('{"question": "What n', MALFORMED),
        ('{"question": "', MALFORMED),
        ('{"question": ', MALFORMED),
        # Only the last brace is missing, and the model says that it has finished.
        ('{"question": "What now?"', "What now?"),
        ('```json\n{"question": "What now?"\n```', "What now?"),
        ("{'question': 'What now?', 'note': \"x\"", "What now?"),
        # The format of gpt-oss, as some servers pass it on.
        (
            '<|channel|>analysis<|message|>hm {"question": "no"}<|end|><|start|>assistant<|channel|>final<|message|>'
            '{"question": "yes"}<|return|>',
            "yes",
        ),
        ('<|channel|>final <|constrain|>json<|message|>{"question": "yes"}', "yes"),
        ('{"question": "What is {x}', MALFORMED),
        # Its last quotation mark is, or stands behind the brace, where the text ends like a sentence.
        ('{"question": "What now?', "What now?"),
        ('{"question": "What now?}', "What now?"),
        ('{"question": "What now?}"', "What now?"),
        ('{"question": "What now?"]', "What now?"),
        ('{"question": "What now?"]}', "What now?"),
        ('```json\n{"question": "What now?}"\n```', "What now?"),
        ('{"question": "现在呢？”}', "现在呢？"),
        ('{"question": "现在呢？”', "现在呢？"),
        ('{"question": "What now?} I hope that helps.', MALFORMED),
        ('{"question": "What now} I hope', MALFORMED),
        ('{"question": "What now", and so on.', MALFORMED),
        ('{"query": "What now?', MALFORMED),
        # Reasoning.
        ('<think>\nhm {"question": "no"}\n</think>\n{"question": "yes"}', "yes"),
        ('hm {"question": "no"}\n</think>\n\n{"question": "yes"}', "yes"),
        ('<think></think>{"question": "yes"}', "yes"),
        ('<think>a</think><think>b</think>{"question": "yes"}', "yes"),
        ('<Thinking>hm</Thinking> {"question": "yes"}', "yes"),
        ('[THINK]hm[/THINK]{"question": "yes"}', "yes"),
        ('◁think▷hm◁/think▷{"question": "yes"}', "yes"),
        ('<think>hm {"question": "no"}', CUT_OFF),
        ("<think>hm", CUT_OFF),
        ('<think>a</think><think>{"question": "no"}', CUT_OFF),
        ("<think>hm</think>", MALFORMED),
        ('{"question": "What is <think>?"}', "What is <think>?"),
    ],
)
def test_answers_with_one_text(text: str, question: str) -> None:
    assert question_of(text) == question


@each_row(
    ("text", "expected"),
    [
        ('{"question": "Why?", "answer": "So."}', ("Why?", "So.")),
        ('{"answer": "So.", "question": "Why?"}', ("Why?", "So.")),
        ("{'question': 'Why?', 'answer': 'It's so.'}", ("Why?", "It's so.")),
        ('{"question": "Why?" "answer": "So."}', ("Why?", "So.")),
        ('{"question": "Why?"\n"answer": "So."}', ("Why?", "So.")),
        ('{"question": "Why?", "answer": "They say "so"."}', ("Why?", 'They say "so".')),
        ('{"question": "Why "this"?", "note": "n", "answer": "So."}', ('Why "this"?', "So.")),
        ("{“question”：“为什么？”，“answer”：“因为“热”。”}", ("为什么？", "因为“热”。")),
        ('{"question": "Why?"； "answer": "So."}', ("Why?", "So.")),
        ('{"question": "Why?", "answer": "So.', ("Why?", "So.")),
        ('{"question": "Why?", "answer": "So.}"', ("Why?", "So.")),
        ('{"question": "Why?', MALFORMED),
        ('{"question": "Why?"}', MALFORMED),
        ('{"question": "Why?"} {"answer": "So."}', MALFORMED),
        ('{"question": "Why?; "answer": "So."}', MALFORMED),
        ('{"question": "Why?", "response": "So."}', MALFORMED),
        ('{"question": "Why?", "answer": ""}', EMPTY),
    ],
)
def test_answers_with_two_texts(text: str, expected: tuple[str, str] | str) -> None:
    result = parse_answer(text, "stop", BOTH)
    assert (result.kind if isinstance(result, Complaint) else (result["question"], result["answer"])) == expected


@each_row(
    ("text", "truth"),
    [
        ("true", True),
        ("false", False),
        ('"true"', True),
        ('"False"', False),
        ('" YES "', True),
        ('"no"', False),
        ('"是"', True),
        ('"否"', False),
        ("True", True),
        ("False", False),
        ("yes", True),
        ("否", False),
        ("1", None),
        ("0", None),
        ('"1"', None),
        ('"maybe"', None),
        ('"not true"', None),
        ('"对"', None),
        ("null", None),
        ("[true]", None),
        ('""', None),
    ],
)
def test_booleans(text: str, truth: bool | None) -> None:
    result = parse_answer(f'{{"speakable": {text}, "clear": true, "reason": "r"}}', "stop", SCREEN)
    expected = None if truth is None else {"speakable": truth, "clear": True, "reason": "r"}
    assert (None if isinstance(result, Complaint) else result) == expected
    at_the_end = parse_answer(f'{{"clear": true, "reason": "r", "speakable": {text}}}', "stop", SCREEN)
    assert (None if isinstance(at_the_end, Complaint) else at_the_end) == expected


def test_a_reason_may_be_empty() -> None:
    text = '{"speakable": true, "clear": true, "reason": ""}'
    assert parse_answer(text, "stop", SCREEN) == {"speakable": True, "clear": True, "reason": ""}


@pytest.mark.parametrize("text", ['{"question": "What now?"}', '{"question": "Wh', "", "prose", "<think>hm"])
def test_an_answer_at_the_token_limit_is_cut_off_whatever_it_says(text: str) -> None:
    assert parse_answer(text, "length", QUESTION) == Complaint(Reason.TEXT_ENGINE_FAILED, "cut_off")


@pytest.mark.parametrize(
    ("text", "asked", "complaint"),
    [
        ("", BOTH, Complaint(Reason.TEXT_ENGINE_FAILED, "malformed", {"keys": "question, answer"})),
        ("{", BOTH, Complaint(Reason.TEXT_ENGINE_FAILED, "malformed", {"keys": "question, answer"})),
        (
            '{"question": "a", "response": ""}',
            keys("respond", "question", "response"),
            Complaint(Reason.TEXT_ENGINE_FAILED, "empty", {"field": "answer"}),
        ),
    ],
)
def test_complaints(text: str, asked: dict[str, AnswerKey], complaint: Complaint) -> None:
    assert parse_answer(text, "stop", asked) == complaint


def test_values_are_named_by_field_and_not_by_the_template_s_key() -> None:
    assert parse_answer('{"response": "So."}', "stop", keys("respond", "response")) == {"answer": "So."}


MILLION = 1_000_000


@pytest.mark.timeout(60)  # each takes well under a second; some took minutes without the limits
@each_row(
    ("text", "kind"),
    [
        ("{" * MILLION, MALFORMED),
        ("[" * MILLION, MALFORMED),
        ("{" * MILLION + "}", MALFORMED),
        ('{"question":' * (MILLION // 12) + "1" + "}" * (MILLION // 12), MALFORMED),
        ('{"question": ' + "[" * 60_000 + "]" * 60_000 + "}", MALFORMED),
        ('{"question": "' + "a " * (MILLION // 2) + "b", MALFORMED),
        ('{"question": "' + ' "a' * (MILLION // 3) + '"}', MALFORMED),
        ('{"question": "' + "a " * LONGEST + '" b"}', MALFORMED),
        ('{"question": ' + "('" * 10_000 + '"}', MALFORMED),
        ('{"question": "' + "\\}" * 10_000 + '"b"}', MALFORMED),
        ('{"question": "x" ' + ", " * (LONGEST // 2 - 20) + '"y"}', MALFORMED),
        ("<think>" * (MILLION // 7), CUT_OFF),
        ("</think>" * (MILLION // 8), MALFORMED),
        ('{"question": "' + " " * MILLION + '"}', EMPTY),
        ('{"question": ' + "9" * 10_000 + "}", MALFORMED),
        ("\x00" * MILLION, MALFORMED),
    ],
    ids=lambda value: value if len(value) < 20 else value[:12],
)
def test_monstrous_answers_take_bounded_time(text: str, kind: str) -> None:
    assert question_of(text) == kind


def test_a_long_answer_in_order_is_read() -> None:
    text = "a long text " * 80_000
    assert question_of(json.dumps({"question": text})) == text.strip()


def test_the_limit_of_brackets() -> None:
    inside = "[" * (MOST_BRACKETS - 1)
    assert question_of(json.dumps({"question": inside})) == inside
    assert question_of(json.dumps({"question": inside + "["})) == MALFORMED


plain = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=30)
pieces = st.lists(st.one_of(st.sampled_from([*"{}[]\"'\\:,“”：，", "question", "```", "<think>", " "]), plain))


@given(plain, plain)
def test_valid_json_is_read_exactly(question: str, answer: str) -> None:
    text = json.dumps({"question": question, "answer": answer})
    result = parse_answer(text, "stop", BOTH)
    if isinstance(result, Complaint):
        assert result.kind == EMPTY or sum(text.count(bracket) for bracket in "{[") > MOST_BRACKETS
    else:
        assert result == {"question": question.strip(), "answer": answer.strip()}


@given(pieces.map("".join))
def test_any_text_gives_values_or_a_complaint(text: str) -> None:
    result = parse_answer(text, "stop", QUESTION)
    assert isinstance(result, Complaint) or str(result["question"]).strip()


WORDS = st.lists(st.sampled_from(["so", 'a "word"', "it's", "{x}", "你好", "“是”", "no: not", "1, 2"]), min_size=1)


@given(WORDS.map(" ".join), st.data())
def test_no_cut_of_an_answer_is_an_answer(question: str, data: st.DataObject) -> None:
    whole = json.dumps({"question": f"Is {question} right?"}, ensure_ascii=False)
    cut = whole[: data.draw(st.integers(0, len(whole) - 2))]
    assert isinstance(parse_answer(cut, "stop", QUESTION), Complaint)


@given(WORDS.map(" ".join), st.sampled_from(["{{'question': '{}'}}", '{{"question": "{}"}}', "{{“question”：“{}”}}"]))
def test_a_repaired_object_has_every_word(question: str, wrapping: str) -> None:
    result: dict[str, Value] | Complaint = parse_answer(wrapping.format(question), "stop", QUESTION)
    if not isinstance(result, Complaint):
        assert [char for char in str(result["question"]) if char.isalnum()] == [c for c in question if c.isalnum()]
