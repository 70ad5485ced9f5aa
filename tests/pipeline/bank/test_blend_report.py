"""The report of blended voices: complete, and names from files are shown as text."""

import base64
import re
import struct
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from manifests.storage import open_place
from pipeline.bank.blend_plots import principal_axes
from pipeline.bank.blend_report import write_report
from tests.pipeline.show.tags import NASTY, Tags
from tests.voicebank.made_up import make_bank, people
from voicebank.blend import blend
from voicebank.blend_options import BlendOptions


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    tmp_path: Path = tmp_path_factory.mktemp("report")
    real = people(languages=("en", "$x<b>"))
    bank = make_bank(tmp_path / "real", real, name=NASTY, sources=[{"dataset": "d", "license": NASTY}])
    out = open_place(tmp_path / "out")
    blend(bank, out, BlendOptions(count=60, engine=NASTY), partial(write_report, out))
    return (tmp_path / "out" / "report.html").read_text()


def test_names_from_files_are_shown_and_do_not_run(report: str) -> None:
    tags = Tags(report)
    assert {tag for tag, _ in tags.found}.isdisjoint({"script", "link", "iframe", "b"})
    assert sum(NASTY in words for words in tags.words) >= 3


def test_the_figures_are_there(report: str) -> None:
    words = Tags(report).words
    for expected in ("kept", "near_real", "twin", "voice to its nearest real speaker", "60"):
        assert expected in words, expected


def test_four_pictures_are_inside(report: str) -> None:
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', report)
    assert len(pictures) == 4
    for data in pictures:
        png = base64.b64decode(data)
        width, height = struct.unpack(">II", png[16:24])
        assert png.startswith(b"\x89PNG") and width > 300 and height > 200


def test_the_card_is_written_after_the_report(tmp_path: Path) -> None:
    bank, out = make_bank(tmp_path / "real", people()), tmp_path / "out"

    def fail(blended: object) -> None:
        assert sorted(file.name for file in out.iterdir()) == ["leak.json", "voices.parquet"]
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        blend(bank, open_place(out), BlendOptions(count=4), fail)
    assert not (out / "card.json").exists()
    blend(bank, open_place(out), BlendOptions(count=4))
    assert (out / "card.json").exists()


def test_principal_axes_are_those_of_largest_variance() -> None:
    values = np.random.default_rng(1).normal(size=(500, 5)).astype(np.float32) * [1, 9, 1, 4, 1]
    _, basis = principal_axes(values.astype(np.float32))
    assert np.abs(basis[1, 0]) > 0.95 and np.abs(basis[3, 1]) > 0.95
    assert principal_axes(values[:1].astype(np.float32))[1].shape == (5, 2)
