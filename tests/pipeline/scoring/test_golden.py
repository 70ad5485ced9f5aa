"""The golden tables: what is meant to be said beside what a recognizer prints for it.

The rows of `golden/<language>_same.tsv` agree, those of `..._different.tsv` do not; those of `..._limits.tsv` should
and do not: whoever mends one moves it.
"""

from pathlib import Path

import pytest

from pipeline.scoring.normalize import normalize
from pipeline.scoring.rates import score
from tests.tables import each_row

GOLDEN = Path(__file__).parent / "golden"
LANGUAGES = {"en": "english", "zh": "chinese"}


def rows(kind: str) -> list[tuple[str, str, str]]:
    """Language, said, printed."""
    return [
        (language, *line.split("\t"))  # type: ignore[misc]
        for language, name in LANGUAGES.items()
        for line in (GOLDEN / f"{name}_{kind}.tsv").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]


@each_row(("language", "said", "printed"), rows("same"))
def test_same(language: str, said: str, printed: str) -> None:
    assert normalize(said, language) == normalize(printed, language) != ""
    assert score(said, printed, language).rate == 0


@each_row(("language", "said", "printed"), rows("different"))
def test_different(language: str, said: str, printed: str) -> None:
    assert normalize(said, language) != normalize(printed, language)
    assert score(said, printed, language).rate != 0


@each_row(("language", "said", "printed"), rows("limits"))
def test_limits(language: str, said: str, printed: str) -> None:
    assert score(said, printed, language).rate != 0


@each_row(("language", "said", "printed"), rows("same") + rows("different") + rows("limits"))
def test_normalized_text_is_stable(language: str, said: str, printed: str) -> None:
    for text in (said, printed):
        once = normalize(text, language)
        assert normalize(once, language) == once


@pytest.mark.parametrize(("kind", "fewest"), [("same", 300), ("different", 100)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_are_long_and_say_nothing_twice(kind: str, fewest: int, language: str) -> None:
    pairs = [row for row in rows(kind) if row[0] == language]
    assert len(pairs) >= fewest
    assert len(set(pairs)) == len(pairs)
