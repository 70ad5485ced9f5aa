"""Whether a clip's length is possible for its text, before any recogniser is asked."""

from dataclasses import dataclass

from manifests.reasons import Reason
from pipeline.scoring.normalize import metric


@dataclass(frozen=True, slots=True)
class DurationLimits:
    """Speaking rates between which speech is believed, in units per second, and the silence that is allowed.

    A unit is a character with a sound: a letter, or one digit. `pause_s` is silence at the ends and between
    sentences that a short clip may hold beyond its slowest reading.
    """

    slowest: float
    fastest: float
    pause_s: float


# NeMo Curator takes more than 40 characters per second for a hallucination.
SPACED_LIMITS = DurationLimits(slowest=4.0, fastest=40.0, pause_s=2.0)
UNSPACED_LIMITS = DurationLimits(slowest=1.2, fastest=12.0, pause_s=2.0)


def default_limits(language: str) -> DurationLimits:
    return UNSPACED_LIMITS if metric(language) == "cer" else SPACED_LIMITS


def expected_duration(text: str, language: str, limits: DurationLimits | None = None) -> tuple[float, float]:
    """The shortest and the longest believable duration of the text, in seconds."""
    limits = limits or default_limits(language)
    units = float(sum(map(str.isalnum, text)))
    return units / limits.fastest, units / limits.slowest + limits.pause_s


def duration_reason(
    text: str, language: str, num_samples: int, sample_rate: int, limits: DurationLimits | None = None
) -> Reason | None:
    """TOO_SHORT, TOO_LONG_SPEECH, or None where the duration is believable."""
    shortest, longest = expected_duration(text, language, limits)
    duration_s = num_samples / sample_rate
    if duration_s < shortest:
        return Reason.TOO_SHORT
    return Reason.TOO_LONG_SPEECH if duration_s > longest else None
