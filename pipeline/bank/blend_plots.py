"""Draws the plots of a bank of virtual voices."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.show.plots import COLORS, plot
from voicebank.blend_card import VoiceGroup
from voicebank.leak import Values
from voicebank.speaker_table import Matrix
from voicebank.voice import GENDERS


def similarity_plot(series: Mapping[str, Values], limit: float) -> bytes:
    """Draw the density of each named series of similarities, and the limit."""

    def draw(axes: Any) -> None:
        finite = {name: values[np.isfinite(values)] for name, values in series.items()}
        low = min((float(values.min()) for values in finite.values() if values.size), default=0.0)
        bins = np.linspace(min(low, limit) - 0.02, 1.0, 120)
        for (name, values), color in zip(finite.items(), COLORS.values(), strict=False):
            if values.size:
                axes.hist(values, bins, density=True, histtype="stepfilled", alpha=0.45, label=name, color=color)
        axes.axvline(limit, color="black", linestyle="--", label=f"leak limit {limit:g}")
        axes.set(xlabel="cosine similarity of x-vectors", ylabel="density")
        axes.legend(fontsize="small")

    return plot(draw)


def bucket_plot(counts: Counter[VoiceGroup]) -> bytes:
    """Draw the number of voices by rate bucket and gender."""

    def draw(axes: Any) -> None:
        buckets = sorted({group.bucket for group in counts})
        for place, gender in enumerate(GENDERS):
            heights = [sum(n for g, n in counts.items() if (g.gender, g.bucket) == (gender, b)) for b in buckets]
            offset = (place - 0.5) * 4
            axes.bar([b + offset for b in buckets], heights, 4, label=gender, color=COLORS[gender])
        axes.set(xlabel="milliseconds of speech per character or letter", ylabel="voices")
        axes.legend()

    return plot(draw)


def count_plot(counts: Counter[VoiceGroup]) -> bytes:
    """Draw the number of voices by language and gender."""

    def draw(axes: Any) -> None:
        languages = sorted({group.language for group in counts})
        for place, gender in enumerate(GENDERS):
            heights = [sum(n for g, n in counts.items() if (g.gender, g.language) == (gender, la)) for la in languages]
            places = np.arange(len(languages)) + (place - 0.5) * 0.4
            axes.bar(places, heights, 0.4, label=gender, color=COLORS[gender])
        axes.set_xticks(range(len(languages)), languages)
        axes.set_ylabel("voices")
        axes.legend()

    return plot(draw)


def map_plot(real: Matrix, genders: Sequence[str], voices: Matrix) -> bytes:
    """Draw real speakers and voices on the two principal axes of the real speakers."""

    def draw(axes: Any) -> None:
        center, basis = principal_axes(real)
        spots = (voices - center) @ basis
        axes.scatter(*spots.T, s=5, alpha=0.35, color=COLORS["voices"], label="voices", linewidths=0)
        for gender in GENDERS:
            spots = (real[np.array(genders) == gender] - center) @ basis
            axes.scatter(*spots.T, s=9, alpha=0.7, color=COLORS[gender], label=f"real, {gender}", linewidths=0)
        axes.set(xlabel="first principal axis of the real speakers", ylabel="second")
        axes.legend(fontsize="small")

    return plot(draw)


def principal_axes(vectors: Matrix) -> tuple[Matrix, Matrix]:
    """Return the mean [D] and the two directions of largest variance [D, 2]; a missing direction is zero."""
    center = vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(vectors - center, full_matrices=False)
    basis = np.zeros((vectors.shape[1], 2), np.float32)
    basis[:, : min(2, len(directions))] = directions[:2].T
    return center, basis
