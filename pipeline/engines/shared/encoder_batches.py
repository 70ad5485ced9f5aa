"""Encodes clips in batches, where a batch gives what each clip alone gives, up to rounding.

A network that is not made for it takes the padding behind a shorter clip in. The engines see to that, each for its
kind of network (docs/speaker-encoders.md); here it is tried on clips of noise before it is trusted. On a CPU clips go
one by one: there a batch saves nothing, and rounding would make a corpus's bytes depend on it.
"""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from manifests.errors import EngineDied
from pipeline.engines.contract import Clip, Failure, Samples
from pipeline.engines.shared.batches import cut_batches
from pipeline.engines.shared.clips import MIN_S, SAMPLE_RATE, samples_16_khz, unit_vector

EmbedAll = Callable[[Sequence[Samples]], Sequence[npt.ArrayLike]]

LEAST_COSINE = 0.9999
"""What a batch may take from a vector: convolutions on a GPU round to 10 bits (TF32), in a batch and alone."""

_logger = logging.getLogger(__name__)


def encode_batches(
    clips: Sequence[Clip], embed: EmbedAll, batch_s: float, min_s: float = MIN_S, max_s: float = np.inf
) -> list[Samples | Failure]:
    """Encode clips in batches of at most `batch_s` seconds with padding (0: one by one); a `Failure` where it fails.

    `embed` takes samples [T] at 16 kHz, each clip's, and returns a vector [D] for each, which is scaled to length 1.
    Its RuntimeErrors mean that the engine is broken, and become EngineDied.
    """
    made: list[Samples | Failure] = [samples_16_khz(clip, min_s, max_s) for clip in clips]
    sound = {row: samples for row, samples in enumerate(made) if not isinstance(samples, Failure)}
    rows = list(sound)
    for batch in cut_batches([len(sound[row]) / SAMPLE_RATE for row in rows], batch_s):
        try:
            vectors = embed([sound[rows[index]] for index in batch])
        except RuntimeError as error:
            raise EngineDied(f"the speaker encoder stopped: {error}") from error
        for index, vector in zip(batch, vectors, strict=True):
            made[rows[index]] = unit_vector(vector)
    return made


def trusted_batch_s(batch_s: float, device: str, embed: EmbedAll, engine: str) -> float:
    """Return `batch_s` where a batch may be trusted, else 0: on a CPU, and where it gives other vectors.

    The latter is logged, for the user to see.
    """
    if device == "cpu":
        return 0.0
    if batch_agrees(embed):
        return batch_s
    _logger.warning("%s: this model gives other vectors in batches, so that clips go one by one, slowly", engine)
    return 0.0


def batch_agrees(embed: EmbedAll) -> bool:
    """Tell whether clips of noise, one of them much shorter, have the same vectors in a batch as alone."""
    noise = np.random.default_rng(0)
    clips = [noise.normal(0, 0.1, int(seconds * SAMPLE_RATE)).astype(np.float32) for seconds in (1.9, 0.6, 1.3)]
    alone = [np.asarray(embed([clip])[0], np.float64).reshape(-1) for clip in clips]
    together = [np.asarray(vector, np.float64).reshape(-1) for vector in embed(clips)]
    return all(_cosine(one, other) >= LEAST_COSINE for one, other in zip(alone, together, strict=True))


def _cosine(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
