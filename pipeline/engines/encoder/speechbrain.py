"""Speaker encoders of SpeechBrain: x-vector, ECAPA-TDNN, ResNet, in the format of its hub models.

A model is a local directory (hyperparams.yaml and the weights that it names) or a hub id at the recipe's revision,
which is downloaded to the hub's cache first, so that both are checked and read in the same way. The engine takes care
of what SpeechBrain leaves to its users:

- hyperparams.yaml can run code (pipeline.engines.encoder._hyperparams);
- published files name the hub as the place of their weights, so that a local copy would still load the hub's;
- weights that the file lacks stay random;
- the x-vector's pooling adds random noise outside training too: the generator is seeded for each clip, and gets its
  own state back after it.
"""

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Engine, Failure, Samples
from pipeline.engines.encoder._hyperparams import has_key
from pipeline.engines.encoder._hyperparams import problem as hyperparams_problem
from pipeline.engines.encoder._speechbrain_padding import mend_padding
from pipeline.engines.shared.clips import SAMPLE_RATE
from pipeline.engines.shared.encoder_batches import encode_batches, trusted_batch_s
from pipeline.engines.shared.random_state import random_state_kept
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.shared.torchaudio_import import import_torchaudio
from pipeline.settings import Checkpoint, Local

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


class SpeechBrainModel(Checkpoint):
    """A speaker encoder of SpeechBrain (x-vector, ECAPA-TDNN, ResNet)."""

    engine: Literal["speechbrain"]
    serving: Local = Field(Local(), description="where it runs")


def version(model: SpeechBrainModel | None = None) -> str:
    """SpeechBrain's version, after the model's name and revision if one is given.

    Raises EngineUnavailable where SpeechBrain is missing.
    """
    of_library = f"speechbrain {library_version(NAME, NAME, _INSTALL)}"
    return f"{model.label} {of_library}" if model else of_library


class SpeechBrain:
    """Embeddings as wide as the model gives them (512 in the published x-vector, 192 in ECAPA-TDNN)."""

    name = NAME

    def __init__(self, model: SpeechBrainModel) -> None:
        """Load the model.

        Raises EngineUnavailable for a model that is missing, cannot be trusted, or is not a speaker encoder.
        """
        self.version = version(model)
        self._torch, self._device = torch_on(model.serving.device, NAME, _INSTALL)
        self._encoder = _load(_inference(), _directory(model), self._device, model)
        self._embed_tensors = mend_padding(self._torch, self._encoder)
        self.dimension = int(self._embed([_noise()]).shape[1])
        self._batch_s = trusted_batch_s(model.serving.batch_s, self._device, self._embed, NAME)

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        """Encode clips; those shorter than 0.5 s are a `Failure`."""
        return encode_batches(clips, self._embed, self._batch_s)

    def _embed(self, clips: Sequence[Samples]) -> Samples:
        """Return the vectors of clips, [clips, D]."""
        torch = self._torch
        with torch.inference_mode(), random_state_kept(seed=0):
            vectors: Samples = self._embed_tensors([torch.from_numpy(clip) for clip in clips]).float().cpu().numpy()
        return vectors


def _noise() -> Samples:
    """Half a second of noise, with which the model is asked for its dimension."""
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
    that is not installed: tools that walk through `sys.modules` (debuggers, test tools, reloaders) would fail on them.
    """
    from speechbrain.utils.importutils import LazyModule

    for name in [name for name, module in sys.modules.items() if isinstance(module, LazyModule)]:
        del sys.modules[name]


def _directory(model: SpeechBrainModel) -> Path:
    """Return the local directory, or that of the downloaded snapshot in the hub's cache."""
    directory = Path(model.model).expanduser()
    if directory.is_dir():
        return directory
    hub = library("huggingface_hub", NAME, _INSTALL)
    try:
        return Path(hub.snapshot_download(model.model, revision=model.revision, allow_patterns=_HUB_FILES))
    except (OSError, ValueError) as error:
        raise EngineUnavailable(
            f"{NAME} cannot load the model {model.label}: it is neither a local directory nor on the hub, or the hub "
            f"cannot be reached ({type(error).__name__})"
        ) from None


def _load(inference: Any, directory: Path, device: str, model: SpeechBrainModel) -> Any:
    """Load the encoder with its weights. The library's own messages may hold paths, and are left out."""
    overrides = _overrides(directory, model)
    try:
        encoder = inference.EncoderClassifier.from_hparams(
            source=str(directory), overrides=overrides, run_opts={"device": device}
        )
        fits = _weights_fit(encoder)
    except (*_BROKEN, library("ruamel.yaml.error", NAME, _INSTALL).YAMLError) as error:
        raise EngineUnavailable(
            f"{NAME} cannot load the model {model.label}: its files are missing, or are not those "
            f"that its {FILE} describes ({type(error).__name__})"
        ) from None
    if not fits:
        raise EngineUnavailable(f"the weights of the model {model.label} do not fit its {FILE}")
    return encoder.eval()


def _overrides(directory: Path, model: SpeechBrainModel) -> dict[str, str]:
    """Check the file, and return the values that replace its own."""
    try:
        text = (directory / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EngineUnavailable(f"the model {model.label} has no readable {FILE} ({type(error).__name__})") from None
    if why := hyperparams_problem(text):
        raise EngineUnavailable(f"the model {model.label} is refused because of its {FILE}: {why}")
    return {_PLACE_KEY: str(directory)} if has_key(text, _PLACE_KEY) else {}


def _weights_fit(encoder: Any) -> bool:
    """Whether the file of weights has all that the network needs; SpeechBrain would leave the rest random."""
    checkpoints = library("speechbrain.utils.checkpoints", NAME, _INSTALL)
    path = encoder.hparams.pretrainer.paths["embedding_model"]
    found = checkpoints.torch_patched_state_dict_load(path)
    return set(encoder.mods.embedding_model.state_dict()) <= set(found)


ENGINE = Engine(
    "encoder",
    "speechbrain",
    "x-vector, ECAPA-TDNN, ResNet",
    open=SpeechBrain,
    version=version,
    settings=SpeechBrainModel,
)
