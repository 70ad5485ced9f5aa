"""Rules for answers: the data set's answer, cut at sentence ends and put into words."""

import pytest

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules.respond import respond
from pipeline.text.verbalize import text_length
from tests.tables import each_row

QUESTIONS = {"en": "Can you tell me about tea?", "zh": "你能说说茶吗？"}


def reply(language: str, answer: str, question: str = "", **options: int) -> TextAnswer | Failure:
    variables = {"question": question or QUESTIONS[language], "answer": answer}
    return respond(TextRequest("respond", language, variables, 0, options))


def said(language: str, answer: str, question: str = "", **options: int) -> str:
    result = reply(language, answer, question, **options)
    assert isinstance(result, TextAnswer), result
    return result.fields["answer"]


SHORT = [
    ("en", "Tea is a drink.", "Tea is a drink."),
    ("en", "**Tea** is a [drink](https://example.org).", "Tea is a drink."),
    ("en", "Tea (from China) is old.", "Tea is old."),
    ("en", '"Tea time!"', "Tea time!"),
    ("en", "It costs $5 for 100 g.", "It costs five dollars for one hundred grams."),
    ("en", "Dr. Wu drinks 2 cups. She likes it.", "Doctor Wu drinks two cups. She likes it."),
    ("en", "tea", "Tea."),
    ("en", "1. Green\n2. Black\n3. White", "Green, Black and White."),
    ("en", "- Green tea.\n- Black tea.", "First, green tea. And second, black tea."),
    ("en", "Kinds include:\n* green tea\n* black tea\n* red tea", "Kinds include green tea, black tea and red tea."),
    ("en", "1. **Warm**: it heats you up on cold days\n2. **Cheap**: it costs next to nothing", "Warm and Cheap."),
    ("en", "1. Cat: noun\n2. Run: verb", "First, cat, noun. And second, run, verb."),
    ("zh", "茶是一种饮料。", "茶是一种饮料。"),
    ("zh", "**茶**（Tea）是一种饮料。", "茶是一种饮料。"),
    ("zh", "茶有3种。", "茶有三种。"),
    ("zh", "1. 绿茶\n2. 红茶\n3. 白茶", "绿茶、红茶以及白茶。"),
    ("zh", "茶的种类包括：\n- 绿茶\n- 红茶", "茶的种类包括绿茶以及红茶。"),
    ("zh", "“好茶！”", "好茶！"),
]


@each_row(("language", "answer", "spoken"), SHORT)
def test_short_answers_are_put_into_words(language: str, answer: str, spoken: str) -> None:
    assert said(language, answer) == spoken


LONG = "Tea is an old drink from the hills of China. " * 12


def test_no_sentence_is_added_once_the_target_is_reached() -> None:
    assert text_length(said("en", LONG), "en") == 40
    assert text_length(said("en", LONG, answer_target=5), "en") == 10
    assert text_length(said("en", LONG, answer_target=500, answer_limit=50), "en") == 50


def test_a_first_sentence_beyond_the_limit_is_too_long() -> None:
    result = reply("en", "tea " * 120 + ".")
    assert isinstance(result, Failure)
    assert result.reason is Reason.ANSWER_TOO_LONG


def test_the_limit_counts_spoken_words_not_written_numbers() -> None:
    result = reply("en", "It was 1999, 1998, 1997 and 1996.", answer_limit=10)
    assert isinstance(result, Failure)
    assert result.reason is Reason.ANSWER_TOO_LONG


@pytest.mark.parametrize(
    ("answer", "spoken"),
    [
        (
            "Tea has a long history in many parts of the world and at many courts. Here are some reasons:\nBecause.",
            "Tea has a long history in many parts of the world and at many courts.",
        ),
        (
            "Tea is loved by people all over the world for its taste and warmth. First, it is warm. " + LONG,
            "Tea is loved by people all over the world for its taste and warmth.",
        ),
    ],
)
def test_an_answer_does_not_end_by_announcing_what_was_cut_off(answer: str, spoken: str) -> None:
    assert said("en", answer, answer_target=15) == spoken


