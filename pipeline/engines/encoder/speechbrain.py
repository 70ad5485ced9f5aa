"""Speaker encoders of SpeechBrain: x-vector, ECAPA-TDNN, ResNet, in the format that its hub models have.

A local directory (hyperparams.yaml and the weights that it names) or a hub id at the recipe's revision, which is
brought into the hub's cache first, so that both are read, and checked, in the same way. What SpeechBrain leaves to its
user is seen to here:

- hyperparams.yaml can run code (pipeline.engines.encoder._hyperparams);
- the published ones name the hub as the place of their weights, so that a local copy would still load the hub's;
- weights that the file lacks stay as chance made them;
- the x-vector's pooling adds random noise, also when it is not being trained: the generator is set back for each clip,
  and gets its own state back after it.
"""

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Failure, Samples
from pipeline.engines.encoder._hyperparams import has_key
from pipeline.engines.encoder._hyperparams import problem as hyperparams_problem
from pipeline.engines.shared.clips import SAMPLE_RATE, encode_each
from pipeline.engines.shared.random_state import random_state_kept
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.shared.torchaudio_import import import_torchaudio
from pipeline.models import SpeechBrainModel

NAME = "speechbrain"

_INSTALL = extra("voicebank")

FILE = "hyperparams.yaml"
_PLACE_KEY = "pretrained_path"
_HUB_FILES = ("*.yaml", "*.ckpt", "*.txt")

# What SpeechBrain, HyperPyYAML and PyTorch raise for files that are missing, broken or of another kind of model.
_BROKEN = (
    *(OSError, ValueError, RuntimeError, ImportError, TypeError, LookupError, AttributeError, EOFError),
    pickle.UnpicklingError,
)


def version(model: SpeechBrainModel | None = None) -> str:
    """SpeechBrain's version, after the model's name and revision if one is given; EngineUnavailable without it."""
    of_library = f"speechbrain {library_version(NAME, NAME, _INSTALL)}"
    return f"{model.label} {of_library}" if model else of_library


class SpeechBrain:
    """As many values as the model gives (512 in the published x-vector, 192 in ECAPA-TDNN)."""

    name = NAME

    def __init__(self, model: SpeechBrainModel) -> None:
        """Raises EngineUnavailable for a model that cannot be had, is not trusted, or is no speaker encoder."""
        self.version = version(model)
        self._torch, self._device = torch_on(model.serving.device, NAME, _INSTALL)
        self._encoder = _load(_inference(), _directory(model), self._device, model)
        self.dimension = self._embed(_noise()).size

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        """Clips shorter than 0.5 s are a `Failure`."""
        return encode_each(clips, self._embed)

    def _embed(self, samples: Samples) -> Samples:
        torch = self._torch
        with torch.inference_mode(), random_state_kept(seed=0):
            embedding = self._encoder.encode_batch(torch.from_numpy(samples)[None])
        vector: Samples = embedding.float().cpu().numpy().reshape(-1)
        return vector


def _noise() -> Samples:
    """Half a second to ask the model for its dimension with."""
    return np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE // 2).astype(np.float32)


def _inference() -> Any:
    try:
        import_torchaudio()
    except ImportError as error:
        raise EngineUnavailable(f"{NAME} needs the package {error.name}: {_INSTALL}") from error
    module = library("speechbrain.inference.classifiers", NAME, _INSTALL)
    forget_old_names()
    return module


def forget_old_names() -> None:
    """Take SpeechBrain's aliases of its former modules out of `sys.modules`.

    Each imports its module when anything at all is read from it, and raises ImportError where that needs a package
    that is not installed: whoever walks through `sys.modules` (debuggers, test tools, reloaders) would fall over them.
    """
    from speechbrain.utils.importutils import LazyModule

    for name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
        del sys.modules[name]


def _directory(model: SpeechBrainModel) -> Path:
    """The local directory, or that of the hub's snapshot in its cache."""
    directory = Path(model.model).expanduser()
    if directory.is_dir():
        return directory
    hub = library("huggingface_hub", NAME, _INSTALL)
    try:
        return Path(hub.snapshot_download(model.model, revision=model.revision, allow_patterns=_HUB_FILES))
    except (OSError, ValueError) as error:
        raise EngineUnavailable(
            f"{NAME} cannot load the model {model.label}: it is neither a local directory nor to be had from the "
            f"hub ({type(error).__name__})"
        ) from None


def _load(inference: Any, directory: Path, device: str, model: SpeechBrainModel) -> Any:
    """The encoder with its weights. What the library says when it fails may hold paths, and is left out."""
    overrides = _overrides(directory, model)
    try:
        encoder = inference.EncoderClassifier.from_hparams(
            source=str(directory), overrides=overrides, run_opts={"device": device}
        )
        fits = _weights_fit(encoder)
    except (*_BROKEN, library("ruamel.yaml.error", NAME, _INSTALL).YAMLError) as error:
        raise EngineUnavailable(
            f"{NAME} cannot load the model {model.label}: its files are missing, or not what its {FILE} says "
            f"({type(error).__name__})"
        ) from None
    if not fits:
        raise EngineUnavailable(f"the weights of the model {model.label} do not fit its {FILE}")
    return encoder.eval()


def _overrides(directory: Path, model: SpeechBrainModel) -> dict[str, str]:
    """What to put in place of the file's own values, once the file is found to be harmless."""
    try:
        text = (directory / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EngineUnavailable(f"the model {model.label} has no readable {FILE} ({type(error).__name__})") from None
    if why := hyperparams_problem(text):
        raise EngineUnavailable(f"the model {model.label} is not used because of its {FILE}: {why}")
    return {_PLACE_KEY: str(directory)} if has_key(text, _PLACE_KEY) else {}


def _weights_fit(encoder: Any) -> bool:
    """Whether the file of weights has all that the network needs: SpeechBrain leaves the rest as chance made it."""
    checkpoints = library("speechbrain.utils.checkpoints", NAME, _INSTALL)
    path = encoder.hparams.pretrainer.paths["embedding_model"]
    found = checkpoints.torch_patched_state_dict_load(path)
    return set(encoder.mods.embedding_model.state_dict()) <= set(found)
