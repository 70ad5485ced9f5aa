"""Loads AudioSeal's generator and detector without running code that a checkpoint holds.

The package's own loader unpickles whatever is in the file, leaves layers random when a weight-normalized checkpoint
lacks them, and does not read what `state_dict()` of its own networks gives. So the file is read here, with the
package's descriptions of the architectures (its cards) and its networks. Both are found by name, so only one release
is supported.

A checkpoint is a mapping: the weights under `model` or `best_state.model`, or the mapping itself; the architecture
under `xp.cfg`, as a plain mapping or as OmegaConf's. Where it holds no architecture, that of a card is used.
"""

import collections
import hashlib
import os
import pickle
import re
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlparse

from pydantic import Field, field_serializer

from manifests.errors import EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.settings import Local, Section, public_name

NAME = "audioseal"
SUPPORTED = "0.2.0"
INSTALL = extra("audioseal")

_DEFAULT_BITS = 16
_CARDS = {
    "generator": {"base": "audioseal_wm_16bits", "streaming": "audioseal_wm_streaming"},
    "detector": {"base": "audioseal_detector_16bits", "streaming": "audioseal_detector_streaming"},
}
# Release 0.2 renamed the parts of the networks: published checkpoints have the older names.
_OLD_NAME = re.compile(r"\.(conv|convtr)\.(?=weight|bias|parametrizations)")
_NORMALIZED = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))


class AudioSealModel(Section):
    """AudioSeal. The message of a row is its corpus's: the first bits of the recipe's digest."""

    engine: Literal["audioseal"]
    generator: str = Field("audioseal_wm_16bits", description="card of the package, or a local checkpoint")
    detector: str = Field("audioseal_detector_16bits", description="card of the package, or a local checkpoint")
    architecture: Literal["base", "streaming"] = Field(
        "base", description="of the card, for local checkpoints that hold no architecture of their own"
    )
    strength: float = Field(1.0, gt=0, le=2, description="multiplies the mark before it is added")
    serving: Local = Field(Local(), description="where it runs")

    @field_serializer("generator", "detector")
    def _no_private_path(self, name: str) -> str:
        """Recipes stand in manifests."""
        return public_name(name)


def installed() -> str:
    """Return the package's version. Raises EngineUnavailable where it is missing or another release."""
    found = library_version("audioseal", NAME, INSTALL)
    if found != SUPPORTED:
        raise EngineUnavailable(f"{NAME} knows release {SUPPORTED} only, not {found}: {INSTALL}")
    return found


def load_network(kind: str, model: AudioSealModel, torch: Any) -> Any:
    """Load the "generator" or the "detector" of a model: float32, on the CPU, in evaluation mode, with `nbits` set.

    Raises EngineUnavailable with a message that holds no private paths.
    """
    source = model.generator if kind == "generator" else model.detector
    card = _card(source)
    checkpoint = _download(card["checkpoint"], source, torch) if card else _read(source, kind, torch)
    config = {**_own_architecture(checkpoint), **card} or _card(_CARDS[kind][model.architecture])
    try:
        network, bits = _build(kind, config)
        _fill(network, _weights(checkpoint), torch)
    except (
        AssertionError,
        AttributeError,
        KeyError,
        RuntimeError,
        TypeError,
        ValueError,
        _omegaconf_error(),
    ) as error:
        raise EngineUnavailable(
            f"{NAME}: {public_name(source)} holds no {kind} of this architecture ({type(error).__name__})"
        ) from error
    network.nbits = bits
    return network.float().eval()


def _card(name: str) -> dict[str, Any]:
    """Read the package's card of that name; empty where it has none."""
    if not re.fullmatch(r"\w+", name):
        return {}
    config = library("audioseal.loader", NAME, INSTALL).load_local_model_config(name)
    return dict(library("omegaconf", NAME, INSTALL).OmegaConf.to_container(config)) if config else {}


