"""Guesses the gender from the pitch of the voice alone: no model, nothing to download, and no more than a guess.

The clip's median F0 (YIN, as in librosa) over its voiced frames is compared with a boundary half-way, in semitones,
between the means of men and women; the distance gives the confidence. A frame is voiced if it is about as loud as the
loudest ones and F0 is steady from the frame before to the frame after; the F0 of noise jumps.

`docs/voicebank-sources.md` says what was measured and for whom it fails (a man who reads in a high voice, women with
deep ones). The genders that a corpus names are better, and so is a trained classifier.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.libraries import extra, library, library_version
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Engine, Failure, GenderGuess, Samples
from pipeline.engines.shared.clips import SAMPLE_RATE, UNMEASURABLE

NAME = "pitch"

_INSTALL = extra("voicebank")

BOUNDARY_HZ = 159.0
"""Geometric mean of 120 and 210 Hz, typical of men and of women (Traunmüller and Eriksson, 1995)."""

CONFIDENCE_PER_SEMITONE = 0.6
"""Slope of the logistic curve, in log-odds: fitted to 110 clips of 31 voices, a third of which are real people."""

_LONGEST_S = 60
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 450.0
_FRAME, _HOP = 1024, 256
_LOUD_DB = 12.0
_STEADY_SEMITONES = 0.5
# In speech, 30 % and more of the loud frames are voiced; in white noise 9 %.
_LEAST_VOICED_SHARE = 0.15
_LEAST_VOICED_S = 0.25
# One step of the last two bits of a 16-bit file.
_SILENCE = 1e-4


def version() -> str:
    """Return the library's version and the two deciding numbers.

    Raises EngineUnavailable where the library is missing.
    """
    package = f"librosa {library_version('librosa', NAME, _INSTALL)}"
    return f"{package} yin boundary={BOUNDARY_HZ:g}Hz slope={CONFIDENCE_PER_SEMITONE:g}"


class PitchGender:
    """Judges the first minute of a clip. Silence and clips with under 0.25 s of voice are a `Failure`."""

    name = NAME

    def __init__(self) -> None:
        self.version = version()
        # librosa imports its parts on first use; YIN is compiled on its first call, which takes 2 s.
        self._yin: Any = library("librosa", NAME, _INSTALL).yin

    def predict(self, clips: Sequence[Clip]) -> list[GenderGuess | Failure]:
        return [self._predict(clip) for clip in clips]

    def _predict(self, clip: Clip) -> GenderGuess | Failure:
        samples = clip.samples[: _LONGEST_S * clip.sample_rate]
        if not np.isfinite(samples).all():
            return _failure("the clip holds NaN or infinite samples")
        samples = resample(samples, clip.sample_rate, SAMPLE_RATE)
        if len(samples) < _FRAME or float(np.abs(samples).max()) < _SILENCE:
            return _failure("the clip is silent or shorter than 64 ms")
        semitones = self._voiced_pitch(samples)
        if len(semitones) * _HOP < _LEAST_VOICED_S * SAMPLE_RATE:
            return _failure(f"less than {_LEAST_VOICED_S:g} s of the clip are voiced")
        return guess_of(float(np.median(semitones)))

    def _voiced_pitch(self, samples: Samples) -> npt.NDArray[np.float64]:
        """Track F0 of the voiced frames [n], in semitones from the boundary; empty where there is no voice."""
        pitch: npt.NDArray[np.float64] = self._yin(
            samples, fmin=_LOWEST_HZ, fmax=_HIGHEST_HZ, sr=SAMPLE_RATE, frame_length=_FRAME, hop_length=_HOP
        )
        semitones = 12 * np.log2(pitch / BOUNDARY_HZ)
        loud = _loud_frames(samples, len(semitones))
        # Hum and rumble give values at the edges of the range that is searched.
        inside = (pitch > _LOWEST_HZ * 1.02) & (pitch < _HIGHEST_HZ * 0.98)
        voiced = loud & inside & _steady(semitones)
        kept: npt.NDArray[np.float64] = semitones[voiced & bool(voiced.sum() >= _LEAST_VOICED_SHARE * loud.sum())]
        return kept


def guess_of(semitones: float) -> GenderGuess:
    """Guess the gender of a voice whose pitch lies `semitones` above (women) or below the boundary."""
    confidence = 1 / (1 + math.exp(-CONFIDENCE_PER_SEMITONE * abs(semitones)))
    return GenderGuess("female" if semitones > 0 else "male", confidence)


def _steady(semitones: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Mark the frames [n] that differ little from both neighbors."""
    close = np.abs(np.diff(semitones)) < _STEADY_SEMITONES
    steady: npt.NDArray[np.bool_] = np.append(True, close) & np.append(close, True)
    return steady


def _loud_frames(samples: Samples, frames: int) -> npt.NDArray[np.bool_]:
    """Mark the frames, centered as YIN's are, that are at most 12 dB below the clip's loudest twentieth."""
    power = np.square(np.pad(samples, _FRAME // 2), dtype=np.float64)
    total = np.concatenate(([0.0], np.cumsum(power)))
    starts = np.arange(frames) * _HOP
    level = total[starts + _FRAME] - total[starts]
    loud: npt.NDArray[np.bool_] = level > np.percentile(level, 95) * 10 ** (-_LOUD_DB / 10)
    return loud


def _failure(detail: str) -> Failure:
    return Failure(UNMEASURABLE, detail)


ENGINE = Engine("gender", "pitch", "by the voice's pitch alone, no model", open=PitchGender, version=version)
