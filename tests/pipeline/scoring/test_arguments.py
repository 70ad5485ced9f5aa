"""Values of tool calls: which are said, in what form, and which were not heard."""

import json

from pipeline.scoring.arguments import argument_values, misheard_values, said_values
from tests.tables import each_row


def test_the_values_are_texts_and_numbers_wherever_they_lie() -> None:
    arguments = {"a": 4, "b": ["vegan", {"c": 2.5}], "d": True, "e": None, "f": "Ada", "g": "…"}
    calls = json.dumps([{"name": "x", "arguments": arguments}, {"name": "y", "arguments": {"h": "Ada"}}])
    assert argument_values(calls) == ("4", "vegan", "2.5", "Ada")
    assert argument_values(None) == ()


@each_row(
    ("language", "value", "text", "said"),
    [
        ("en", "4", "A table for four, please.", True),
        ("en", "4", "A table for fourteen, please.", False),
        ("en", "19:30", "At seven thirty PM.", True),
        ("en", "19:00", "At seven o'clock.", True),
        ("en", "07:00", "At seven PM.", False),
        ("en", "2026-05-03", "On the third of May.", True),
        ("en", "2026-05-03", "On May third.", True),
        ("en", "2026-05-03", "On May thirteenth.", False),
        ("en", "living_room", "The light in the living room.", True),
        ("en", "Green Door", "A green, well, door.", False),
        ("zh", "4", "四个人的位子。", True),
        ("zh", "4", "十四个人的位子。", False),
        ("zh", "4", "四十个人的位子。", False),
        ("zh", "19:30", "晚上七点半。", True),
        ("zh", "2026-05-03", "五月三日去广州。", True),
        ("zh", "海港餐厅", "订海港餐厅的位子。", True),
    ],
)
def test_a_value_is_said_in_the_words_of_people(language: str, value: str, text: str, said: bool) -> None:
    assert bool(said_values([value], text, language)) == said


@each_row(
    ("language", "text", "heard", "misheard"),
    [
        ("en", "A table for four on Friday.", "a table for 4 on friday", ()),
        ("en", "A table for four on Friday.", "a table for five on friday", ("4",)),
        ("en", "A table on Friday.", "a table on friday", ()),
        ("en", "Four on Friday.", "for on friday", ("4",)),
        ("zh", "晚上四个人。", "晚上4个人", ()),
        ("zh", "晚上四个人。", "晚上十个人", ("4",)),
    ],
)
def test_only_what_is_said_can_be_misheard(language: str, text: str, heard: str, misheard: tuple[str, ...]) -> None:
    assert misheard_values(["4", "Friday", "Monday"], text, heard, language) == misheard
