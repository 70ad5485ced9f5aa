"""What the predictors of a single score share."""

from collections.abc import Callable, Mapping

import numpy as np

from pipeline.engines.contract import Clip, Failure, Samples
from pipeline.engines.shared.clips import UNMEASURABLE, samples_16_khz


def one_score(
    name: str, clip: Clip, least_s: float, rate: Callable[[Samples], float]
) -> Mapping[str, float] | Failure:
    """Return {name: score} of a clip; a `Failure` if it is shorter than `least_s`, silent, or gives no finite score.

    `rate` is given samples [T] at 16 kHz.
    """
    samples = samples_16_khz(clip, least_s)
    if isinstance(samples, Failure):
        return samples
    score = rate(samples)
    return {name: score} if np.isfinite(score) else Failure(UNMEASURABLE, "the clip's score is NaN or infinite")
