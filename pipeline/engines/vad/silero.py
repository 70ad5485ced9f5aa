"""Silero VAD (PyPI silero-vad 6.2.3, MIT): finds speech in clips, by a model that ships in its package.

The package offers one model in several forms. Used here is the ONNX graph that takes a block of frames at once: its
spans were the same, sample by sample, as those of the frame-by-frame ONNX and TorchScript forms on the clips tried, at
2 ms for a second of audio on one core against 5 and 15. It starts every clip with a fresh state.

Importing the package imports PyTorch and sets its threads to 1. torchaudio, which it needs to read files, is not
imported: clips are decoded already, and are resampled to 16 kHz here (soxr).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from manifests.libraries import extra, library, library_version
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Engine, Failure
from pipeline.engines.shared.clips import SAMPLE_RATE, UNMEASURABLE

NAME = "silero"

_INSTALL = extra("voicebank")

# The package's own defaults, fixed here so that another release cannot change a bank: the probability at which speech
# begins and the one below which it ends, the shortest speech and silence, and the padding on both sides.
SETTINGS: dict[str, float] = {
    "threshold": 0.5,
    "neg_threshold": 0.35,
    "min_speech_duration_ms": 250,
    "min_silence_duration_ms": 100,
    "speech_pad_ms": 30,
}

Spans = tuple[tuple[float, float], ...]


def version() -> str:
    """Return the package's version and the settings. Raises EngineUnavailable where the package is missing."""
    settings = " ".join(f"{name}={value:g}" for name, value in SETTINGS.items())
    return f"{library_version('silero-vad', NAME, _INSTALL)} sequence {settings}"


class SileroDetector:
    """Finds speech of 0.25 s and more; pauses under 0.1 s are part of it. Runs on the CPU."""

    name = NAME

    def __init__(self) -> None:
        self.version = version()
        # The package imports onnxruntime only when the model is loaded, and requires it only as an extra.
        library("onnxruntime", NAME, _INSTALL)
        self._library: Any = library("silero_vad", NAME, _INSTALL)
        self._model: Any = self._library.load_silero_vad(sequence=True)

    def detect_speech(self, clips: Sequence[Clip]) -> list[Spans | Failure]:
        """Find the spans of speech in each clip; none in an empty clip."""
        return [self._detect(clip) for clip in clips]

    def _detect(self, clip: Clip) -> Spans | Failure:
        if not np.isfinite(clip.samples).all():
            return Failure(UNMEASURABLE, "the clip holds NaN or infinite samples")
        samples = resample(clip.samples, clip.sample_rate, SAMPLE_RATE)
        found = self._library.get_speech_timestamps_sequence(
            samples, self._model, sampling_rate=SAMPLE_RATE, **SETTINGS
        )
        # The length at 16 kHz is rounded, so it may end half a sample after the clip.
        duration_s = len(clip.samples) / clip.sample_rate
        spans = ((span["start"] / SAMPLE_RATE, min(span["end"] / SAMPLE_RATE, duration_s)) for span in found)
        return tuple(spans)


ENGINE = Engine("vad", "silero", "finds speech, model in its package", open=SileroDetector, version=version)
