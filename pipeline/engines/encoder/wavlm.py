"""WavLM with an x-vector head (transformers' `WavLMForXVector`), by which Ke-SpeechChat tells people apart.

The model is a local directory, or a hub id at the recipe's revision. It always runs in single precision: thresholds on
cosines near 1 leave no room for less.
"""

import pickle
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Engine, Failure, Samples
from pipeline.engines.encoder._wavlm_padding import mend_padding
from pipeline.engines.shared.clips import MIN_S, SAMPLE_RATE
from pipeline.engines.shared.encoder_batches import encode_batches, trusted_batch_s
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.settings import Checkpoint, Local

NAME = "wavlm"

_INSTALL = extra("voicebank")

MAX_S = 120.0
"""The memory of attention grows with the square of the length: at this one it is 1.7 GB in each layer of the base
model."""

# The two kinds of weights that a checkpoint may lack: those of the training loss and of its masking.
_NOT_NEEDED = ("objective.", "wavlm.masked_spec_embed")


# What transformers and PyTorch raise for files that are missing, broken or of another kind of model.
_BROKEN = (OSError, ValueError, RuntimeError, LookupError, TypeError, pickle.UnpicklingError)


class WavLMModel(Checkpoint):
    """`WavLMForXVector` of transformers: x-vectors for speaker verification, as Ke-SpeechChat uses them."""

    engine: Literal["wavlm"]
    serving: Local = Field(Local(), description="where it runs")


def version(model: WavLMModel | None = None) -> str:
    """Return transformers\' version, after the model's name and revision if one is given.

    Raises EngineUnavailable where transformers is missing.
    """
    of_library = f"transformers {library_version('transformers', NAME, _INSTALL)}"
    return f"{model.label} {of_library}" if model else of_library


class WavLM:
    """Embeddings as wide as the checkpoint's head gives them (512 in the published ones)."""

    name = NAME

    def __init__(self, model: WavLMModel) -> None:
        """Load the checkpoint.

        Raises EngineUnavailable for one that is missing, is not of this kind or lacks the head.
        """
        self.version = version(model)
        self._torch, self._device = torch_on(model.serving.device, NAME, _INSTALL)
        prepare_torchaudio()
        transformers = library("transformers", NAME, _INSTALL)
        self._extractor, network = _load(transformers, model)
        _check(self._extractor, network, model)
        self._network = network.to(self._device).eval()
        self._embed_tensors = mend_padding(self._torch, self._network)
        self.dimension = int(network.config.xvector_output_dim)
        self._min_s = max(MIN_S, min_samples(network.config) / SAMPLE_RATE)
        self._batch_s = trusted_batch_s(model.serving.batch_s, self._device, self._embed, NAME)

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        """Encode clips; those shorter than 0.5 s or the network's receptive field, or over 120 s, are a `Failure`."""
        return encode_batches(clips, self._embed, self._batch_s, self._min_s, MAX_S)

    def _embed(self, clips: Sequence[Samples]) -> Sequence[Samples]:
        with self._torch.inference_mode():
            values = [self._values(samples) for samples in clips]
            embeddings: Sequence[Samples] = self._embed_tensors(values).float().cpu().numpy()
        return embeddings

    def _values(self, samples: Samples) -> Any:
        """Return what the network takes of a clip, [T] on the device: scaled as its checkpoint says."""
        values = self._extractor(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_values
        return values[0].to(self._device)


def min_samples(config: Any) -> int:
    """Return the shortest input, in samples, that gives the pooling two frames.

    One frame has no standard deviation.
    """
    frames = 2
    for kernel, dilation in zip(config.tdnn_kernel, config.tdnn_dilation, strict=True):
        frames += (kernel - 1) * dilation
    for kernel, stride in reversed(list(zip(config.conv_kernel, config.conv_stride, strict=True))):
        frames = (frames - 1) * stride + kernel
    return int(frames)


def _load(transformers: Any, model: WavLMModel) -> tuple[Any, Any]:
    """Load feature extractor and network. The library's own messages may hold paths, and are left out."""
    try:
        extractor = transformers.AutoFeatureExtractor.from_pretrained(
            model.model, revision=model.revision, trust_remote_code=False
        )
        network, loaded = transformers.WavLMForXVector.from_pretrained(
            model.model,
            revision=model.revision,
            dtype="float32",
            output_loading_info=True,
            trust_remote_code=False,
        )
    except (*_BROKEN, library("safetensors", NAME, _INSTALL).SafetensorError) as error:
        raise EngineUnavailable(
            f"{NAME} cannot load the model {model.label}: it is neither a local checkpoint nor on the hub, the hub "
            f"cannot be reached, or it is not of this kind ({type(error).__name__})"
        ) from None
    missing = [key for key in loaded["missing_keys"] if not key.startswith(_NOT_NEEDED)]
    if missing:
        raise EngineUnavailable(
            f"the model {model.label} lacks weights of an x-vector network, {sorted(missing)[0]} and others: "
            "is it a checkpoint for speaker verification?"
        )
    return extractor, network


def _check(extractor: Any, network: Any, model: WavLMModel) -> None:
    if network.config.model_type != "wavlm":
        raise EngineUnavailable(f"the model {model.label} is of type {network.config.model_type}, not wavlm")
    if extractor.sampling_rate != SAMPLE_RATE:
        raise EngineUnavailable(f"the model {model.label} wants {extractor.sampling_rate} Hz, not {SAMPLE_RATE}")


ENGINE = Engine(
    "encoder", "wavlm", "x-vectors by WavLM, of transformers", open=WavLM, version=version, settings=WavLMModel
)
