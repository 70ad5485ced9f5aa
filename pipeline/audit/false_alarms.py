"""Count how often the detector finds a mark in recordings that have none, and say what that shows.

A false-positive rate of 1e-4 cannot be read off some hundred clips. What can be stated is an exact interval
(Clopper-Pearson, 95 %): its upper end falls below 1e-4 only after 36,887 recordings without a single false alarm.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipeline.audit.detect import MarkScore, in_batches
from pipeline.audit.rates import CONFIDENCE, Proportion, rate, rate_at, threshold_at
from pipeline.engines.contract import Clip
from pipeline.engines.watermark._message import bit_errors

TARGET = 1e-4
"""The false-positive rate that is asked about."""


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """What the detector finds in recordings without a mark.

    `at_recipe` counts those that reach the recipe's threshold, `with_message` those of them that carry the corpus's
    message too (None if the method has no message). `unmeasured` recordings are those that the detector failed on;
    they are counted nowhere else. `shown` says whether the interval of `at_recipe` lies below `target` as a whole, and
    `needed` how many recordings without a false alarm show that. `threshold_at_target` is the threshold that at most
    that share of the recordings reaches, None where they are fewer than 1 / target; `marked_at_target` counts the
    corpus's clips that reach it.
    """

    recordings: int
    unmeasured: int
    at_recipe: Proportion
    with_message: Proportion | None
    target: float
    shown: bool
    needed: int
    threshold_at_target: float | None
    marked_at_target: Proportion | None


def count_false_alarms(
    recordings: Iterable[Clip],
    detect: Callable[[Sequence[Clip]], list[MarkScore]],
    threshold: float,
    is_own_message: Callable[[str | None], bool] | None,
    marked_scores: Sequence[float],
    target: float = TARGET,
) -> FalseAlarms:
    """Look for the mark in every recording. Memory grows by one number for each.

    `is_own_message` tells whether a message is the corpus's; None: the method carries none. `marked_scores` are those
    of the corpus's clips.
    """
    scores: list[float] = []
    unmeasured = own = 0
    for some in in_batches(recordings):
        for found in detect(some):
            if found.failed:
                unmeasured += 1
                continue
            scores.append(found.score)
            own += is_own_message is not None and found.score >= threshold and is_own_message(found.message)
    at_recipe = rate_at(scores, threshold)
    at_target = threshold_at(scores, target) if len(scores) * target >= 1 else None
    return FalseAlarms(
        recordings=len(scores) + unmeasured,
        unmeasured=unmeasured,
        at_recipe=at_recipe,
        with_message=None if is_own_message is None else rate(own, len(scores)),
        target=target,
        shown=at_recipe.high <= target,
        needed=clips_needed(target),
        threshold_at_target=at_target,
        marked_at_target=None if at_target is None else rate_at(marked_scores, at_target),
    )


def clips_needed(target: float) -> int:
    """Return how many clips without a false alarm bring the upper end of the exact interval to `target`."""
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log1p(-target))


def own_message(message: int, bits: int, allowed: int) -> Callable[[str | None], bool] | None:
    """Return a test for the corpus's message with at most `allowed` wrong bits; None where there are no bits."""
    return (lambda found: bit_errors(found, message, bits) <= allowed) if bits else None
