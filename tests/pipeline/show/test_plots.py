"""Plots: the same drawing gives the same bytes, and no text in them is taken for mathematics."""

import sys

import pytest

from manifests.errors import EngineUnavailable
from pipeline.show.plots import can_plot, need_plots, plot


def test_the_same_drawing_gives_the_same_png() -> None:
    def draw(axes: object) -> None:
        axes.set_title("$x^")  # type: ignore[attr-defined]  # broken mathematics would raise

    assert plot(draw) == plot(draw)
    assert plot(draw).startswith(b"\x89PNG") and plot(draw) != plot(draw, height=3)


def test_without_matplotlib_people_hear_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_plot()
    need_plots()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert not can_plot()
    with pytest.raises(EngineUnavailable, match=r'pip install "parley\[voicebank\]"'):
        need_plots()
