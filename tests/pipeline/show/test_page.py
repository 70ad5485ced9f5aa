"""The one HTML page: texts stay texts, nothing is loaded from elsewhere, and nothing runs."""

import re

import pytest

from pipeline.show.page import Heading, PageTable, Paragraph, Part, Picture, Preformatted, SoundCell, page
from tests.pipeline.show.tags import NASTY, Tags

QUOTED = f'"><img src=x onerror=alert(1)>{NASTY}'


@pytest.mark.parametrize(
    "parts",
    [
        [Heading(QUOTED)],
        [Paragraph(QUOTED), Paragraph(QUOTED, "failed")],
        [Preformatted(QUOTED)],
        [PageTable((QUOTED, ""), [(QUOTED, 1.5)])],
        [Picture(QUOTED, b"png")],
        [],
    ],
    ids=["heading", "paragraph", "preformatted", "table", "picture", "title alone"],
)
def test_texts_are_never_markup(parts: list[Part]) -> None:
    text = page(QUOTED, parts)
    tags = Tags(text)
    assert "script" not in {tag for tag, _ in tags.found}
    assert [
        attributes for _, attributes in tags.found if "onerror" in attributes or attributes.get("src") == "x"
    ] == []
    pictures = [attributes for tag, attributes in tags.found if tag == "img"]
    shown = sum(QUOTED in words for words in tags.words) + sum(p["alt"] == QUOTED for p in pictures)
    assert shown == 2 + sum(2 if isinstance(part, PageTable) else 1 for part in parts)


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs() -> None:
    text = page("a", [Picture("b", b"\0png")])
    tags = Tags(text).found
    assert [a["src"] for _, a in tags if "src" in a] == ["data:image/png;base64,AHBuZw=="]
    assert not re.search(r"https?://|url\(|@import", text)
    policy = next(a["content"] for tag, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"
    assert {tag for tag, _ in tags} <= {"html", "head", "meta", "title", "style", "body", "h1", "p", "img"}


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (0.5, '<td class="n">0.5000</td>'),
        (12345, '<td class="n">12,345</td>'),
        ("12345", "<td>12345</td>"),
        ("a < b & c", "<td>a &lt; b &amp; c</td>"),
        ('"', "<td>&#34;</td>"),
    ],
)
def test_cells(value: object, cell: str) -> None:
    assert f"<tr>{cell}</tr>" in page("t", [PageTable(("x",), [(value,)])])


def test_a_clip_is_a_cell_that_can_be_played() -> None:
    text = page("a", [PageTable(("x",), [(SoundCell(QUOTED, b"fLaC"),)])])
    (player,) = [attributes for tag, attributes in Tags(text).found if tag == "audio"]
    assert (player["src"], player["title"]) == ("data:audio/flac;base64,ZkxhQw==", QUOTED)
    assert "onerror" not in player and "autoplay" not in player


def test_a_table_without_names_has_no_head() -> None:
    assert "<th>x</th><th></th>" in page("t", [PageTable(("x", ""), [])])
    assert "<th>" not in page("t", [PageTable(("", ""), [("a", "b")]), PageTable((), [("c",)])])


def test_dark_screens_and_telephones_are_served() -> None:
    text = page("t", [Paragraph("no\nyes", "passed"), Preformatted("a  b\nc  d")])
    assert "prefers-color-scheme: dark" in text and "width=device-width" in text
    assert '<p class="passed">no\nyes</p>' in text and "<pre>a  b\nc  d</pre>" in text
