"""The sample data: its make-up, and that each kind of row really is of its kind."""

import json
import re
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from tests.tables import each_row

SAMPLES = files("pipeline") / "samples"

# What each row of the files is for, by its 0-based position. The data themselves do not say it.
KINDS: dict[str, dict[str, tuple[int, ...]]] = {
    "en": {
        "plain": (
            0,
            1,
            2,
            3,
            5,
            7,
            8,
            17,
            19,
            20,
            26,
            27,
            28,
            30,
            33,
            35,
            36,
            37,
            39,
            40,
            42,
            44,
            50,
            54,
            55,
            56,
            59,
            67,
        ),
        "fragment": (4, 21, 31, 48, 57, 68),
        "classification": (16, 41, 64, 65),
        "summary": (6, 12, 14, 53),
        "editing": (46, 49, 62, 63),
        "code": (11, 23, 43, 52),
        "writing": (9, 32, 38),
        "table": (22, 61, 66),
        "maths": (10, 29, 47),
        "unsafe": (13, 15, 71),
        "conversation": (24, 25, 51, 70),
        "broken": (18, 34, 45, 60, 69),
        "duplicate": (58,),
    },
    "zh": {
        "plain": (
            0,
            1,
            2,
            3,
            4,
            6,
            8,
            12,
            13,
            15,
            18,
            21,
            25,
            34,
            37,
            38,
            42,
            43,
            45,
            46,
            47,
            48,
            51,
            56,
            63,
            65,
            66,
            68,
        ),
        "fragment": (5, 20, 39, 50, 60, 67),
        "classification": (22, 32, 41, 64),
        "summary": (31, 44, 55, 70),
        "editing": (30, 52, 57, 62),
        "code": (24, 40, 53, 69),
        "writing": (11, 16, 17),
        "table": (9, 33, 61),
        "maths": (26, 28, 35),
        "unsafe": (14, 29, 36),
        "conversation": (19, 27, 54, 71),
        "broken": (7, 10, 23, 49, 59),
        "duplicate": (58,),
    },
}
COUNTS = {
    "plain": 28,
    "fragment": 6,
    "classification": 4,
    "summary": 4,
    "editing": 4,
    "code": 4,
    "writing": 3,
    "table": 3,
    "maths": 3,
    "unsafe": 3,
    "conversation": 4,
    "broken": 5,
    "duplicate": 1,
}
LANGUAGES = sorted(KINDS)
SPOKEN = ("plain", "fragment", "classification", "summary", "editing", "unsafe", "conversation")
ANSWER_LENGTH = {"en": (12, 45), "zh": (20, 80)}  # words, characters
LONG_TEXT_UNITS = {"en": 300, "zh": 450}
REFUSAL = {"en": re.compile(r"\bcan't help\b"), "zh": re.compile("不能(帮忙|回答|提供)")}


def load(language: str) -> list[Any]:
    rows = json.loads((SAMPLES / f"instructions_{language}.json").read_text(encoding="utf-8"))
    assert isinstance(rows, list)
    return rows


def of_kind(language: str, *kinds: str) -> list[dict[str, Any]]:
    rows = load(language)
    return [rows[position] for kind in kinds for position in KINDS[language][kind]]


def usable(row: object) -> bool:
    """Whether the row has an instruction and an answer, both of them text."""
    if not isinstance(row, dict):
        return False
    texts = (row.get("instruction"), row.get("output"))
    return all(isinstance(text, str) and text.strip() for text in texts)