FAILURES = [
    ("en", "", Reason.NO_ANSWER),
    ("en", "   \n", Reason.NO_ANSWER),
    ("en", "```python\nprint(1)\n```", Reason.ANSWER_NOT_SPEAKABLE),
    ("en", "The area is f(x) = 2x + 1.", Reason.ANSWER_NOT_SPEAKABLE),
    ("en", "Dear [Name], thank you for your letter.", Reason.ANSWER_NOT_SPEAKABLE),
    ("en", "Visit www.example.com for tea.", Reason.ANSWER_NOT_SPEAKABLE),
    ("en", "Leaves that fall\nWinds that call\nTea for all\nIn the hall", Reason.ANSWER_NOT_SPEAKABLE),
    ("en", "Here are the steps:", Reason.ANSWER_NOT_SPEAKABLE),
    ("en", "\n".join(f"{i}. {'Boil the water and wait ' * 6}" for i in range(1, 6)), Reason.ANSWER_NOT_SPEAKABLE),
    ("en", "No hay té en mi casa 😀.", Reason.UNPRONOUNCEABLE),
    ("en", "?", Reason.UNPRONOUNCEABLE),
    ("zh", "", Reason.NO_ANSWER),
    ("zh", "```\n代码\n```", Reason.ANSWER_NOT_SPEAKABLE),
    ("zh", "In other words, tea.", Reason.UNPRONOUNCEABLE),
    ("zh", "茶" * 120 + "。", Reason.ANSWER_TOO_LONG),
    ("zh", "公式是S = πr^2。", Reason.ANSWER_NOT_SPEAKABLE),
]


@each_row(("language", "answer", "reason"), FAILURES)
def test_an_unspeakable_answer_is_a_failure(language: str, answer: str, reason: Reason) -> None:
    result = reply(language, answer)
    assert isinstance(result, Failure), result
    assert result.reason is reason, result


def test_a_list_of_a_given_number_is_whole_or_a_failure() -> None:
    items = [
        f"{i}. {thing}: {'because it is very good indeed ' * 3}"
        for i, thing in enumerate(("Milk", "Lemon", "Honey"), 1)
    ]
    assert said("en", "\n".join(items), "Can you name three things for tea?") == "Milk, Lemon and Honey."
    result = reply("en", "\n".join(items), "Can you name four things for tea?")
    assert isinstance(result, Failure)


def test_a_long_list_of_no_given_number_is_cut() -> None:
    items = "\n".join(f"- Drinking tea number {word} with {word} friends in the garden" for word in "abcdefgh")
    spoken = said("en", items, "Can you list some ideas?", answer_target=30)
    assert spoken.startswith("First, drinking tea number a")
    assert spoken.count("garden") == 3


def test_a_result_is_never_cut_off() -> None:
    steps = "We start with two. " * 12 + "So the sum is five."
    assert said("en", steps, "Can you work out the sum?").endswith("So the sum is five.")
    result = reply("en", steps * 3, "Can you work out the sum?")
    assert isinstance(result, Failure)
    assert result.reason is Reason.ANSWER_TOO_LONG


def test_the_question_is_put_into_words_as_well() -> None:
    result = reply("en", "Yes.", "Is 5 + 3 = 8?")
    assert isinstance(result, TextAnswer)
    assert result.fields["question"] == "Is five plus three equals eight?"


CATS = (
    "Cats are small hunters that live alone. Dogs are larger, and they live in packs."
    " Cats wash themselves with their tongues all day long, and sleep for the rest of it."
)


def test_a_comparison_is_said_as_far_as_the_limit_goes() -> None:
    assert said("en", CATS, answer_target=5) == "Cats are small hunters that live alone."
    assert said("en", CATS, "What is the difference between cats and dogs?", answer_target=5) == CATS
    both = said("en", CATS, "What is the difference between cats and dogs?", answer_target=5, answer_limit=16)
    assert both.endswith("live in packs.")


def test_an_answer_does_not_end_where_its_thought_turns() -> None:
    answer = "Many people say that bats are blind. However, this is untrue. They see well, even at night. They fly."
    assert said("en", answer, "Are bats blind animals?", answer_target=9).endswith("even at night.")
    assert said("en", answer, "Are bats blind animals?", answer_target=5) == "Many people say that bats are blind."


def test_an_announcement_is_not_all_that_is_said() -> None:
    answer = (
        "There are a few good reasons why nobody should keep a wild owl at home. First, owls need live mice at night."
        " Second, they are loud. Third, they bite."
    )
    assert said("en", answer, "Why should nobody keep an owl?", answer_target=20).endswith("live mice at night.")


@each_row(
    ("answer", "spoken"),
    [
        ("应对压力有以下方法：\n1. 散步\n2. 睡觉", "应对压力有以下方法，散步以及睡觉。"),
        ("绿茶可以用于：\n1. 待客\n2. 送礼", "绿茶可以用于待客以及送礼。"),
    ],
)
def test_a_chinese_list_goes_on_behind_its_lead_in(answer: str, spoken: str) -> None:
    assert said("zh", answer) == spoken
