"""HuBERT with k-means: the nearest center of each frame of one layer (SpeechGPT, LLaMA-Omni, SyncLLM, Spirit LM).

The network is a `HubertModel` of transformers. The centers are a NumPy archive (.npz) with one array, [clusters,
width]: published ones are pickles of scikit-learn, which run code when they are read, so convert them once
(docs/tokens.md says how). Whether samples are scaled to zero mean and unit variance first (`do_normalize`) differs
from checkpoint to checkpoint and changes the codes, so it is part of `revision`, as the layer and the centers are.
"""

import json
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_serializer

from manifests.errors import EngineUnavailable
from manifests.libraries import library_version
from pipeline.engines.contract import Engine, Samples
from pipeline.engines.tokenizer._checkpoint import (
    BROKEN,
    INSTALL,
    TokenizerCheckpoint,
    directory_of,
    from_transformers,
    revision_of,
    sha256_digits,
)
from pipeline.engines.tokenizer._encoding import Books
from pipeline.engines.tokenizer._network import NetworkTokenizer
from pipeline.settings import public_name

NAME = "hubert"

SAMPLE_RATE = 16_000

_PREPROCESSOR = "preprocessor_config.json"
_FILES = ("config.json", "*.safetensors", "pytorch_model.bin", _PREPROCESSOR)


class HubertCheckpoint(TokenizerCheckpoint):
    """A HuBERT in the format of transformers, and k-means centers for one of its layers."""

    engine: Literal["hubert"]
    centers: str = Field(description="NumPy archive (.npz) of the k-means centers, one array [clusters, width]")
    layer: int = Field(ge=0, description="hidden state that is clustered; 0 is the embedding, 11 that of SpeechGPT")
    do_normalize: bool | None = Field(
        None, description=f"scale samples to zero mean and unit variance; none: as {_PREPROCESSOR} says"
    )

    @field_serializer("centers")
    def _no_private_centers(self, centers: str) -> str:
        """Shorten a private path: the recipe is copied into manifests."""
        return public_name(centers)


def version(model: HubertCheckpoint | None = None) -> str:
    """Return transformers' version, after checkpoint, layer and centers if a model is given.

    Raises EngineUnavailable where transformers or the file of the centers is missing.
    """
    of_library = f"transformers {library_version('transformers', NAME, INSTALL)}"
    if model is None:
        return of_library
    return f"{revision_of(model, NAME)} layer={model.layer} centers={_digits(model)} {of_library}"


class Hubert(NetworkTokenizer):
    """`tokenizer` names layer and clusters: hubert-l11-km1000."""

    name = NAME
    decodes = False
    sample_rate = SAMPLE_RATE

    def __init__(self, model: HubertCheckpoint) -> None:
        """Load network and centers. Raises EngineUnavailable where one is missing, or they do not fit each other."""
        super().__init__(model, version(model))
        directory = directory_of(model, NAME, _FILES)
        network = from_transformers("HubertModel", directory, NAME, model)
        config = network.config
        if model.layer > config.num_hidden_layers:
            raise EngineUnavailable(
                f"the model {model.label} has hidden states 0 to {config.num_hidden_layers}, not {model.layer}"
            )
        centers = _centers(model, config.hidden_size)
        self._normalizes = _normalizes(directory, model)
        self._layer, self._network = model.layer, network.to(self._device).eval()
        self._centers = self._torch.from_numpy(centers).to(self._device)
        self._squares = self._centers.square().sum(dim=1)
        self.tokenizer = f"{NAME}-l{model.layer}-km{len(centers)}"
        self.revision += f" centers={_digits(model)} do_normalize={str(self._normalizes).lower()}"
        self.hop_length = math.prod(config.conv_stride)
        self.codebook_size = len(centers)
        self.min_samples = receptive_field(config.conv_kernel, config.conv_stride)

    def _encode(self, wave: Any) -> Books:
        if self._normalizes:
            wave = (wave - wave.mean()) / (wave.var(unbiased=False) + 1e-7).sqrt()
        hidden = self._network(wave[None], output_hidden_states=True).hidden_states[self._layer][0]
        distances = self._squares - 2 * hidden @ self._centers.T
        return [distances.argmin(dim=1).cpu().numpy()]


def receptive_field(kernels: Any, strides: Any) -> int:
    """Return the samples that one frame is made of: 400 for the published networks."""
    samples = 1
    for kernel, stride in reversed(list(zip(kernels, strides, strict=True))):
        samples = (samples - 1) * stride + kernel
    return int(samples)


def _digits(model: HubertCheckpoint) -> str:
    file = Path(model.centers).expanduser()
    if not file.is_file():
        raise EngineUnavailable(f"{NAME} finds no file of centers {public_name(model.centers)}")
    return sha256_digits(file)


def _centers(model: HubertCheckpoint, width: int) -> Samples:
    """Read the centers, float32 [clusters, width]."""
    name = public_name(model.centers)
    try:
        with np.load(Path(model.centers).expanduser(), allow_pickle=False) as archive:
            (centers,) = (archive[key] for key in archive.files)
    except (*BROKEN, EOFError) as error:
        raise EngineUnavailable(
            f"{NAME} cannot read centers from {name}: it is not a NumPy archive (.npz) with one plain array "
            f"({type(error).__name__})"
        ) from None
    if centers.ndim != 2 or centers.dtype.kind != "f" or not np.isfinite(centers).all():
        raise EngineUnavailable(f"{name} does not hold k-means centers, an array [clusters, width] of finite floats")
    if centers.shape[1] != width:
        raise EngineUnavailable(
            f"the centers in {name} have {centers.shape[1]} numbers, but {model.label} gives {width}"
        )
    return np.ascontiguousarray(centers, np.float32)


def _normalizes(directory: Path, model: HubertCheckpoint) -> bool:
    """Tell whether the network wants scaled samples; raises EngineUnavailable for another sample rate than 16 kHz."""
    try:
        found = json.loads((directory / _PREPROCESSOR).read_text(encoding="utf-8"))
        rate, normalizes = int(found.get("sampling_rate", SAMPLE_RATE)), found.get("do_normalize")
    except FileNotFoundError:
        rate, normalizes = SAMPLE_RATE, None
    except BROKEN as error:
        raise EngineUnavailable(
            f"the {_PREPROCESSOR} of {model.label} cannot be read ({type(error).__name__})"
        ) from None
    if rate != SAMPLE_RATE:
        raise EngineUnavailable(f"the model {model.label} wants {rate} Hz, not {SAMPLE_RATE}")
    if model.do_normalize is None and not isinstance(normalizes, bool):
        raise EngineUnavailable(
            f"{model.label} does not say whether samples are scaled: set do_normalize of the model"
        )
    return bool(normalizes) if model.do_normalize is None else model.do_normalize


ENGINE = Engine("tokenizer", NAME, "HuBERT and k-means", open=Hubert, version=version, settings=HubertCheckpoint)
