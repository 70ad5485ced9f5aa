"""Brings clips to a tokenizer's rate one by one, and checks the codes that come out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import EngineDied
from manifests.reasons import Reason
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Codes, Failure, Samples

Books = Sequence[npt.NDArray[np.integer[Any]]]
"""The codes of one clip as a network gives them: an array [frames] for each book."""

Encode = Callable[[Samples], Books]

NOT_TOKENIZED = Reason.MEASUREMENT_FAILED
"""The reason, of the rows' closed list, why a clip has no tokens."""


def tokenize_each(
    clips: Sequence[Clip], encode: Encode, name: str, sample_rate: int, codebook_size: int, min_samples: int = 1
) -> list[Codes | Failure]:
    """Encode each clip by `encode`, which gets float32 [T] at `sample_rate`, `min_samples` of them or more.

    A clip that is empty, too short, or holds NaN or infinite samples is a `Failure`. Raises EngineDied where the
    network stops, or gives what is no code of its codebook.
    """
    return [_tokenize(clip, encode, name, sample_rate, codebook_size, min_samples) for clip in clips]


def _tokenize(
    clip: Clip, encode: Encode, name: str, sample_rate: int, codebook_size: int, min_samples: int
) -> Codes | Failure:
    samples = _samples_at(clip, sample_rate, min_samples)
    if isinstance(samples, Failure):
        return samples
    try:
        books = encode(samples)
    except RuntimeError as error:  # what all errors of PyTorch are
        raise EngineDied(f"{name} stopped: {str(error).splitlines()[0]}") from error
    for number, book in enumerate(books):
        if not len(book):
            return Failure(NOT_TOKENIZED, f"the clip gives no token in book {number}")
        if book.min() < 0 or book.max() >= codebook_size:
            worst = book.min() if book.min() < 0 else book.max()
            raise EngineDied(f"{name} gave the code {worst} in book {number}, but its codebook has {codebook_size}")
    return tuple(tuple(book.tolist()) for book in books)


def _samples_at(clip: Clip, sample_rate: int, min_samples: int) -> Samples | Failure:
    if not len(clip.samples):
        return Failure(NOT_TOKENIZED, "the clip is empty")
    if not np.isfinite(clip.samples).all():
        return Failure(NOT_TOKENIZED, "the clip holds NaN or infinite samples")
    samples = np.ascontiguousarray(resample(clip.samples, clip.sample_rate, sample_rate), np.float32)
    if len(samples) < min_samples:
        return Failure(NOT_TOKENIZED, f"the clip is shorter than the {min_samples / sample_rate:.3f} s of one token")
    return samples
