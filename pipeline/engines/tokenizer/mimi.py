"""Mimi, Moshi's codec, of transformers: 12.5 frames a second, the first book semantic."""

from typing import Any, Literal

from pydantic import Field

from manifests.errors import EngineUnavailable
from manifests.libraries import library_version
from pipeline.engines.contract import Engine
from pipeline.engines.tokenizer._checkpoint import (
    INSTALL,
    TokenizerCheckpoint,
    directory_of,
    from_transformers,
    revision_of,
)
from pipeline.engines.tokenizer._encoding import Books
from pipeline.engines.tokenizer._network import NetworkTokenizer

NAME = "mimi"

_FILES = ("config.json", "*.safetensors", "preprocessor_config.json")


class MimiCheckpoint(TokenizerCheckpoint):
    """Mimi in the format of transformers (`MimiModel`)."""

    engine: Literal["mimi"]
    codebooks: int = Field(8, ge=1, le=32, description="books that are kept, the first ones; Moshi reads 8")


def version(model: MimiCheckpoint | None = None) -> str:
    """Return transformers' version, after the checkpoint's name and revision if one is given.

    Raises EngineUnavailable where transformers is missing.
    """
    of_library = f"transformers {library_version('transformers', NAME, INSTALL)}"
    return f"{revision_of(model, NAME)} {of_library}" if model else of_library


class Mimi(NetworkTokenizer):
    name = NAME
    tokenizer = NAME

    def __init__(self, model: MimiCheckpoint) -> None:
        """Load the checkpoint.

        Raises EngineUnavailable for one that is missing, is of another kind, or has fewer books.
        """
        super().__init__(model, version(model))
        network = from_transformers("MimiModel", directory_of(model, NAME, _FILES), NAME, model)
        config = network.config
        if model.codebooks > config.num_quantizers:
            raise EngineUnavailable(
                f"the model {model.label} has {config.num_quantizers} books, not {model.codebooks}: set codebooks"
            )
        self._network, self._books = network.to(self._device).eval(), model.codebooks
        self.sample_rate = int(config.sampling_rate)
        self.hop_length = round(config.sampling_rate / config.frame_rate)
        self.codebook_size = int(config.codebook_size)

    def _encode(self, wave: Any) -> Books:
        codes = self._network.encode(wave[None, None], num_quantizers=self._books).audio_codes
        return list(codes[0].cpu().numpy())

    def _decode(self, codes: Any) -> Any:
        return self._network.decode(self._torch.stack(codes)[None]).audio_values[0, 0]


ENGINE = Engine("tokenizer", NAME, "Mimi, the codec of Moshi", open=Mimi, version=version, settings=MimiCheckpoint)
