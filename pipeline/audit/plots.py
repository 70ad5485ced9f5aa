"""The report's two plots, as PNG in base64."""

import base64
from io import BytesIO
from typing import Any

import numpy as np

from pipeline.audit.audit import Audit, Survival

Plot = tuple[str, str]
"""Title and base64 data."""


def plots(audit: Audit) -> list[Plot] | None:
    """None where matplotlib is not installed; no plots where nothing was measured."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return None
    found = audit.survival
    if found is None or not found.clips or audit.marks is None:
        return []
    return [
        ("Scores of clips and controls, as delivered", _scores(Figure, found, audit.marks.threshold)),
        ("Detection rate after each attack", _attacks(Figure, found)),
    ]


def _scores(figure_class: Any, found: Survival, threshold: float) -> str:
    figure = figure_class(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot()
    bins = np.linspace(0, 1, 51)
    axes.hist(np.clip(found.control_scores, 0, 1), bins, label=f"controls ({found.controls})", alpha=0.7)
    axes.hist(np.clip(found.marked_scores, 0, 1), bins, label="clips", alpha=0.7)
    axes.axvline(threshold, color="black", linestyle="--", label="recipe's threshold")
    axes.set(xlabel="detection score", ylabel="clips")
    axes.legend()
    return _png(figure)


def _attacks(figure_class: Any, found: Survival) -> str:
    figure = figure_class(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for offset, name, label in ((-0.17, "at_recipe", "recipe's threshold"), (0.17, "at_1_percent", "1 % of controls")):
        rates = [(i, rate) for i, one in enumerate(found.attacks) if (rate := getattr(one, name)) and rate.total]
        shares = np.array([rate.share for _, rate in rates])
        below = shares - [rate.low for _, rate in rates]
        above = [rate.high for _, rate in rates] - shares
        places = [place + offset for place, _ in rates]
        axes.errorbar(shares, places, xerr=[below, above], fmt="o", capsize=3, label=label)
    axes.set_yticks(range(len(found.attacks)), [one.attack for one in found.attacks])
    axes.invert_yaxis()
    axes.set(xlabel="detection rate", xlim=(-0.02, 1.02))
    axes.legend()
    return _png(figure)


def _png(figure: Any) -> str:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return base64.b64encode(file.getvalue()).decode("ascii")
