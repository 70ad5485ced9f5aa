"""AudioSeal checkpoints in the true file format, small and with random weights: the tests make them.

The published ones are mappings of a training configuration (OmegaConf's) and weights under the names that the networks
had before the package's release 0.2, weight-normalized.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from audioseal.builder import AudioSealDetectorConfig, AudioSealWMConfig, create_detector, create_generator
from audioseal.libs.moshi.utils.compile import no_compile
from audioseal.loader import AudioSeal, load_local_model_config
from omegaconf import OmegaConf

from pipeline.engines.watermark.audioseal import AudioSealModel

CARDS = {"generator": "audioseal_wm_16bits", "detector": "audioseal_detector_16bits"}
_PARTS = {
    "generator": (AudioSealWMConfig, create_generator),
    "detector": (AudioSealDetectorConfig, create_detector),
}
TINY = {"n_filters": 2, "dimension": 8}


def architecture(kind: str, bits: int = 16, **seanet: Any) -> dict[str, Any]:
    """A card's, with other numbers in its SEANet."""
    config: Any = OmegaConf.to_container(load_local_model_config(CARDS[kind]))
    del config["checkpoint"], config["name"], config["model_type"]
    return {**config, "nbits": bits, "seanet": {**config["seanet"], **seanet}}


def make_network(kind: str, config: Mapping[str, Any], seed: int = 0) -> torch.nn.Module:
    """Random weights, large enough that outputs depend on the input. A mark is some 40 dB below full scale."""
    torch.manual_seed(seed)
    settings, create = _PARTS[kind]
    network: Any = create(AudioSeal.parse_config(dict(config), config_type=settings)).eval()
    with torch.no_grad():
        for value in network.parameters():
            value.mul_(1.5) if value.ndim > 1 else value.normal_(std=0.1)
        if kind == "generator":
            network.decoder.model[-1].conv.conv.inner_conv.weight.mul_(0.02)
        else:
            _balance(network)
    return network  # type: ignore[no-any-return]


def _balance(detector: Any) -> None:
    """On noise, each output is as often above as below 0: scores and bits then depend on the clip."""
    with no_compile():
        heard = detector.detector(0.1 * torch.randn(1, 1, 16_000))
    detector.detector[1].bias.sub_(heard.mean(dim=(0, 2)))


def old_names(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.replace(".inner_conv.", "."): value for name, value in weights.items()}


def weight_normalized(weights: Mapping[str, torch.Tensor], gain: str, direction: str) -> dict[str, torch.Tensor]:
    """Convolutions' weights as a gain (here the norm, doubled) and a direction (here the weight, halved)."""
    made = {}
    for name, value in weights.items():
        if not re.search(r"\.(inner_conv|conv|convtr)\.weight$", name):
            made[name] = value
            continue
        prefix = name.removesuffix("weight")
        made[prefix + gain] = torch.linalg.vector_norm(value, dim=(1, 2), keepdim=True)
        made[prefix + direction] = value / 2
    return made


def save(path: Path, kind: str, bits: int = 16, seed: int = 0, sizes: Mapping[str, int] = TINY) -> Path:
    """A tiny checkpoint as the published ones are; with no `sizes`, one of the published size."""
    config = architecture(kind, bits, **sizes)
    weights = weight_normalized(old_names(make_network(kind, config, seed).state_dict()), "weight_g", "weight_v")
    torch.save({"xp.cfg": OmegaConf.create(config), "model": weights}, path)
    return path


def tiny_model(directory: Path, **settings: Any) -> AudioSealModel:
    return AudioSealModel(
        engine="audioseal",
        generator=str(save(directory / "generator.pth", "generator")),
        detector=str(save(directory / "detector.pth", "detector", seed=1)),
        serving={"device": "cpu"},
        **settings,
    )
