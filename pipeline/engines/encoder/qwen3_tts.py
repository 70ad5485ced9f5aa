"""The speaker encoder inside a checkpoint of Qwen3-TTS Base: the embedding that its voices are conditioned on.

It is an ECAPA-TDNN, the network that transformers has for Qwen2.5-Omni, with tensors of the same names. Only the
tensors `speaker_encoder.*` are read from the checkpoint's safetensors, which hold no code; nothing else of the
synthesizer is loaded. The synthesizer reads the length of the vector too, so it is kept as it is (`keeps_norm`), in
single precision.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Engine, Failure, Samples
from pipeline.engines.shared.clips import MIN_S, encode_each
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.settings import Checkpoint, Local

NAME = "qwen3-tts"

_INSTALL = extra("voicebank")

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
SECTION, PREFIX = "speaker_encoder_config", "speaker_encoder."

SAMPLE_RATE = 24_000
N_FFT, HOP, LOWEST = 1024, 256, 1e-5
"""The synthesizer's own spectrogram: a Hann window of 1024 samples every 256, magnitudes, 128 mel bins of Slaney's
scale from 0 to 12 kHz, and the logarithm of what is at least 1e-5."""
_POWER_FLOOR = 1e-9

MAX_S = 120.0
"""A voice needs no more, and the memory of attention over frames grows with the length."""

# The published defaults of `speaker_encoder_config`: checkpoints leave out what they do not change.
_DEFAULTS: Mapping[str, Any] = {
    "mel_dim": 128,
    "enc_dim": 1024,
    "enc_channels": (512, 512, 512, 512, 1536),
    "enc_kernel_sizes": (5, 3, 3, 3, 1),
    "enc_dilations": (1, 2, 3, 4, 1),
    "enc_attention_channels": 128,
    "enc_res2net_scale": 8,
    "enc_se_channels": 128,
}

# What the libraries raise for files that are missing, broken or of another kind of model.
_BROKEN = (OSError, ValueError, RuntimeError, TypeError, LookupError, AttributeError)


class Qwen3TTSModel(Checkpoint):
    """The speaker encoder of a Qwen3-TTS Base checkpoint: a local directory, or a hub id."""

    engine: Literal["qwen3-tts"]
    serving: Local = Field(Local(), description="where it runs")


def version(model: Qwen3TTSModel | None = None) -> str:
    """Return transformers' version, after the model's name and revision if one is given.

    Raises EngineUnavailable where a library is missing.
    """
    names = ("transformers", "safetensors")
    of_libraries = " ".join(f"{name} {library_version(name, NAME, _INSTALL)}" for name in names)
    return f"{model.label} {of_libraries}" if model else of_libraries


class Qwen3TTSEncoder:
    """Raw embeddings, 1024 numbers of the 0.6B checkpoints and 2048 of the 1.7B: their length is part of the voice."""

    name = NAME

    def __init__(self, model: Qwen3TTSModel) -> None:
        """Load the encoder. Raises EngineUnavailable for a checkpoint that is missing, broken, or has no encoder."""
        self.version = version(model)
        self._torch, self._device = torch_on(model.serving.device, NAME, _INSTALL)
        found = _Files(model)
        settings = _settings(found, model)
        self._network = _network(settings, found, model).to(self._device).eval()
        self.dimension = int(settings["enc_dim"])
        filters = library("transformers.audio_utils", NAME, _INSTALL).mel_filter_bank(
            N_FFT // 2 + 1,
            int(settings["mel_dim"]),
            0.0,
            SAMPLE_RATE / 2,
            SAMPLE_RATE,
            norm="slaney",
            mel_scale="slaney",
        )
        self._filters = self._torch.from_numpy(filters.T.astype(np.float32)).to(self._device)
        self._window = self._torch.hann_window(N_FFT, device=self._device)

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        """Encode clips; those shorter than 0.5 s or longer than 120 s are a `Failure`."""
        with self._torch.inference_mode():
            return encode_each(clips, self._embed, MIN_S, MAX_S, SAMPLE_RATE, keep_norm=True)

    def _embed(self, samples: Samples) -> Samples:
        embedding: Samples = self._network(self.mel(samples)[None])[0].float().cpu().numpy()
        return embedding

    def mel(self, samples: Samples) -> Any:
        """Return log mel magnitudes, a tensor [frames, 128], of samples [T] at 24 kHz."""
        torch = self._torch
        edge = (N_FFT - HOP) // 2
        wave = torch.from_numpy(samples).to(self._device)[None]
        wave = torch.nn.functional.pad(wave, (edge, edge), mode="reflect")
        bins = torch.stft(wave, N_FFT, HOP, window=self._window, center=False, return_complex=True)[0]
        magnitudes = torch.sqrt(bins.real**2 + bins.imag**2 + _POWER_FLOOR)
        return torch.log(torch.clamp(self._filters @ magnitudes, min=LOWEST)).T


class _Files:
    """The files of a checkpoint, local or on the hub; only those that are asked for are downloaded."""

    def __init__(self, model: Qwen3TTSModel) -> None:
        self._model = model
        directory = Path(model.model).expanduser()
        self._directory = directory if directory.is_dir() else None

    def path(self, name: str) -> Path:
        """Return where a file is. Raises OSError or ValueError where it cannot be had."""
        if self._directory:
            return self._directory / name
        hub = library("huggingface_hub", NAME, _INSTALL)
        return Path(hub.hf_hub_download(self._model.model, name, revision=self._model.revision))

    def has(self, name: str) -> bool:
        try:
            return self.path(name).is_file()
        except (OSError, ValueError):
            return False

    def json(self, name: str) -> dict[str, Any]:
        """Read a JSON object. Raises OSError or ValueError where it is none."""
        found = json.loads(self.path(name).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"{name} is not a JSON object")
        return found

    def weights(self) -> list[Path]:
        """Return the files that hold the encoder's tensors: one, or those that the index names."""
        if not self.has(INDEX):
            return [self.path(WEIGHTS)]
        shards = self.json(INDEX)["weight_map"]
        return [self.path(name) for name in sorted({shards[key] for key in shards if key.startswith(PREFIX)})]


