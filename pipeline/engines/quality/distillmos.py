"""DistillMOS (PyPI distillmos 0.9.1, weights in its package): predicts how listeners would rate a clip, 1 to 5.

A second opinion beside DNSMOS, of another family: distilled from a predictor on XLS-R features, trained for codecs and
synthetic speech too. The network takes 7.68 s at 16 kHz; the package pads shorter clips with silence, and averages
longer ones over windows. Clips are rated one by one.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from manifests.errors import EngineDied, EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Engine, Failure, Samples
from pipeline.engines.quality._one_score import one_score
from pipeline.engines.shared.clips import MIN_S
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio

NAME = "distillmos"

_INSTALL = extra("voicebank")


def version() -> str:
    """Return the packages' versions. Raises EngineUnavailable where one is missing."""
    return " ".join(f"{name} {library_version(name, NAME, _INSTALL)}" for name in ("distillmos", "xls-r-sqa", "torch"))


class DistillMos:
    """Gives one score per clip of half a second or more, on the CPU."""

    name = NAME
    scores = (NAME,)

    def __init__(self) -> None:
        self.version = version()
        self._torch, _ = torch_on("cpu", NAME, _INSTALL)
        prepare_torchaudio()
        package = library("distillmos", NAME, _INSTALL)
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # it prints where its weights lie
                self._model: Any = package.ConvTransformerSQAModel().eval()
        except (OSError, RuntimeError, KeyError) as error:
            raise EngineUnavailable(f"{NAME}: the weights in its package do not load: {_INSTALL}") from error

    def predict(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]:
        """Predict each clip's score. Clips under 0.5 s, silence, NaN and infinity are a `Failure`."""
        with self._torch.inference_mode():
            return [one_score(NAME, clip, MIN_S, self._rate) for clip in clips]

    def _rate(self, samples: Samples) -> float:
        try:
            return float(self._model(self._torch.from_numpy(samples)[None]))
        except RuntimeError as error:
            raise EngineDied(f"{NAME} stopped: {str(error).splitlines()[0]}") from error


ENGINE = Engine("quality", NAME, "predicted opinions, weights in its package", open=DistillMos, version=version)
