"""The two plots of an audit's report."""

from functools import partial
from typing import Any

import numpy as np

from pipeline.audit.audit import Audit, Survival
from pipeline.show.page import Picture
from pipeline.show.plots import can_plot, plot


def plots(audit: Audit) -> list[Picture] | None:
    """Draw the plots; None where matplotlib is not installed, no plots where nothing was measured."""
    if not can_plot():
        return None
    found = audit.survival
    if found is None or not found.clips or audit.marks is None:
        return []
    scores, attacks = partial(_scores, found, audit.marks.threshold), partial(_attacks, found)
    return [
        Picture("Scores of clips and controls, as delivered", plot(scores, height=3)),
        Picture("Detection rate after each attack", plot(attacks)),
    ]


def _scores(found: Survival, threshold: float, axes: Any) -> None:
    bins = np.linspace(0, 1, 51)
    axes.hist(np.clip(found.control_scores, 0, 1), bins, label=f"controls ({found.controls})", alpha=0.7)
    axes.hist(np.clip(found.marked_scores, 0, 1), bins, label="clips", alpha=0.7)
    axes.axvline(threshold, color="black", linestyle="--", label="recipe's threshold")
    axes.set(xlabel="detection score", ylabel="clips")
    axes.legend()


def _attacks(found: Survival, axes: Any) -> None:
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
