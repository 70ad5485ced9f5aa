"""Plots as PNG, without a window or a global figure. Texts are drawn as they stand: a `$` starts no mathematics."""

from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO
from typing import Any

from manifests.errors import EngineUnavailable

COLORS = {"female": "#b5446e", "male": "#2f6690", "voices": "#e08e45", "real": "#5b6770"}


def can_plot() -> bool:
    """Tell whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def need_plots() -> None:
    """Raise EngineUnavailable where matplotlib is missing: better before hours of work than after."""
    if not can_plot():
        raise EngineUnavailable('the report needs matplotlib: pip install "parley[voicebank]"')


def plot(draw: Callable[[Any], None], height: float = 4) -> bytes:
    """Return the PNG of what `draw` draws on the matplotlib axes that it is given, 7 by `height` inches at 110 dpi.

    The same drawing gives the same bytes, for one version of matplotlib.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    png = BytesIO()
    with matplotlib.rc_context({"text.parse_math": False}):
        figure = Figure(figsize=(7, height), dpi=110, layout="tight")
        FigureCanvasAgg(figure)
        draw(figure.subplots())
        figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()
