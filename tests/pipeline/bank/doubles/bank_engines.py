"""Engines that build a bank out of tones: a person is a chord. Quick, and as sure as arithmetic.

`FAULT` in the environment makes the encoder end its process ("exit") or die ("die") over a clip of "number three",
which is the one with the sample rate 12345, only the first FAULTS times, counted in the file FAULT_TALLY.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, GenderGuess, Samples

BANDS = 64
FAULTY_RATE = 12_345
TOP_HZ = 4000.0
LOW_HZ, HIGH_HZ = 150.0, 250.0


def version(model: object = None) -> str:
    return os.environ.get("DOUBLES_VERSION", "1")


class BandEncoder:
    """How loud each of 64 bands up to 4 kHz is. Cannot do clips that are louder than 0.95."""

    name, dimension = "bands", BANDS

    def __init__(self) -> None:
        self.version = version()
        if os.environ.get("FAULT") == "unavailable":
            raise EngineUnavailable("bands: nothing to encode with; install it")

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        if any(clip.sample_rate == FAULTY_RATE for clip in clips) and self._strike():
            if os.environ["FAULT"] == "exit":
                os._exit(139)
            raise EngineDied("the encoder is gone")
        return [_bands(clip) for clip in clips]

    def _strike(self) -> bool:
        if "FAULT_TALLY" not in os.environ:
            return False
        tally = Path(os.environ["FAULT_TALLY"])
        done = len(tally.read_bytes()) if tally.exists() else 0
        tally.write_bytes(b"x" * (done + 1))
        return done < int(os.environ["FAULTS"])


class Loudness:
    """Five times the peak, at most 5."""

    name, version, scores = "loudness", "1", ("dnsmos_p808",)

    def predict(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]:
        return [{"dnsmos_p808": min(5.0, 5 * float(np.abs(clip.samples).max()) + 1e-6)} for clip in clips]


class LevelDetector:
    """Speech is from the first to the last sample above 0.05; none above: no speech."""

    name, version = "level", "1"

    def detect_speech(self, clips: Sequence[Clip]) -> list[tuple[tuple[float, float], ...] | Failure]:
        return [_span(clip) for clip in clips]


class Lowness:
    """A woman where the lowest loud band is at 250 Hz or more, a man at 150 Hz or less, unsure in between."""

    name, version = "lowness", "1"

    def predict(self, clips: Sequence[Clip]) -> list[GenderGuess | Failure]:
        return [_gender(clip) for clip in clips]


def _spectrum(clip: Clip) -> tuple[Samples, Samples]:
    return np.fft.rfftfreq(len(clip.samples), 1 / clip.sample_rate), np.abs(np.fft.rfft(clip.samples))


def _bands(clip: Clip) -> Samples | Failure:
    if np.abs(clip.samples).max() > 0.95:
        return Failure(Reason.RECOGNITION_FAILED, "too loud")
    frequencies, levels = _spectrum(clip)
    edges = np.linspace(0, TOP_HZ, BANDS + 1)
    bands = np.histogram(frequencies, edges, weights=levels)[0]
    vector: Samples = (bands / np.linalg.norm(bands)).astype(np.float32)
    return vector


def _span(clip: Clip) -> tuple[tuple[float, float], ...]:
    loud = np.flatnonzero(np.abs(clip.samples) > 0.05)
    return ((loud[0] / clip.sample_rate, (loud[-1] + 1) / clip.sample_rate),) if loud.size else ()


def _gender(clip: Clip) -> GenderGuess:
    frequencies, levels = _spectrum(clip)
    lowest = frequencies[np.flatnonzero(levels > levels.max() / 2)[0]]
    share = float(np.clip((lowest - LOW_HZ) / (HIGH_HZ - LOW_HZ), 0.05, 0.95))
    return GenderGuess("female", share) if share >= 0.5 else GenderGuess("male", 1 - share)
