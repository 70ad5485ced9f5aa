"""PocketSphinx: an English recognizer whose model ships in its wheel (PyPI package pocketsphinx).

The language model is the general one of the wheel, always. The decoder never sees the text that a clip is meant to
say: told the reference, a decoder hears it, and the gate would measure nothing.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import soxr

from manifests.errors import EngineDied
from manifests.libraries import extra, library, library_version
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, Samples, Transcript

NAME = "pocketsphinx"

SAMPLE_RATE = 16_000
MIN_SAMPLES = SAMPLE_RATE // 10
MAX_SAMPLES = 300 * SAMPLE_RATE

_PEAK, _MAX_GAIN = 0.9, 20.0

_INSTALL = extra("offline")

# Language weights of the three passes and the most states searched per frame, chosen on clean synthetic speech. The
# last saves a sixth of the time at no loss; narrower beams save more and lose a fifth of the good clips.
_SETTINGS = {"lw": 5.0, "fwdflatlw": 7.0, "bestpathlw": 8.0, "maxhmmpf": 5000}


def version() -> str:
    """The package's version and the decoder's settings."""
    package = library_version("pocketsphinx", NAME, _INSTALL)
    settings = " ".join(f"{key}={value:g}" for key, value in _SETTINGS.items())
    return f"{package} en-us cmn=batch peak={_PEAK:g} {settings}"


class PocketSphinx:
    """Hears English. Clips of any sample rate, from 0.1 s to 300 s long; others are a `Failure`."""

    name = NAME
    languages: frozenset[str] | None = frozenset({"en"})

    def __init__(self) -> None:
        self.version = version()
        self._lock = threading.Lock()
        self._decoder = _decoder()

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return [self._hear(clip, language) for clip, language in zip(clips, languages, strict=True)]

    def _hear(self, clip: Clip, language: str) -> Transcript | Failure:
        if language != "en":
            return Failure(Reason.NO_RECOGNIZER, f"pocketsphinx hears English only, not {language!r}")
        if len(clip.samples) == 0 or not np.isfinite(clip.samples).all():
            return Failure(Reason.RECOGNITION_FAILED, "the clip is empty or holds values that are not numbers")
        samples = soxr.resample(clip.samples, clip.sample_rate, SAMPLE_RATE)
        if not MIN_SAMPLES <= len(samples) <= MAX_SAMPLES:
            return Failure(Reason.RECOGNITION_FAILED, f"{len(samples) / SAMPLE_RATE:.3f} s is too short or too long")
        with self._lock:
            return Transcript(self._decode(_pcm(samples)))

    def _decode(self, pcm: bytes) -> str:
        try:
            # Batch normalization of the whole clip alone does not do: the front end keeps a cepstral mean from clip to
            # clip, and setting that back (`set_cmn`) still leaves other scores. A fresh front end gives the same ones.
            self._decoder.reinit_feat()
            self._decoder.start_utt()
            self._decoder.process_raw(pcm, full_utt=True)
            self._decoder.end_utt()
        except RuntimeError as error:
            raise EngineDied(f"pocketsphinx stopped: {error}") from error
        hypothesis = self._decoder.hyp()
        return "" if hypothesis is None else str(hypothesis.hypstr)


def _pcm(samples: Samples) -> bytes:
    """16-bit samples, a quiet clip made louder: rounding a clip at a tenth of full scale alone costs words."""
    peak = float(np.abs(samples).max())
    gain = min(_PEAK / peak, _MAX_GAIN) if peak > 0 else 1.0
    return np.round(samples * (gain * 32767)).astype("<i2").tobytes()


def _decoder() -> Any:
    return library("pocketsphinx", NAME, _INSTALL).Decoder(cmn="batch", loglevel="FATAL", **_SETTINGS)
