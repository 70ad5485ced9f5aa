"""What a model wrote in digits and brackets is said in words; what is not sure is left for the complaint."""

from pipeline.stages._mending import mended
from pipeline.stages._spoken_text import check_answer, spoken_text
from tests.tables import each_row


@each_row(
    ("language", "text", "spoken"),
    [
        ("en", "It has 140 seats.", "It has one hundred and forty seats."),
        ("en", "It was founded in 1995.", "It was founded in nineteen ninety five."),
        ("en", "Natural language processing (NLP) is a field.", "Natural language processing is a field."),
        ("en", "The World Health Organization (WHO) says so.", "The World Health Organization says so."),
        ("en", "Tea (a hot drink) is good.", "Tea, a hot drink, is good."),
        ("en", "The speed (SPD) is 5 km/h.", "The speed, SPD, is five kilometers per hour."),
        ("en", "It costs $5 & more.", "It costs five dollars and more."),
        ("en", "What does the sorted() function do?", "What does the sorted function do?"),
        ("en", "Two tips, 1. Plan it well. 2. Do it at once.", "Two tips, Plan it well. Do it at once."),
        ("en", "1) Drink 2 cups of water. 2) Go to bed early.", "Drink two cups of water. Go to bed early."),
        (
            "zh",
            "步骤是，1. 先想好目标，2. 再做出样品，3. 最后最后听意见。",
            "步骤是，先想好目标，再做出样品，最后最后听意见。",
        ),
        ("zh", "大约有100个。", "大约有一百个。"),
        ("zh", "它在1995年成立。", "它在一九九五年成立。"),
        ("zh", "茶（一种饮料）很好。", "茶，一种饮料，很好。"),
        ("zh", "气温是20℃。", "气温是二十摄氏度。"),
    ],
)
def test_what_is_sure_is_said(language: str, text: str, spoken: str) -> None:
    assert mended(text, language) == spoken
    assert mended(spoken, language) == spoken
    assert check_answer(spoken_text(text, language), language, 100, allow_latin=True) is None


@each_row(
    ("language", "text"),
    [
        ("en", "Nothing to mend."),
        ("en", "It is on 03/04/2020."),
        ("en", "It costs ¥5."),
        ("en", "1. Apples. 2. Pears."),
        ("en", "Here are three: 1) apples 2) pears"),
        ("en", "Two tips, 1. Plan it well 2. Do it at once."),
        ("en", "Two tips, 2. Plan it well. 3. Do it at once."),
        ("en", "You need - 2 eggs - 1 cup. - A bowl"),
        ("en", "**Tea** has 2 kinds."),
        ("en", "Use `x = 5`."),
        ("en", "# Tea 5"),
        ("en", "See https://example.com/5."),
        ("en", "a | 5"),
        ("en", "Fine 😀 5"),
        ("en", "5" * 3000),
        ("zh", "1、茶。2、水。"),
        ("zh", "图3-4里有。"),
        ("zh", "见【5】*重点*"),
        ("fr", "Il y a 5 (ou 6) chats."),
    ],
)
def test_what_is_not_sure_or_no_running_text_is_left_for_the_complaint(language: str, text: str) -> None:
    assert mended(text, language) == text
