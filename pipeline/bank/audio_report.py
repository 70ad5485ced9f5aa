"""Makes the page of an audio check: how similar a bank's voices sound to real speakers."""

import numpy as np

from pipeline.bank.blend_plots import similarity_plot
from pipeline.bank.probe import ProbeReport
from pipeline.show.page import PageTable, Paragraph, Picture, page


def audio_page(name: str, audio: ProbeReport) -> str:
    """Return the HTML page about the bank of that name."""
    series = {
        "its own other sentence": np.array([one.own for one in audio.heard], np.float32),
        "its parents": np.array([value for one in audio.heard for value in one.parents], np.float32),
        "the nearest real speaker": np.array([one.nearest_real for one in audio.heard], np.float32),
    }
    rows = [(one.voice_id, one.own, *one.parents[:2], one.nearest_real, one.nearest_id) for one in audio.heard]
    return page(
        f"{name}: audio check",
        [
            Paragraph("Measured on the voices' audio, not on their vectors"),
            Picture("similarity of the audio", similarity_plot(series, audio.limit)),
            PageTable(("voice", "own", "parent", "parent", "nearest real", "who"), rows),
            PageTable(("not measured", "why"), list(audio.failures.items())),
        ],
    )
