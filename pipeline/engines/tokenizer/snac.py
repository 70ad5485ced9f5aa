"""SNAC, whose books have f, 2f and 4f frames (and 8f at 32 and 44.1 kHz), by the package of its authors.

A checkpoint is config.json with pytorch_model.bin, as published, or with model.safetensors.
"""

import json
from pathlib import Path
from typing import Any, Literal

from manifests.errors import EngineUnavailable
from manifests.libraries import library, library_version
from pipeline.engines.contract import Engine
from pipeline.engines.shared.random_state import random_state_kept
from pipeline.engines.tokenizer._checkpoint import (
    BROKEN,
    INSTALL,
    TokenizerCheckpoint,
    directory_of,
    revision_of,
    state_of,
    unloadable,
)
from pipeline.engines.tokenizer._encoding import Books
from pipeline.engines.tokenizer._network import NetworkTokenizer

NAME = "snac"

_CONFIG, _WEIGHTS = "config.json", "pytorch_model.bin"


class SnacModel(TokenizerCheckpoint):
    """SNAC at 24, 32 or 44.1 kHz: config.json and its weights."""

    engine: Literal["snac"]


def version(model: SnacModel | None = None) -> str:
    """Return the package's version, after the checkpoint's name and revision if one is given.

    Raises EngineUnavailable where the package is missing.
    """
    of_library = f"snac {library_version('snac', NAME, INSTALL)}"
    return f"{revision_of(model, NAME)} {of_library}" if model else of_library


class Snac(NetworkTokenizer):
    """`tokenizer` names the rate: snac-24khz, snac-32khz, snac-44khz."""

    name = NAME

    def __init__(self, model: SnacModel) -> None:
        """Load the checkpoint. Raises EngineUnavailable for one that is missing or of another kind."""
        super().__init__(model, version(model))
        network = _load(self._torch, directory_of(model, NAME, (_CONFIG, _WEIGHTS, "model.safetensors")), model)
        self._network = network.to(self._device).eval()
        self.sample_rate = int(network.sampling_rate)
        self.tokenizer = f"snac-{self.sample_rate // 1000}khz"
        self.hop_length = int(network.hop_length) * int(network.vq_strides[0])
        self.codebook_size = int(network.codebook_size)

    def _encode(self, wave: Any) -> Books:
        return [book[0].cpu().numpy() for book in self._network.encode(wave[None, None])]

    def _decode(self, codes: Any) -> Any:
        with random_state_kept(seed=0):  # the decoder adds noise
            return self._network.decode([book[None] for book in codes])[0, 0]


def _load(torch: Any, directory: Path, model: SnacModel) -> Any:
    snac = library("snac", NAME, INSTALL)
    try:
        network = snac.SNAC(**json.loads((directory / _CONFIG).read_text(encoding="utf-8")))
    except BROKEN as error:
        raise unloadable(NAME, model, error) from None
    state = state_of(torch, directory, _WEIGHTS, NAME, model)
    try:
        network.load_state_dict(state)
    except BROKEN:
        raise EngineUnavailable(f"the weights of the model {model.label} do not fit its {_CONFIG}") from None
    return network


ENGINE = Engine("tokenizer", NAME, "SNAC, 3 or 4 books", open=Snac, version=version, settings=SnacModel)
