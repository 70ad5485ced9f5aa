"""Checks the clips that go into a speaker encoder, and scales the vectors that come out where they are to be scaled.

Clips are encoded one by one. Padding them to a common length changes their embeddings in every model family we tried,
even with lengths and attention masks given (docs/speaker-encoders.md has the figures), and then a clip's embedding
would depend on its neighbors in the batch. `encoder_batches` has batches of networks that are mended for them.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from manifests.errors import EngineDied
from manifests.reasons import Reason
from pipeline.audio.levels import level_dbfs
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Failure, Samples

SAMPLE_RATE = 16_000

MIN_S = 0.5
"""Shorter clips are refused: there is less than a syllable or two in them, and little of a voice (measured, see
docs/speaker-encoders.md)."""

SILENCE_DBFS = -80.0
"""A clip below this level (RMS) is silence: in a 16-bit file it uses no more than the last two bits."""

UNMEASURABLE = Reason.MEASUREMENT_FAILED
"""The reason, of the rows' closed list, why a clip has no embedding or score."""

Embed = Callable[[Samples], npt.ArrayLike | Failure]


def encode_each(
    clips: Sequence[Clip],
    embed: Embed,
    min_s: float = MIN_S,
    max_s: float = np.inf,
    sample_rate: int = SAMPLE_RATE,
    keep_norm: bool = False,
) -> list[Samples | Failure]:
    """Encode each clip by `embed`, at `sample_rate`, and scale the vector to length 1; a `Failure` where that fails.

    With `keep_norm` the vector stays as it is.

    `embed` takes float32 [T] and returns [D] or a `Failure`. Its RuntimeErrors (which all errors of PyTorch are) mean
    that the engine is broken, and become EngineDied.
    """
    finish = raw_vector if keep_norm else unit_vector
    return [_encode(clip, embed, finish, (min_s, max_s), sample_rate) for clip in clips]


def samples_16_khz(
    clip: Clip, min_s: float, max_s: float = np.inf, sample_rate: int = SAMPLE_RATE
) -> Samples | Failure:
    """Resample a clip to 16 kHz, or to `sample_rate`; a `Failure` for a wrong length, NaN or infinite
    samples, and silence."""
    seconds = len(clip.samples) / clip.sample_rate
    if not min_s <= seconds <= max_s:
        limit = f"at least {min_s:g} s" if seconds < min_s else f"at most {max_s:g} s"
        return Failure(UNMEASURABLE, f"the clip is {seconds:.2f} s long; it must be {limit}")
    if not np.isfinite(clip.samples).all():
        return Failure(UNMEASURABLE, "the clip holds NaN or infinite samples")
    if level_dbfs(clip.samples) < SILENCE_DBFS:
        return Failure(UNMEASURABLE, "the clip is silent")
    return np.ascontiguousarray(resample(clip.samples, clip.sample_rate, sample_rate), np.float32)


def unit_vector(vector: npt.ArrayLike) -> Samples | Failure:
    """Flatten a vector [..., D] and scale it to float32 of length 1; a `Failure` for NaN, infinity and all zeros."""
    raw = _flat(vector)
    return raw if isinstance(raw, Failure) else (raw / float(np.linalg.norm(raw))).astype(np.float32)


def raw_vector(vector: npt.ArrayLike) -> Samples | Failure:
    """Flatten a vector [..., D] to float32 as it is; a `Failure` for NaN, infinity and all zeros."""
    raw = _flat(vector)
    return raw if isinstance(raw, Failure) else raw.astype(np.float32)


def _flat(vector: npt.ArrayLike) -> npt.NDArray[np.float64] | Failure:
    flat = np.asarray(vector, np.float64).reshape(-1)
    length = float(np.linalg.norm(flat))
    if not np.isfinite(length) or length == 0:
        return Failure(UNMEASURABLE, "the encoder gave " + ("only zeros" if length == 0 else "NaN or infinity"))
    return flat


def _encode(
    clip: Clip,
    embed: Embed,
    finish: Callable[[npt.ArrayLike], Samples | Failure],
    limits_s: tuple[float, float],
    sample_rate: int,
) -> Samples | Failure:
    samples = samples_16_khz(clip, *limits_s, sample_rate)
    if isinstance(samples, Failure):
        return samples
    try:
        vector = embed(samples)
    except RuntimeError as error:
        raise EngineDied(f"the speaker encoder stopped: {error}") from error
    return vector if isinstance(vector, Failure) else finish(vector)
