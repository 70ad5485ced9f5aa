"""The plots of the report, as PNG. Texts from files are drawn as they stand: no mathematics is made of a `$`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from manifests.libraries import extra, library
from voicebank.leak import Values
from voicebank.speaker_table import Matrix
from voicebank.voice import GENDERS

if TYPE_CHECKING:
    from voicebank.blend_card import Key

_COLOURS = {"female": "#b5446e", "male": "#2f6690", "voices": "#e08e45", "real": "#5b6770"}


def check_plotting() -> None:
    """EngineUnavailable where matplotlib is missing: better before hours of work than after."""
    library("matplotlib", "the report", extra("voicebank"))


def similarity_plot(series: Mapping[str, Values], limit: float) -> bytes:
    """Densities of similarities, by name, and the limit."""
    with _figure() as (axes, png):
        finite = {name: values[np.isfinite(values)] for name, values in series.items()}
        low = min((float(values.min()) for values in finite.values() if values.size), default=0.0)
        bins = np.linspace(min(low, limit) - 0.02, 1.0, 120)
        for (name, values), color in zip(finite.items(), _COLOURS.values(), strict=False):
            if values.size:
                axes.hist(values, bins, density=True, histtype="stepfilled", alpha=0.45, label=name, color=color)
        axes.axvline(limit, color="black", linestyle="--", label=f"leak limit {limit:g}")
        axes.set_xlabel("cosine similarity of x-vectors")
        axes.set_ylabel("density")
        axes.legend(fontsize="small")
    return png.getvalue()


def bucket_plot(counts: "Counter[Key]") -> bytes:
    """Voices by rate bucket and gender."""
    with _figure() as (axes, png):
        buckets = sorted({key.bucket for key in counts})
        for place, gender in enumerate(GENDERS):
            heights = [sum(n for key, n in counts.items() if (key.gender, key.bucket) == (gender, b)) for b in buckets]
            offset = (place - 0.5) * 4
            axes.bar([b + offset for b in buckets], heights, 4, label=gender, color=_COLOURS[gender])
        axes.set_xlabel("milliseconds of speech per character or letter")
        axes.set_ylabel("voices")
        axes.legend()
    return png.getvalue()


def count_plot(counts: "Counter[Key]") -> bytes:
    """Voices by language and gender."""
    with _figure() as (axes, png):
        languages = sorted({key.language for key in counts})
        for place, gender in enumerate(GENDERS):
            heights = [
                sum(n for key, n in counts.items() if (key.gender, key.language) == (gender, language))
                for language in languages
            ]
            places = np.arange(len(languages)) + (place - 0.5) * 0.4
            axes.bar(places, heights, 0.4, label=gender, color=_COLOURS[gender])
        axes.set_xticks(range(len(languages)), languages)
        axes.set_ylabel("voices")
        axes.legend()
    return png.getvalue()


def map_plot(real: Matrix, genders: Sequence[str], voices: Matrix) -> bytes:
    """Real speakers and voices on the two principal axes of the real speakers."""
    with _figure() as (axes, png):
        center, basis = principal_axes(real)
        spots = (voices - center) @ basis
        axes.scatter(*spots.T, s=5, alpha=0.35, color=_COLOURS["voices"], label="voices", linewidths=0)
        for gender in GENDERS:
            spots = (real[np.array(genders) == gender] - center) @ basis
            axes.scatter(*spots.T, s=9, alpha=0.7, color=_COLOURS[gender], label=f"real, {gender}", linewidths=0)
        axes.set_xlabel("first principal axis of the real speakers")
        axes.set_ylabel("second")
        axes.legend(fontsize="small")
    return png.getvalue()


def principal_axes(vectors: Matrix) -> tuple[Matrix, Matrix]:
    """Mean [D] and the two directions of largest variance [D, 2]; where there are fewer, the rest are zeros."""
    center = vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(vectors - center, full_matrices=False)
    basis = np.zeros((vectors.shape[1], 2), np.float32)
    basis[:, : min(2, len(directions))] = directions[:2].T
    return center, basis


@contextmanager
def _figure() -> Iterator[tuple[Any, BytesIO]]:
    """Axes to draw on; the bytes are there once the block ends. No window and no global figure is opened."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    png = BytesIO()
    with matplotlib.rc_context({"text.parse_math": False}):
        figure = Figure(figsize=(7, 4), dpi=110, layout="tight")
        FigureCanvasAgg(figure)
        yield figure.subplots(), png
        figure.savefig(png, format="png", metadata={"Software": None})
