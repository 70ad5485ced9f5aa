"""Silero VAD (PyPI silero-vad 6.2.3, MIT), whose model ships inside its package: where somebody speaks in a clip.

The package offers one model in several forms. Here it is the ONNX graph that takes a block of frames at once: its
spans were the same, sample by sample, as those of the frame-by-frame ONNX and TorchScript forms on the clips tried, at
2 ms for a second of audio on one core against 5 and 15. It starts every clip with an empty state.

Importing the package imports PyTorch and sets its threads to 1. torchaudio, which it asks for to read files, is not
imported: clips come decoded and are brought to 16 kHz here (soxr).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from manifests.libraries import extra, library, library_version
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Failure
from pipeline.engines.shared.clips import SAMPLE_RATE, UNMEASURABLE

NAME = "silero"

_INSTALL = extra("voicebank")

# The package's own defaults, named so that another release cannot change a bank: the probability from which speech
# begins and that below which it ends, the shortest speech and silence, and what is added on both sides.
SETTINGS: dict[str, float] = {
    "threshold": 0.5,
    "neg_threshold": 0.35,
    "min_speech_duration_ms": 250,
    "min_silence_duration_ms": 100,
    "speech_pad_ms": 30,
}

Spans = tuple[tuple[float, float], ...]


def version() -> str:
    """The package's version and the settings; raises EngineUnavailable where it is missing."""
    settings = " ".join(f"{name}={value:g}" for name, value in SETTINGS.items())
    return f"{library_version('silero-vad', NAME, _INSTALL)} sequence {settings}"


class SileroDetector:
    """Speech of 0.25 s and more; pauses under 0.1 s are part of it. Runs on the CPU."""

    name = NAME

    def __init__(self) -> None:
        self.version = version()
        # The package imports this only once it is asked for the model, and asks for it only as an extra.
        library("onnxruntime", NAME, _INSTALL)
        self._library: Any = library("silero_vad", NAME, _INSTALL)
        self._model: Any = self._library.load_silero_vad(sequence=True)

    def detect_speech(self, clips: Sequence[Clip]) -> list[Spans | Failure]:
        """No spans in an empty clip either."""
        return [self._detect(clip) for clip in clips]

    def _detect(self, clip: Clip) -> Spans | Failure:
        if not np.isfinite(clip.samples).all():
            return Failure(UNMEASURABLE, "the clip holds NaN or infinite samples")
        samples = resample(clip.samples, clip.sample_rate, SAMPLE_RATE)
        found = self._library.get_speech_timestamps_sequence(
            samples, self._model, sampling_rate=SAMPLE_RATE, **SETTINGS
        )
        # Rounded up, the clip at 16 kHz may end half a sample after the clip.
        duration_s = len(clip.samples) / clip.sample_rate
        spans = ((span["start"] / SAMPLE_RATE, min(span["end"] / SAMPLE_RATE, duration_s)) for span in found)
        return tuple(spans)