def _settings(found: _Files, model: Qwen3TTSModel) -> dict[str, Any]:
    try:
        config = found.json(CONFIG)
    except (OSError, ValueError) as error:
        raise EngineUnavailable(
            f"{NAME} finds no readable {CONFIG} of the model {model.label}: it is neither a local directory nor on "
            f"the hub, or the hub cannot be reached ({type(error).__name__})"
        ) from None
    section = config.get(SECTION)
    if not isinstance(section, dict):
        raise EngineUnavailable(
            f"the model {model.label} has no speaker encoder ({SECTION}): only Base checkpoints of Qwen3-TTS have one"
        )
    rate = section.get("sample_rate", SAMPLE_RATE)
    if rate != SAMPLE_RATE:
        raise EngineUnavailable(f"the speaker encoder of {model.label} hears {rate} Hz; {NAME} gives it {SAMPLE_RATE}")
    return {**_DEFAULTS, **{key: value for key, value in section.items() if key in _DEFAULTS}}


def _network(settings: Mapping[str, Any], found: _Files, model: Qwen3TTSModel) -> Any:
    """Build the network with all of its weights and no others."""
    prepare_torchaudio()
    omni = "transformers.models.qwen2_5_omni"
    config = library(f"{omni}.configuration_qwen2_5_omni", NAME, _INSTALL).Qwen2_5OmniDiTConfig
    network = library(f"{omni}.modeling_qwen2_5_omni", NAME, _INSTALL).ECAPA_TimeDelayNet
    safetensors = library("safetensors", NAME, _INSTALL)
    strict = library("huggingface_hub.errors", NAME, _INSTALL).StrictDataclassError
    try:
        made = network(config(**settings))
        made.load_state_dict(dict(_tensors(found, safetensors)), strict=True)
    except (*_BROKEN, strict, safetensors.SafetensorError) as error:
        raise EngineUnavailable(
            f"{NAME} cannot load the speaker encoder of {model.label}: its tensors are missing, or are not those that "
            f"its {CONFIG} describes ({type(error).__name__})"
        ) from None
    return made


def _tensors(found: _Files, safetensors: Any) -> Iterator[tuple[str, Any]]:
    """Yield the encoder's tensors in single precision, without their prefix; the others are not read."""
    for path in found.weights():
        with safetensors.safe_open(str(path), framework="pt") as file:
            for key in file.keys():  # noqa: SIM118  it is no mapping
                if key.startswith(PREFIX):
                    yield key.removeprefix(PREFIX), file.get_tensor(key).float()


ENGINE = Engine(
    "encoder",
    NAME,
    "the speaker encoder inside Qwen3-TTS Base, whose embeddings its servers take",
    open=Qwen3TTSEncoder,
    version=version,
    settings=Qwen3TTSModel,
    keeps_norm=True,
)
