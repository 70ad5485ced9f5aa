"""PocketSphinx: an English recognizer whose model ships in its wheel (PyPI package pocketsphinx).

The language model is always the general one of the wheel. The decoder never sees the text that a clip should say: a
decoder that knows the reference hears it, and the gate would measure nothing.
"""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import soxr

from manifests.errors import EngineDied
from manifests.libraries import extra, library, library_version
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Engine, Failure, Samples, Transcript

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
    """Return the package's version and the decoder's settings."""
    package = library_version("pocketsphinx", NAME, _INSTALL)
    settings = " ".join(f"{key}={value:g}" for key, value in _SETTINGS.items())
    return f"{package} en-us cmn=batch peak={_PEAK:g} {settings}"


class PocketSphinx:
    """Recognizes English in clips of any sample rate, from 0.1 s to 300 s long; other clips are a `Failure`."""

    name = NAME
    languages: frozenset[str] | None = frozenset({"en"})

    def __init__(self) -> None:
        self.version = version()
        self._lock = threading.Lock()
        self._decoder = _decoder()

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return [self._transcribe(clip, language) for clip, language in zip(clips, languages, strict=True)]

    def _transcribe(self, clip: Clip, language: str) -> Transcript | Failure:
        if language != "en":
            return Failure(Reason.NO_RECOGNIZER, f"pocketsphinx knows English only, not {language!r}")
        if len(clip.samples) == 0 or not np.isfinite(clip.samples).all():
            return Failure(Reason.RECOGNITION_FAILED, "the clip is empty or holds NaN or infinite samples")
        samples = soxr.resample(clip.samples, clip.sample_rate, SAMPLE_RATE)
        if not MIN_SAMPLES <= len(samples) <= MAX_SAMPLES:
            return Failure(Reason.RECOGNITION_FAILED, f"{len(samples) / SAMPLE_RATE:.3f} s is too short or too long")
        with self._lock:
            return Transcript(self._decode(_pcm(samples)))

    def _decode(self, pcm: bytes) -> str:
        try:
            # Batch normalization of the whole clip is not enough: the front end keeps a cepstral mean from clip to
            # clip, and after resetting it (`set_cmn`) scores still differ. With a fresh front end they are the same.
            self._decoder.reinit_feat()
            self._decoder.start_utt()
            self._decoder.process_raw(pcm, full_utt=True)
            self._decoder.end_utt()
        except RuntimeError as error:
            raise EngineDied(f"pocketsphinx stopped: {error}") from error
        hypothesis = self._decoder.hyp()
        return "" if hypothesis is None else str(hypothesis.hypstr)


def _pcm(samples: Samples) -> bytes:
    """Convert to 16-bit samples and make quiet clips louder: rounding alone costs words at a tenth of full scale."""
    peak = float(np.abs(samples).max())
    gain = min(_PEAK / peak, _MAX_GAIN) if peak > 0 else 1.0
    return np.round(samples * (gain * 32767)).astype("<i2").tobytes()


def _decoder() -> Any:
    return library("pocketsphinx", NAME, _INSTALL).Decoder(cmn="batch", loglevel="FATAL", **_SETTINGS)


ENGINE = Engine("asr", "pocketsphinx", "English, model in its package", open=PocketSphinx, version=version)
