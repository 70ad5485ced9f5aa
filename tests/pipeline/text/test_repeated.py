"""Whether a text says again what another text says, in our own examples."""

from pipeline.text.repeated import is_nearly, is_part
from tests.tables import each_row

TRAM = "Why do some cities get rid of their trams?"
电车 = "有的城市为什么要把电车拆掉呢？"


@each_row(
    ("text", "other", "part"),
    [
        ("Why do cities get rid of trams?", TRAM, True),
        ("why do some people get rid of their trams", TRAM, False),
        ("Do cities have trams?", TRAM, False),
        ("Why trams?", TRAM, False),
        ("为什么把电车拆掉呢？", 电车, True),
        ("城市为什么要建地铁呢？", 电车, False),
        ("为什么呢？", 电车, False),
        ("", TRAM, False),
    ],
)
def test_a_text_said_more_shortly(text: str, other: str, part: bool) -> None:
    assert is_part(text, other) == part


@each_row(
    ("text", "other", "nearly"),
    [(TRAM, TRAM.lower(), True), (TRAM, TRAM.replace("trams", "tram"), True), (TRAM, 电车, False), ("", "", False)],
)
def test_a_slip_of_the_pen(text: str, other: str, nearly: bool) -> None:
    assert is_nearly(text, other) == nearly
