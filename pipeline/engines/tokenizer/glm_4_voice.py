"""GLM-4-Voice's tokenizer: 12.5 codes a second of 16,384 (OpenS2S and Kimi-Audio read them).

A checkpoint is a directory of the hub's format: config.json and model.safetensors. Its code is not needed: the network
is in `_glm4_network.py`. As upstream, a clip over 30 s is heard in pieces of 30 s, without overlap.
"""

import json
from typing import Any, Literal

import numpy as np

from manifests.errors import EngineUnavailable
from manifests.libraries import library, library_version
from pipeline.engines.contract import Engine
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.engines.shared.whisper_mel import HOP, SAMPLE_RATE, log_mel
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

NAME = "glm-4-voice"

_CONFIG, _WEIGHTS = "config.json", "pytorch_model.bin"
_PIECE = 30 * SAMPLE_RATE


class Glm4VoiceCheckpoint(TokenizerCheckpoint):
    """The tokenizer of GLM-4-Voice: config.json and model.safetensors."""

    engine: Literal["glm-4-voice"]


def version(model: Glm4VoiceCheckpoint | None = None) -> str:
    """Return transformers' version, after the checkpoint's name and revision if one is given.

    Raises EngineUnavailable where transformers is missing.
    """
    of_library = f"transformers {library_version('transformers', NAME, INSTALL)}"
    return f"{revision_of(model, NAME)} {of_library}" if model else of_library


class Glm4Voice(NetworkTokenizer):
    name = NAME
    tokenizer = NAME
    decodes = False
    sample_rate = SAMPLE_RATE

    def __init__(self, model: Glm4VoiceCheckpoint) -> None:
        """Load the checkpoint. Raises EngineUnavailable for one that is missing or of another kind."""
        super().__init__(model, version(model))
        prepare_torchaudio()
        from pipeline.engines.tokenizer._glm4_network import VqEncoder

        directory = directory_of(model, NAME, (_CONFIG, "model.safetensors"))
        try:
            config = json.loads((directory / _CONFIG).read_text(encoding="utf-8"))
            network = VqEncoder(config)
        except (*BROKEN, library("huggingface_hub.errors", NAME, INSTALL).StrictDataclassError) as error:
            raise unloadable(NAME, model, error) from None
        state = state_of(self._torch, directory, _WEIGHTS, NAME, model)
        try:
            network.load(state)
        except BROKEN:
            raise EngineUnavailable(f"the weights of the model {model.label} do not fit its {_CONFIG}") from None
        self._network = network.to(self._device).eval()
        self._bins, self._step = network.conv1.in_channels, 2 * network.pooling
        self.hop_length, self.codebook_size = self._step * HOP, network.codebook.num_embeddings

    def _encode(self, wave: Any) -> Books:
        pieces = [self._piece(wave[start : start + _PIECE]) for start in range(0, len(wave), _PIECE)]
        return [np.concatenate(pieces)]

    def _piece(self, wave: Any) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        samples = wave.cpu().numpy()
        padded = np.pad(samples, (0, -len(samples) % self.hop_length))
        features = self._torch.from_numpy(log_mel(padded, self._bins)).to(self._device)
        codes: np.ndarray[tuple[int], np.dtype[np.int64]] = (
            self._network(features, -(-len(samples) // HOP)).cpu().numpy()
        )
        return codes


ENGINE = Engine(
    "tokenizer",
    NAME,
    "the tokenizer of GLM-4-Voice",
    open=Glm4Voice,
    version=version,
    settings=Glm4VoiceCheckpoint,
)
