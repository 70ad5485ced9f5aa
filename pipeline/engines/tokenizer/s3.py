"""S3, the tokenizers of CosyVoice 1, 2 and 3, as their ONNX graphs: nothing but onnxruntime is needed.

A graph takes Whisper's log mel energies, [1, 128, frames] of 10 ms, and their number, and gives one code for each 2 or
4 of them. CosyVoice's own front end refuses clips over 30 s, for which the graphs are not made. Here such a clip is
heard in windows of 30 s that overlap by 4 s, and each window counts up to the middle of an overlap, as in the package
s3tokenizer.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from manifests.errors import EngineUnavailable
from manifests.libraries import library_version
from pipeline.engines.contract import Clip, Codes, Engine, Failure, Samples
from pipeline.engines.shared.onnx import OnnxSession
from pipeline.engines.shared.whisper_mel import HOP, SAMPLE_RATE, log_mel
from pipeline.engines.tokenizer._checkpoint import INSTALL, TokenizerCheckpoint, license_of, revision_of
from pipeline.engines.tokenizer._encoding import Books, tokenize_each
from pipeline.weights.cache import locate

NAME = "s3"

BINS = 128
MIN_SAMPLES = 400
_WINDOW, _OVERLAP = 3000, 400
"""Frames of 10 ms."""

S3Version = Literal["v1", "v1-25hz", "v2", "v3"]

_FRAMES_PER_CODE: dict[S3Version, int] = {"v1": 2, "v1-25hz": 4, "v2": 4, "v3": 4}
_CODES: dict[S3Version, int] = {"v1": 4096, "v1-25hz": 4096, "v2": 6561, "v3": 6561}


class S3Model(TokenizerCheckpoint):
    """The file speech_tokenizer_v1.onnx, _v2.onnx or _v3.onnx, or the CosyVoice directory that holds it."""

    engine: Literal["s3"]
    codes: S3Version = Field(
        description="v1: CosyVoice-300M, 50 codes a second; v1-25hz: CosyVoice-300M-25Hz; v2, v3: CosyVoice 2 and 3"
    )


def version(model: S3Model | None = None) -> str:
    """Return onnxruntime's version, after the checkpoint's name and revision if one is given.

    Raises EngineUnavailable where onnxruntime is missing.
    """
    of_library = f"onnxruntime {library_version('onnxruntime', NAME, INSTALL)}"
    return f"{revision_of(model, NAME)} {of_library}" if model else of_library


class S3:
    """`tokenizer` names the version: s3-v1, s3-v1-25hz, s3-v2, s3-v3."""

    name = NAME
    decodes = False
    sample_rate = SAMPLE_RATE

    def __init__(self, model: S3Model) -> None:
        """Load the graph. Raises EngineUnavailable for a missing file, and a graph of another kind or version."""
        self.version = version(model)
        device = "cpu" if model.serving.device == "auto" else model.serving.device.partition(":")[0]
        if device not in ("cpu", "cuda"):
            raise EngineUnavailable(f"{NAME} runs on cpu or cuda, not on {model.serving.device!r}")
        self._session = OnnxSession(_graph(model), model.label, NAME, INSTALL, device)
        self._features, self._length = _inputs(self._session, model)
        self._frames_per_code = _FRAMES_PER_CODE[model.codes]
        self.tokenizer = f"{NAME}-{model.codes}"
        self.revision, self.license = revision_of(model, NAME), license_of(model)
        self.hop_length, self.codebook_size = self._frames_per_code * HOP, _CODES[model.codes]
        found = len(self._run(np.zeros((BINS, 100), np.float32)))
        if found != 100 // self._frames_per_code:
            raise EngineUnavailable(
                f"{model.label} is not the graph of S3 {model.codes}: it gives {found} codes a second, "
                f"not {100 // self._frames_per_code}"
            )

    def tokenize(self, clips: Sequence[Clip]) -> list[Codes | Failure]:
        """Encode clips; those shorter than 25 ms, the window of the features, are a `Failure`."""
        return tokenize_each(clips, self._encode, NAME, SAMPLE_RATE, self.codebook_size, MIN_SAMPLES)

    def decode(self, codes: Sequence[Codes]) -> list[Clip]:
        raise NotImplementedError(f"{NAME} does not decode")

    def _encode(self, samples: Samples) -> Books:
        features = log_mel(samples, BINS)
        parts = [self._run(features[:, start:end])[cut] for start, end, cut in self._windows(features.shape[1])]
        return [np.concatenate(parts)]

    def _windows(self, frames: int) -> Iterator[tuple[int, int, slice]]:
        """Yield first and last + 1 frame of each window, and which of its codes count."""
        half = _OVERLAP // 2 // self._frames_per_code
        start = 0
        while True:
            end = min(start + _WINDOW, frames)
            yield start, end, slice(half if start else 0, None if end == frames else -half)
            if end == frames:
                return
            start += _WINDOW - _OVERLAP

    def _run(self, features: Samples) -> "np.ndarray[tuple[int], np.dtype[np.integer[Any]]]":
        length = np.array([features.shape[1]], np.int32)
        (codes, *_) = self._session.run(None, {self._features: features[None], self._length: length})
        return np.asarray(codes).reshape(-1)


def _graph(model: S3Model) -> Path:
    file = f"speech_tokenizer_{model.codes.partition('-')[0]}.onnx"
    path = Path(locate(model.model, NAME)).expanduser()
    path = path / file if path.is_dir() else path
    if not path.is_file():
        raise EngineUnavailable(f"{NAME} finds no {file} under {model.label}: name the file, or CosyVoice's directory")
    return path


def _inputs(session: OnnxSession, model: S3Model) -> tuple[str, str]:
    """Find the names of the graph's inputs: features, float [1, 128, frames], and their number, int32 [1]."""
    names = list(session.inputs)
    if len(names) == 2 and session.input_types[names[1]] == "tensor(int32)":
        shape = session.inputs[names[0]]
        if len(shape) == 3 and (shape[1] == BINS or not isinstance(shape[1], int)):
            return names[0], names[1]
    raise EngineUnavailable(f"{model.label} is not a graph of an S3 tokenizer: its inputs are {session.inputs}")


ENGINE = Engine("tokenizer", NAME, "S3 of CosyVoice 1, 2, 3", open=S3, version=version, settings=S3Model)
