"""Judge whether a clip's length is possible for its text, before any recognizer runs.

This finds truncated and run-away speech for free. The limits are wide on purpose: only durations that no speaker
produces are rejected here, and the error rate judges the rest.
"""

import unicodedata
from dataclasses import dataclass

from manifests.reasons import Reason
from pipeline.scoring.normalize import metric


@dataclass(frozen=True, slots=True)
class DurationLimits:
    """The range of credible speaking rates, and the silence that a clip may hold.

    `slowest` and `fastest` are letters per second where words are spaced, and syllables (characters) per second where
    they are not. `pause_s` is the silence at the ends in seconds, whatever the length.
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
class _SpokenLength:
    """The fewest and the most letters (or syllables) that one character of a kind is said with."""

    fewest: float
    most: float


# "1000000" is said with 10 letters or 3 syllables, "777" with 24 letters, "25%" with 17 letters or 6 syllables.
_LETTERS_SAID = {"letter": _SpokenLength(1, 1), "digit": _SpokenLength(1, 8), "symbol": _SpokenLength(0, 8)}
# A Latin letter in Chinese text is a third of a syllable in a word and a whole one (W: three) in an initialism.
_SYLLABLES_SAID = {
    "letter": _SpokenLength(0.25, 1),
    "wide": _SpokenLength(1, 1),
    "digit": _SpokenLength(0.4, 2),
    "symbol": _SpokenLength(0, 3),
}

# The first of the East Asian blocks, whose letters are syllables; the letters of Thai or Khmer are not.
_FIRST_WIDE = "\u2e80"


def default_limits(language: str) -> DurationLimits:
    """Return the limits for syllables where words are not spaced, else those for letters."""
    return UNSPACED_LIMITS if metric(language) == "cer" else SPACED_LIMITS


def expected_duration(text: str, language: str, limits: DurationLimits | None = None) -> tuple[float, float]:
    """Return the shortest and the longest credible duration of the text, in seconds.

    Takes the text as it was given to the synthesizer: normalized text has lost the words that are said for "1,000 %".
    """
    limits = limits or default_limits(language)
    table = _SYLLABLES_SAID if metric(language) == "cer" else _LETTERS_SAID
    fewest = most = 0.0
    for character in unicodedata.normalize("NFKC", text):
        kind = _kind(character)
        said = table.get(kind) or table.get("letter" if kind == "wide" else "")
        if said:
            fewest += said.fewest
            most += said.most
    return fewest / limits.fastest, most / limits.slowest + limits.pause_s


def duration_reason(
    text: str, language: str, num_samples: int, sample_rate: int, limits: DurationLimits | None = None
) -> Reason | None:
    """Return TOO_SHORT, TOO_LONG_SPEECH, or None if a clip of `num_samples` at `sample_rate` Hz is credible.

    A clip without samples is too short for any text. Raises ValueError for a rate that is not positive.
    """
    if sample_rate <= 0:
        raise ValueError(f"a sample rate must be positive, not {sample_rate}")
    shortest, longest = expected_duration(text, language, limits)
    duration_s = num_samples / sample_rate
    if duration_s < shortest or num_samples <= 0:
        return Reason.TOO_SHORT
    return Reason.TOO_LONG_SPEECH if duration_s > longest else None


def _kind(character: str) -> str:
    """Return "letter", "wide" (a letter that is a syllable), "digit", "symbol" (may be said), or "" for no sound."""
    category = unicodedata.category(character)
    if category[0] == "L":
        return "letter" if character < _FIRST_WIDE else "wide"
    if category == "Nd":
        return "digit"
    return "symbol" if category[0] in "SN" or character in "%‰&@#/*" else ""
