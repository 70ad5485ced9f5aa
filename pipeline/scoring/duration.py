"""Whether a clip's length is possible for its text, before any recognizer is asked.

Finds truncated and run-away speech for free. The limits are wide on purpose: only what no speaker does is rejected
here, the error rate judges the rest.
"""

import unicodedata
from dataclasses import dataclass

from manifests.reasons import Reason
from pipeline.scoring.normalize import metric


@dataclass(frozen=True, slots=True)
class DurationLimits:
    """Speaking rates between which speech is believed, and the silence that a clip may hold.

    `slowest` and `fastest` are units per second; a unit is a letter where words are spaced, a syllable (one character)
    where they are not. `pause_s` is silence at the ends, whatever the length.
    """

    slowest: float
    fastest: float
    pause_s: float


# English is read at 12 to 15 letters per second (150 to 190 words of 4.8 letters a minute), Mandarin at 4 to 6
# syllables; eSpeak NG stays inside the limits in both languages from 100 to 300 words per minute. The limits are about
# twice the fast end, for voices that are sped up, and a third of the slow end, for slow voices and pauses. NeMo
# Curator's `max_char_rate`, 40 characters per second, finds hallucinated transcripts; as a limit for speech it would
# let half of a clip be cut off.
SPACED_LIMITS = DurationLimits(slowest=4.0, fastest=28.0, pause_s=2.0)
UNSPACED_LIMITS = DurationLimits(slowest=1.4, fastest=11.0, pause_s=2.0)


@dataclass(frozen=True, slots=True)
class _Units:
    """Fewest and most units that one character of a kind can be said with."""

    fewest: float
    most: float


# "1000000" is said with 10 letters or 3 syllables, "777" with 24 letters, "25%" with 17 letters or 6 syllables.
_SPACED_UNITS = {"letter": _Units(1, 1), "digit": _Units(1, 8), "symbol": _Units(0, 8)}
# A Latin letter in Chinese text is a third of a syllable in a word and a whole one (W: three) in an initialism.
_UNSPACED_UNITS = {"letter": _Units(0.25, 1), "wide": _Units(1, 1), "digit": _Units(0.4, 2), "symbol": _Units(0, 3)}


# The first of the East Asian blocks, whose letters are syllables; the letters of Thai or Khmer are not.
_FIRST_WIDE = "\u2e80"


def default_limits(language: str) -> DurationLimits:
    return UNSPACED_LIMITS if metric(language) == "cer" else SPACED_LIMITS


def expected_duration(text: str, language: str, limits: DurationLimits | None = None) -> tuple[float, float]:
    """The shortest and the longest believable duration of the text, in seconds.

    Works on the text as it was given to the synthesizer: normalised text has lost what is said for "1,000 %".
    """
    limits = limits or default_limits(language)
    table = _UNSPACED_UNITS if metric(language) == "cer" else _SPACED_UNITS
    fewest = most = 0.0
    for character in unicodedata.normalize("NFKC", text):
        kind = _kind(character)
        units = table.get(kind) or table.get("letter" if kind == "wide" else "")
        if units:
            fewest += units.fewest
            most += units.most
    return fewest / limits.fastest, most / limits.slowest + limits.pause_s


def duration_reason(
    text: str, language: str, num_samples: int, sample_rate: int, limits: DurationLimits | None = None
) -> Reason | None:
    """TOO_SHORT, TOO_LONG_SPEECH, or None where a clip of `num_samples` at `sample_rate` Hz is believable.

    A clip without samples is too short for any text. Raises ValueError for a rate that is not positive.
    """
    if sample_rate <= 0:
        raise ValueError(f"a sample rate is positive, not {sample_rate}")
    shortest, longest = expected_duration(text, language, limits)
    duration_s = num_samples / sample_rate
    if duration_s < shortest or num_samples <= 0:
        return Reason.TOO_SHORT
    return Reason.TOO_LONG_SPEECH if duration_s > longest else None


def _kind(character: str) -> str:
    """letter, wide (a letter that is a syllable), digit, symbol (may be said), or "" for what has no sound."""
    category = unicodedata.category(character)
    if category[0] == "L":
        return "letter" if character < _FIRST_WIDE else "wide"
    if category == "Nd":
        return "digit"
    return "symbol" if category[0] in "SN" or character in "%‰&@#/*" else ""