def _read(source: str, kind: str, torch: Any) -> Any:
    path = Path(source).expanduser()
    if not path.is_file():
        cards = ", ".join(_CARDS[kind].values())
        raise EngineUnavailable(f"{NAME}: {public_name(source)} is neither a file nor a card ({cards})")
    try:
        with torch.serialization.safe_globals(_harmless()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise _unreadable(source) from error


def _download(url: str, source: str, torch: Any) -> Any:
    """Load a card's checkpoint from the package's own cache, or download it."""
    cache = Path(os.getenv("AUDIOSEAL_CACHE_DIR") or os.getenv("XDG_CACHE_HOME") or "~/.cache").expanduser()
    kept_as = hashlib.sha1(urlparse(url).path.encode(), usedforsecurity=False).hexdigest()[:24]
    try:
        with torch.serialization.safe_globals(_harmless()):
            return torch.hub.load_state_dict_from_url(
                url,
                str(cache / "audioseal"),
                map_location="cpu",
                progress=False,
                file_name=kept_as,
                weights_only=True,
            )
    except OSError as error:  # urllib's errors are OSErrors
        raise EngineUnavailable(
            f"{NAME}: the checkpoint of {source} cannot be downloaded ({type(error).__name__}): "
            "go online once, or name a local file"
        ) from error
    except (RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise _unreadable(source) from error


def _unreadable(source: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"{NAME}: {public_name(source)} is not a checkpoint that can be read without running code found in it"
    )


def _harmless() -> list[Any]:
    """Return the classes of which a training configuration consists. They hold values; reading them runs no code."""
    base, nodes = library("omegaconf.base", NAME, INSTALL), library("omegaconf.nodes", NAME, INSTALL)
    top = library("omegaconf", NAME, INSTALL)
    values = [getattr(nodes, f"{kind}Node") for kind in ("Any", "Integer", "Float", "Boolean", "String")]
    plain = [typing.Any, dict, list, tuple, int, float, str, bool, collections.defaultdict]
    return [top.DictConfig, top.ListConfig, base.ContainerMetadata, base.Metadata, *values, *plain]


def _omegaconf_error() -> type[Exception]:
    error: type[Exception] = library("omegaconf.errors", NAME, INSTALL).OmegaConfBaseException
    return error


def _own_architecture(checkpoint: Any) -> dict[str, Any]:
    return dict(checkpoint.get("xp.cfg") or {}) if isinstance(checkpoint, Mapping) else {}


def _build(kind: str, config: Mapping[str, Any]) -> tuple[Any, int]:
    """Build an untrained network of an architecture; returns also its number of bits."""
    builder = library("audioseal.builder", NAME, INSTALL)
    parse = library("audioseal.loader", NAME, INSTALL).AudioSeal.parse_config
    settings, create = {
        "generator": (builder.AudioSealWMConfig, builder.create_generator),
        "detector": (builder.AudioSealDetectorConfig, builder.create_detector),
    }[kind]
    parsed = parse(dict(config), config_type=settings, nbits=_DEFAULT_BITS)
    return create(parsed), int(parsed.nbits)


def _weights(checkpoint: Any) -> Mapping[str, Any]:
    if "best_state" in checkpoint:
        checkpoint = checkpoint["best_state"]
    weights: Mapping[str, Any] = checkpoint.get("model", checkpoint)
    return weights


def _fill(network: Any, weights: Mapping[str, Any], torch: Any) -> None:
    """Fill every weight of the network from the checkpoint; KeyError where one is missing. Ignores other weights."""
    named = _plain({_OLD_NAME.sub(r".\1.inner_conv.", name): value for name, value in weights.items()}, torch)
    network.load_state_dict({name: named[name] for name in network.state_dict()})


def _plain(weights: dict[str, Any], torch: Any) -> dict[str, Any]:
    """Multiply out weight normalization: w = g v / |v|, with the norm over all but the first dimension."""
    plain = dict(weights)
    for gain, direction in _NORMALIZED:
        for name in [name for name in weights if name.endswith(f".{gain}")]:
            prefix = name.removesuffix(gain)
            g, v = plain.pop(name), plain.pop(prefix + direction)
            norm = torch.linalg.vector_norm(v, dim=tuple(range(1, v.ndim)), keepdim=True)
            plain[f"{prefix}weight"] = v * (g / norm)
    return plain
