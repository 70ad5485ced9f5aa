"""SpeechTokenizer: 8 books at 50 Hz, the first of which was taught by HuBERT (AnyGPT reads that one, or all).

A checkpoint is config.json with SpeechTokenizer.pt. The package `speechtokenizer` imports its training code with the
network, and with it packages that nobody needs who encodes; here the training code stays outside, so that
`pip install --no-deps speechtokenizer==1.0.1` is enough.
"""

import contextlib
import json
import math
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Literal

from pydantic import Field

from manifests.errors import EngineUnavailable
from manifests.libraries import library, library_version
from pipeline.engines.contract import Engine
from pipeline.engines.tokenizer._checkpoint import (
    BROKEN,
    TokenizerCheckpoint,
    directory_of,
    revision_of,
    state_of,
    unloadable,
)
from pipeline.engines.tokenizer._encoding import Books
from pipeline.engines.tokenizer._network import NetworkTokenizer

NAME = "speechtokenizer"

_INSTALL = "pip install --no-deps speechtokenizer==1.0.1"
_CONFIG, _WEIGHTS = "config.json", "SpeechTokenizer.pt"
_TRAINER = f"{NAME}.trainer"


class SpeechTokenizerCheckpoint(TokenizerCheckpoint):
    """SpeechTokenizer: config.json and SpeechTokenizer.pt."""

    engine: Literal["speechtokenizer"]
    codebooks: int = Field(8, ge=1, description="books that are kept, the first ones; the first is semantic")


def version(model: SpeechTokenizerCheckpoint | None = None) -> str:
    """Return the package's version, after the checkpoint's name and revision if one is given.

    Raises EngineUnavailable where the package is missing.
    """
    of_library = f"{NAME} {library_version(NAME, NAME, _INSTALL)}"
    return f"{revision_of(model, NAME)} {of_library}" if model else of_library


class SpeechTokenizerCodec(NetworkTokenizer):
    name = NAME
    tokenizer = NAME

    def __init__(self, model: SpeechTokenizerCheckpoint) -> None:
        """Load the checkpoint.

        Raises EngineUnavailable for one that is missing, is of another kind, or has fewer books.
        """
        super().__init__(model, version(model))
        network = _load(self._torch, model)
        if model.codebooks > network.n_q:
            raise EngineUnavailable(
                f"the model {model.label} has {network.n_q} books, not {model.codebooks}: set codebooks"
            )
        self._network, self._books = network.to(self._device).eval(), model.codebooks
        self.sample_rate, self.hop_length = int(network.sample_rate), int(network.downsample_rate)
        self.codebook_size = int(network.quantizer.bins)

    def _encode(self, wave: Any) -> Books:
        return list(self._network.encode(wave[None, None], n_q=self._books)[:, 0].cpu().numpy())

    def _decode(self, codes: Any) -> Any:
        return self._network.decode(self._torch.stack(codes)[:, None])[0, 0]


def _load(torch: Any, model: SpeechTokenizerCheckpoint) -> Any:
    directory = directory_of(model, NAME, (_CONFIG, _WEIGHTS, "model.safetensors"))
    with without_trainer():
        package = library(NAME, NAME, _INSTALL)
    try:
        config = json.loads((directory / _CONFIG).read_text(encoding="utf-8"))
        network = package.SpeechTokenizer(config)
        math.prod(config["strides"])
    except (*BROKEN, AssertionError) as error:
        raise unloadable(NAME, model, error) from None
    state = state_of(torch, directory, _WEIGHTS, NAME, model)
    try:
        network.load_state_dict(state)
    except BROKEN:
        raise EngineUnavailable(f"the weights of the model {model.label} do not fit its {_CONFIG}") from None
    return network


@contextlib.contextmanager
def without_trainer() -> Iterator[None]:
    """Let the package be imported without its training code, unless that was imported already."""
    if NAME in sys.modules:
        yield
        return
    stand_in = ModuleType(_TRAINER, "Stands for training code, which is not needed here.")
    stand_in.__dict__["SpeechTokenizerTrainer"] = None
    sys.modules[_TRAINER] = stand_in
    try:
        yield
    finally:
        del sys.modules[_TRAINER]


ENGINE = Engine(
    "tokenizer",
    NAME,
    "SpeechTokenizer, 8 books, the first semantic",
    open=SpeechTokenizerCodec,
    version=version,
    settings=SpeechTokenizerCheckpoint,
)
