"""UTMOS: predicts how natural listeners would find a clip, 1 to 5.

`model` is a local file or directory; nothing is downloaded from a hub by name:

- a *TorchScript file* whose `forward(wave: Tensor [1, T], sample_rate: int)` gives the score, Tensor [1] or [];
- a *directory* with a `hubconf.py`, such as a copy of SpeechMOS, whose `entry` makes a predictor that is called in the
  same way. The code decides where its weights come from: SpeechMOS looks in PyTorch's hub directory and downloads what
  is missing.

Both are programs, which PyTorch runs: the recipe must agree (`serving.run_model_code`).

Clips are rated one by one at 16 kHz: padded in a batch, a clip's score would depend on its neighbors.
"""

import contextlib
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from manifests.errors import EngineDied, EngineUnavailable
from manifests.libraries import extra, library_version
from pipeline.engines.contract import Clip, Engine, Failure, Samples
from pipeline.engines.quality._one_score import one_score
from pipeline.engines.shared.clips import MIN_S, SAMPLE_RATE
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.settings import Checkpoint, Local

NAME = "utmos"

_INSTALL = extra("voicebank")

# Errors of PyTorch and of a repository's own code for weights and files that are missing, broken or of another kind.
_BROKEN = (OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, ImportError, pickle.PickleError)


class UtmosServing(Local):
    run_model_code: bool = Field(
        False, description="agree that code of the model runs: hubconf.py of the directory, or a TorchScript program"
    )


class UtmosModel(Checkpoint):
    """UTMOS as SpeechMOS packs it: a local copy of that repository, or its predictor as a TorchScript file."""

    engine: Literal["utmos"]
    entry: str = Field("utmos22_strong", description="which predictor of the repository; a TorchScript file has one")
    serving: UtmosServing = Field(UtmosServing(), description="where it runs")


def version(model: UtmosModel | None = None) -> str:
    """PyTorch's version, after the model's name and revision if one is given.

    Raises EngineUnavailable where PyTorch is missing.
    """
    of_library = f"torch {library_version('torch', NAME, _INSTALL)}"
    return f"{model.label} {of_library}" if model else of_library


class Utmos:
    """Gives one score per clip. Runs on a GPU where there is one."""

    name = NAME
    scores = (NAME,)

    def __init__(self, model: UtmosModel) -> None:
        """Load the model. Raises EngineUnavailable where the file or directory is missing, or gives no predictor."""
        self.version = version(model)
        self._torch, self._device = torch_on(model.serving.device, NAME, _INSTALL)
        self._predictor = _load(self._torch, model).to(self._device).eval()

    def predict(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]:
        """Predict each clip's score. Clips under 0.5 s, silence, NaN and infinity are a `Failure`."""
        with self._torch.inference_mode():
            return [one_score(NAME, clip, MIN_S, self._rate) for clip in clips]

    def _rate(self, samples: Samples) -> float:
        wave = self._torch.from_numpy(samples)[None].to(self._device)
        try:
            return float(self._predictor(wave, SAMPLE_RATE))
        except (RuntimeError, ValueError, TypeError) as error:  # of the model's code, or for a result that is no score
            raise EngineDied(f"{NAME} stopped: {str(error).splitlines()[0]}") from error


def _load(torch: Any, model: UtmosModel) -> Any:
    """Load the predictor. The library's own messages may hold paths, and are left out."""
    path = Path(model.model).expanduser()
    if not path.exists():
        raise EngineUnavailable(
            f"{NAME}: there is no file or directory {model.label}; UTMOS is loaded from a local one only"
        )
    if path.is_dir() and not (path / "hubconf.py").is_file():
        raise EngineUnavailable(f"{NAME}: {model.label} has no hubconf.py: name a copy of SpeechMOS, or a file")
    try:
        if path.is_dir():
            return _of_repository(torch, path, model.entry)
        return torch.jit.load(str(path), map_location="cpu")
    except _BROKEN as error:
        what = f"its hubconf.py gives no {model.entry!r}" if path.is_dir() else "it is not a TorchScript file"
        raise EngineUnavailable(
            f"{NAME} cannot load {model.label}: {what}, or it is broken ({type(error).__name__})"
        ) from None


def _of_repository(torch: Any, path: Path, entry: str) -> Any:
    prepare_torchaudio()  # SpeechMOS needs it
    with _without("speechmos"):
        return torch.hub.load(str(path), entry, source="local")


@contextlib.contextmanager
def _without(package: str) -> Iterator[None]:
    """Hide a package that is imported already, and forget what the block imports under its name.

    SpeechMOS's own package has the name of the one that holds DNSMOS, and both may be in use.
    """
    before = _modules(package)
    for name in before:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in _modules(package):
            del sys.modules[name]
        sys.modules.update(before)


def _modules(package: str) -> dict[str, Any]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == package}


ENGINE = Engine(
    "quality",
    "utmos",
    "predicted opinions by SpeechMOS or a TorchScript file",
    open=Utmos,
    version=version,
    settings=UtmosModel,
    runs_model_code=True,
)
