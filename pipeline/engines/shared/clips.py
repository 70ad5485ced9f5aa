"""What goes into a speaker encoder and what comes out, the same for all of them.

Clips go through one by one. Padding them to a common length changes their embeddings in every model family we tried,
with lengths and attention masks given (docs/speaker-encoders.md has the figures), and then a clip's embedding would
depend on its neighbors in the batch.
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
"""Below this level (RMS) a clip is silence: in a 16-bit file, no more than the last two bits are used."""

UNMEASURABLE = Reason.MEASUREMENT_FAILED
"""Why a clip has no embedding or score, in the closed list of rows' reasons."""

Embed = Callable[[Samples], npt.ArrayLike | Failure]


def encode_each(
    clips: Sequence[Clip], embed: Embed, min_s: float = MIN_S, max_s: float = np.inf
) -> list[Samples | Failure]:
    """For each clip what `embed` makes of its samples at 16 kHz, scaled to length 1; a `Failure` where that fails.

    `embed` gets float32 [T] and gives [D] or a `Failure`. Its RuntimeErrors (all those of PyTorch are) mean that the
    engine is broken: EngineDied.
    """
    return [_encode(clip, embed, min_s, max_s) for clip in clips]


def samples_16_khz(clip: Clip, min_s: float, max_s: float = np.inf) -> Samples | Failure:
    """The clip's samples at 16 kHz, or what is wrong with it: its length, values that are not finite, or silence."""
    seconds = len(clip.samples) / clip.sample_rate
    if not min_s <= seconds <= max_s:
        limit = f"{min_s:g} s at least" if seconds < min_s else f"{max_s:g} s at most"
        return Failure(UNMEASURABLE, f"the clip is {seconds:.2f} s long: {limit}")
    if not np.isfinite(clip.samples).all():
        return Failure(UNMEASURABLE, "the clip holds NaN or infinite samples")
    if level_dbfs(clip.samples) < SILENCE_DBFS:
        return Failure(UNMEASURABLE, "the clip is silent")
    return np.ascontiguousarray(resample(clip.samples, clip.sample_rate, SAMPLE_RATE), np.float32)


def unit_vector(vector: npt.ArrayLike) -> Samples | Failure:
    """The vector [..., D] flat, as float32 of length 1; a `Failure` where it holds NaN or infinity, or only zeros."""
    flat = np.asarray(vector, np.float64).reshape(-1)
    length = float(np.linalg.norm(flat))
    if not np.isfinite(length) or length == 0:
        return Failure(UNMEASURABLE, "the encoder gave " + ("only zeros" if length == 0 else "NaN or infinity"))
    return (flat / length).astype(np.float32)


def _encode(clip: Clip, embed: Embed, min_s: float, max_s: float) -> Samples | Failure:
    samples = samples_16_khz(clip, min_s, max_s)
    if isinstance(samples, Failure):
        return samples
    try:
        vector = embed(samples)
    except RuntimeError as error:
        raise EngineDied(f"the speaker encoder stopped: {error}") from error
    return vector if isinstance(vector, Failure) else unit_vector(vector)