def units(text: str, language: str) -> int:
    return len(text.split()) if language == "en" else len(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_has_one_kind(language: str) -> None:
    listed = sorted(position for positions in KINDS[language].values() for position in positions)
    assert listed == list(range(72)) == list(range(len(load(language))))
    assert {kind: len(positions) for kind, positions in KINDS[language].items()} == COUNTS


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_least_sixty_rows_are_usable(language: str) -> None:
    unusable = {n for n, row in enumerate(load(language)) if not usable(row)}
    assert unusable < set(KINDS[language]["broken"])
    assert len(load(language)) - len(unusable) >= 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_meant_row_is_a_duplicate(language: str) -> None:
    rows = load(language)
    asked = Counter(row["instruction"] for row in rows if usable(row))
    (position,) = KINDS[language]["duplicate"]
    assert [text for text, times in asked.items() if times > 1] == [rows[position]["instruction"]]
    assert rows.index(rows[position]) in KINDS[language]["plain"]  # the first copy is whole and comes earlier


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_answers_are_of_spoken_length(language: str) -> None:
    low, high = ANSWER_LENGTH[language]
    inside = [low <= units(row["output"], language) <= high for row in of_kind(language, *SPOKEN)]
    assert len(inside) == 53
    assert sum(inside) / len(inside) > 0.9


@pytest.mark.parametrize("language", LANGUAGES)
def test_plain_answers_are_never_too_short_or_long(language: str) -> None:
    low, high = ANSWER_LENGTH[language]
    lengths = {row["instruction"]: units(row["output"], language) for row in of_kind(language, "plain")}
    assert {text: n for text, n in lengths.items() if not low <= n <= high} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_plain_questions_open_in_many_ways(language: str) -> None:
    width = 1 if language == "en" else 2
    openings = Counter(
        " ".join(row["instruction"].split()[:width]) if language == "en" else row["instruction"][:width]
        for row in of_kind(language, "plain")
    )
    assert len(openings) >= 14
    assert max(openings.values()) <= 7


# A mark that each row of the kind carries in the given fields; the same for both languages.
MARKS: list[tuple[str, tuple[str, ...], str]] = [
    ("fragment", ("input",), r"\S"),
    ("classification", ("instruction", "input"), r"\S"),
    ("editing", ("input",), r"\S"),
    ("code", ("output",), r"```|SELECT|<button"),
    ("writing", ("output",), r"\n"),
    ("table", ("output",), r"\|\s?-|,.*\n"),
    ("maths", ("output",), r"[\\^=]"),
    ("unsafe", ("input",), r"^$"),
    ("conversation", ("input",), r"^$"),
    ("plain", ("input",), r"^$"),
]


@each_row("language", LANGUAGES)
@each_row(("kind", "fields", "mark"), MARKS, ids=[kind for kind, _, _ in MARKS])
def test_rows_carry_the_mark_of_their_kind(language: str, kind: str, fields: tuple[str, ...], mark: str) -> None:
    missing = [row for row in of_kind(language, kind) for field in fields if not re.search(mark, row[field])]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_unsafe_requests_are_declined(language: str) -> None:
    assert [row for row in of_kind(language, "unsafe") if not REFUSAL[language].search(row["output"])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_conversations_have_two_to_four_exchanges(language: str) -> None:
    conversations = of_kind(language, "conversation")
    pairs = [pair for row in conversations for pair in row["history"]]
    assert sorted(len(row["history"]) + 1 for row in conversations) == [2, 2, 3, 4]
    assert all(len(pair) == 2 and all(isinstance(text, str) and text for text in pair) for pair in pairs)


@pytest.mark.parametrize("language", LANGUAGES)
def test_summaries_include_a_missing_and_an_overlong_text(language: str) -> None:
    lengths = sorted(units(row["input"], language) for row in of_kind(language, "summary"))
    assert lengths[0] == 0
    assert all(0 < n < 80 for n in lengths[1:3])
    assert lengths[3] >= LONG_TEXT_UNITS[language]


BROKEN: list[tuple[str, Callable[[Any], bool]]] = [
    ("no output", lambda row: isinstance(row, dict) and "output" not in row),
    ("empty instruction", lambda row: isinstance(row, dict) and row["instruction"] in ("", "   ")),
    ("bare string", lambda row: isinstance(row, str)),
    ("wrong types", lambda row: isinstance(row, dict) and not isinstance(row["instruction"], str)),
    ("mark-up and control characters", lambda row: bool(re.search("\x07.*🚀.*<b>|<b>.*\x07.*🚀", str_of(row)))),
]


def str_of(row: Any) -> str:
    return row["instruction"] if isinstance(row, dict) and isinstance(row["instruction"], str) else ""


@each_row("language", LANGUAGES)
@each_row(("name", "is_broken"), BROKEN, ids=[name for name, _ in BROKEN])
def test_each_kind_of_damage_occurs_once(language: str, name: str, is_broken: Callable[[Any], bool]) -> None:
    assert [n for n, row in enumerate(load(language)) if is_broken(row)] in [[n] for n in KINDS[language]["broken"]]


def state(line: str) -> str:
    """What a strict line-by-line reader makes of the line."""
    if not line.strip():
        return "blank"
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return "bom" if line.startswith("\ufeff") else "not json"
    return "row" if usable(row) else "not a row"


def test_broken_lines_hold_every_kind_of_damage() -> None:
    text = (SAMPLES / "broken_lines.jsonl").read_text(encoding="utf-8")
    states = [state(line) for line in text.split("\n")]
    assert states == ["bom", "blank", "row", "not json", "blank", "not a row", "not json", "row", "not json"]
    assert usable(json.loads(text.split("\n")[0].removeprefix("\ufeff")))
    assert not text.endswith("\n")  # the file breaks off inside its last row
    with pytest.raises(UnicodeEncodeError, match="surrogates"):
        json.loads(text.split("\n")[7])["instruction"].encode("utf-8")


def test_license_is_stated() -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert "CC0 1.0" in readme
    assert all(item.name in readme for item in SAMPLES.iterdir() if item.name.endswith((".json", ".jsonl")))
