"""DNSMOS (PyPI speechmos 0.0.1.1, models in its package): predicts how listeners would rate a clip, on two scales.

`dnsmos_p808` is one overall score (ITU-T P.808), the scale that WenetSpeech4TTS ships its clips with; `dnsmos_ovrl`,
`dnsmos_sig` and `dnsmos_bak` rate the whole, the speech and the background (P.835). The two scales are not the same:
the same clip scores 0.7 less for `ovrl` than for `p808` on clean read speech.

The models take 9.01 s. The library repeats shorter clips to fill that, and averages longer ones over windows that
start at every second; a clip that was doubled to 16 s has 7 windows. It raises for samples beyond -1..1, which are
clipped here, repeats an empty clip for ever, which is refused here, and runs its models with a thread for each core,
which is one thread here, so that the same clip has the same score on every machine of a kind.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from manifests.libraries import extra, library, library_version
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Engine, Failure, Samples
from pipeline.engines.shared.clips import SAMPLE_RATE, samples_16_khz
from pipeline.engines.shared.onnx import OnnxSession

NAME = "dnsmos"

_INSTALL = extra("quality")

MIN_S = 1.0
"""Shorter clips are refused: repeated to fill 9 s, they are rated for the repetition (measured, see
docs/speaker-encoders.md)."""

# Our names of the scores, and the library's.
_SCORES = {
    "dnsmos_ovrl": "ovrl_mos",
    "dnsmos_sig": "sig_mos",
    "dnsmos_bak": "bak_mos",
    "dnsmos_p808": "p808_mos",
}

_PRIMARY, _P808 = "sig_bak_ovr.onnx", "model_v8.onnx"


def version() -> str:
    """Return the packages' versions. Raises EngineUnavailable where one is missing."""
    return " ".join(f"{name} {library_version(name, NAME, _INSTALL)}" for name in ("speechmos", "onnxruntime"))


class Dnsmos:
    """Rates clips of 1 s and more; the work grows by a window for every second over 9 s."""

    name = NAME
    scores = tuple(_SCORES)

    def __init__(self) -> None:
        self.version = version()
        self._predictor = _predictor()

    def predict(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]:
        """Predict the four scores of each clip. Silence, shorter clips, NaN and infinity are a `Failure`."""
        return [self._predict(clip) for clip in clips]

    def _predict(self, clip: Clip) -> Mapping[str, float] | Failure:
        samples = samples_16_khz(clip, MIN_S)
        return samples if isinstance(samples, Failure) else self._rate(np.clip(samples, -1, 1))

    def _rate(self, samples: Samples) -> Mapping[str, float] | Failure:
        rated = self._predictor(samples, SAMPLE_RATE, False)
        scores = {name: float(rated[theirs]) for name, theirs in _SCORES.items()}
        if not np.isfinite(list(scores.values())).all():
            return Failure(Reason.MEASUREMENT_FAILED, "the clip's score is NaN or infinite")
        return scores


def _predictor() -> Any:
    """Make the library's predictor with our own sessions, since its constructor does not let us set their threads."""
    dnsmos = library("speechmos.dnsmos", NAME, _INSTALL)
    models = Path(dnsmos.__file__).parent / "dnsmos_models"
    predictor = object.__new__(dnsmos.DNSMOS)
    predictor.onnx_sess = OnnxSession(models / _PRIMARY, _PRIMARY, NAME, _INSTALL)
    predictor.p808_onnx_sess = OnnxSession(models / _P808, _P808, NAME, _INSTALL)
    return predictor


ENGINE = Engine("quality", "dnsmos", "predicted opinions, models in its package", open=Dnsmos, version=version)
