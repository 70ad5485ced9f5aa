"""EnCodec, of transformers, mono: 75 frames a second at 24 kHz, 50 in the 32 kHz checkpoint of music models."""

import math
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

NAME = "encodec"

_FILES = ("config.json", "*.safetensors", "preprocessor_config.json")


class EncodecCheckpoint(TokenizerCheckpoint):
    """EnCodec in the format of transformers (`EncodecModel`), mono."""

    engine: Literal["encodec"]
    kbit_per_s: float | None = Field(
        None, gt=0, description="bandwidth, which decides the number of books: 6 means 8 at 24 kHz; none: the lowest"
    )


def version(model: EncodecCheckpoint | None = None) -> str:
    """Return transformers' version, after the checkpoint's name and revision if one is given.

    Raises EngineUnavailable where transformers is missing.
    """
    of_library = f"transformers {library_version('transformers', NAME, INSTALL)}"
    return f"{revision_of(model, NAME)} {of_library}" if model else of_library


class Encodec(NetworkTokenizer):
    """`tokenizer` names the rate: encodec-24khz, encodec-32khz."""

    name = NAME

    def __init__(self, model: EncodecCheckpoint) -> None:
        """Load the checkpoint.

        Raises EngineUnavailable for one that is missing, of another kind, not mono, or without this bandwidth.
        """
        super().__init__(model, version(model))
        network = from_transformers("EncodecModel", directory_of(model, NAME, _FILES), NAME, model)
        config = network.config
        if config.audio_channels != 1 or config.normalize or config.chunk_length_s is not None:
            raise EngineUnavailable(f"the model {model.label} encodes music in chunks, not mono speech as a whole")
        there = [float(each) for each in config.target_bandwidths]
        if model.kbit_per_s is not None and model.kbit_per_s not in there:
            has = ", ".join(f"{each:g}" for each in there)
            raise EngineUnavailable(
                f"the model {model.label} has bandwidths of {has} kbit/s, not {model.kbit_per_s:g}"
            )
        self._bandwidth = min(there) if model.kbit_per_s is None else model.kbit_per_s
        self._network = network.to(self._device).eval()
        self.sample_rate = int(config.sampling_rate)
        self.tokenizer = f"{NAME}-{self.sample_rate // 1000}khz"
        self.hop_length = math.prod(config.upsampling_ratios)
        self.codebook_size = int(config.codebook_size)

    def _encode(self, wave: Any) -> Books:
        codes = self._network.encode(wave[None, None], bandwidth=self._bandwidth).audio_codes
        return list(codes[0, 0].cpu().numpy())

    def _decode(self, codes: Any) -> Any:
        return self._network.decode(self._torch.stack(codes)[None, None], [None]).audio_values[0, 0]


ENGINE = Engine("tokenizer", NAME, "EnCodec, mono", open=Encodec, version=version, settings=EncodecCheckpoint)
