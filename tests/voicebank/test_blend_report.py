"""The report: complete, self-contained, and nothing in it runs."""

import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from manifests.storage import open_place
from tests.voicebank.made_up import make_bank, people
from voicebank.blend import BlendOptions, blend
from voicebank.plots import principal_axes
from voicebank.report import page, table

NASTY = "<script>alert(1)</script>"


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    tmp_path: Path = tmp_path_factory.mktemp("report")
    real = people(languages=("en", "$x<b>"))
    bank = make_bank(tmp_path / "real", real, name=NASTY, sources=[{"dataset": "d", "license": NASTY}])
    blend(bank, open_place(tmp_path / "out"), BlendOptions(count=60, engine=NASTY))
    return (tmp_path / "out" / "report.html").read_text()


def test_names_from_files_are_shown_and_do_not_run(report: str) -> None:
    tags = Tags(report)
    assert {tag for tag, _ in tags.found}.isdisjoint({"script", "link", "iframe", "b"})
    assert sum(NASTY in words for words in tags.words) >= 3


def test_nothing_is_loaded_from_elsewhere(report: str) -> None:
    sources = [attributes["src"] for tag, attributes in Tags(report).found if tag == "img"]
    assert len(sources) == 4 and all(str(source).startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://", report)
    assert "default-src 'none'" in report


def test_the_figures_are_there(report: str) -> None:
    words = Tags(report).words
    for expected in ("kept", "near_real", "twin", "voice to its nearest real speaker", "60"):
        assert expected in words, expected


@pytest.mark.parametrize(
    "value, cell",
    [
        (0.5, '<td class="n">0.5000</td>'),
        (12345, '<td class="n">12,345</td>'),
        ("a < b & c", "<td>a &lt; b &amp; c</td>"),
        ('"', "<td>&quot;</td>"),
    ],
)
def test_cells(value: object, cell: str) -> None:
    assert table(("x",), [(value,)]) == f"<table><tr><th>x</th></tr><tr>{cell}</tr></table>"


def test_titles_are_escaped() -> None:
    assert NASTY not in page(NASTY, NASTY, [])


def test_principal_axes_are_those_of_largest_variance() -> None:
    values = np.random.default_rng(1).normal(size=(500, 5)).astype(np.float32) * [1, 9, 1, 4, 1]
    _, basis = principal_axes(values.astype(np.float32))
    assert np.abs(basis[1, 0]) > 0.95 and np.abs(basis[3, 1]) > 0.95
    assert principal_axes(values[:1].astype(np.float32))[1].shape == (5, 2)


def test_pictures_are_pngs(report: str) -> None:
    import base64

    for data in re.findall(r'src="data:image/png;base64,([^"]+)"', report):
        png = base64.b64decode(data)
        width, height = struct.unpack(">II", png[16:24])
        assert png.startswith(b"\x89PNG") and width > 300 and height > 200
