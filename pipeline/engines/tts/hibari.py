"""hibari (PyPI hibari-tts 0.2.1): one English voice, Kokoro's af_heart distilled, in 8 MB that ship in its package.

It speaks sixty times faster than real time on one thread, where Kokoro itself takes half of real time or more. The
package's other voices are downloads, which this engine never starts.
"""

import importlib.metadata
from collections.abc import Sequence
from typing import Any

import numpy as np

from manifests.libraries import extra, library, library_version
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Engine, Failure, SpeechRequest
from pipeline.engines.tts._english import plain_english
from pipeline.engines.tts._prosody import PROSODY_VERSION, shift_pitch, vary_prosody

NAME = "hibari"

_INSTALL = extra("kokoro")
_SPEAKER = "heart"


def version() -> str:
    """Return the versions of the packages and of the prosody variation. Raises EngineUnavailable."""
    names = " ".join(f"{name} {library_version(name, NAME, _INSTALL)}" for name in ("hibari-tts", "onnxruntime"))
    return f"{names} {_filters()} takes={PROSODY_VERSION}"


def _filters() -> str:
    """Say whose filters the package uses: SciPy's where it is installed, which round otherwise than its own."""
    try:
        return f"scipy {importlib.metadata.version('scipy')}"
    except importlib.metadata.PackageNotFoundError:
        return "no scipy"


class HibariSynthesizer:
    """Speaks English with the speaker "heart" at 24 kHz. The seed varies the rate and the noise of a take."""

    name = NAME

    def __init__(self) -> None:
        self.version = version()
        package = library("hibari", NAME, _INSTALL)
        self._model: Any = package.Hibari(voice=_SPEAKER, threads=1)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [self._say(request) for request in requests]

    def _say(self, request: SpeechRequest) -> Clip | Failure:
        if request.voice.speaker != _SPEAKER or request.language != "en":
            asked = f"{request.voice.speaker!r} in {request.language!r}"
            return Failure(Reason.SYNTHESIS_FAILED, f"hibari speaks English as {_SPEAKER!r}, not as {asked}")
        text, prosody = plain_english(request.text), vary_prosody(request)
        if isinstance(text, Failure):
            return text
        if isinstance(prosody, Failure):
            return prosody
        pitch = request.voice.pitch
        samples = np.asarray(self._model(text, speed=prosody.rate / pitch, seed=request.seed % 2**63), np.float32)
        if not samples.size or not np.isfinite(samples).all():
            return Failure(Reason.SYNTHESIS_FAILED, "hibari gave no samples, or NaN")
        clip = Clip(np.ascontiguousarray(np.clip(samples, -1, 1)), int(self._model.sample_rate))
        return clip if pitch == 1 else shift_pitch(clip, pitch)


ENGINE = Engine("tts", NAME, "English, one small neural voice in its package", open=HibariSynthesizer, version=version)
