"""Varies the prosody of synthesizers that have no randomness of their own, and refuses what they cannot speak.

Rule-based synthesizers say the same text in the same way each time. Another take is only worth scoring if it differs,
so the seed moves the speaking rate, the mean pitch and the pitch spread a little, as a person does between two takes.
"""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import soxr

from manifests.reasons import Reason
from manifests.schema import Word, WordTimes
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest

PROSODY_VERSION = 1
"""Part of the version of every engine that varies its prosody here: another mapping from seeds is another engine."""

MAX_CHARACTERS = 4000
"""About five minutes of speech. The C libraries were never seen to fail on shorter texts."""

_RATE_SPREAD = 0.03
_PITCH_SPREAD = 0.02
_RANGE_SPREAD = 0.15
_SLOWEST, _FASTEST = 0.4, 2.5


@dataclass(frozen=True, slots=True)
class Prosody:
    """Multipliers of the engine's own values for one clip: speaking rate, mean f0, and spread of f0 about its mean."""

    rate: float
    pitch: float
    spread: float


def vary_prosody(request: SpeechRequest) -> Prosody | Failure:
    """Multiply the voice's and the request's rate and pitch, varied by the seed.

    A `Failure` where the rate is outside what the engines can speak.
    """
    rate = request.voice.rate * request.rate
    if not _SLOWEST <= rate <= _FASTEST:
        return Failure(Reason.SYNTHESIS_FAILED, f"speaking rate {rate:g} is outside {_SLOWEST}..{_FASTEST}")
    one, two, three = _three_numbers(request.seed)
    return Prosody(
        rate=rate * (1 + _RATE_SPREAD * one),
        pitch=request.voice.pitch * (1 + _PITCH_SPREAD * two),
        spread=1 + _RANGE_SPREAD * three,
    )


def unspeakable(text: str) -> Failure | None:
    """Say why no synthesizer can speak a text: it is too long, has no letters or holds control characters."""
    if len(text) > MAX_CHARACTERS:
        return Failure(Reason.SYNTHESIS_FAILED, f"{len(text)} characters; the limit is {MAX_CHARACTERS}")
    if not any(c.isalnum() for c in text):
        return Failure(Reason.SYNTHESIS_FAILED, "the text has no letters")
    for c in text:
        if ord(c) < 32 and c not in "\t\n\r":
            return Failure(Reason.SYNTHESIS_FAILED, f"control character U+{ord(c):04X}")
    return None


def shift_pitch(clip: Clip, pitch: float) -> Clip:
    """Resample a clip so that its pitch is `pitch` times as high.

    The speaking rate rises as much, so the clip must be made slower. The formants move along, as with a smaller or a
    larger speaker. That changes who seems to speak, and soon costs the recognizer words: it sets the voice's own
    pitch, and the seed does not vary it.
    """
    samples: Samples = soxr.resample(clip.samples, clip.sample_rate * pitch, clip.sample_rate)
    times = clip.word_times and _scaled(clip.word_times, 1 / pitch)
    return Clip(np.ascontiguousarray(np.clip(samples, -1.0, 1.0)), clip.sample_rate, times)


def _scaled(times: WordTimes, by: float) -> WordTimes:
    def scale(sample: int | None) -> int | None:
        return None if sample is None else round(sample * by)

    words = (Word(word.text, scale(word.start_sample), scale(word.end_sample)) for word in times.words)
    return replace(times, words=tuple(words))


def _three_numbers(seed: int) -> tuple[float, float, float]:
    """Derive three numbers in -1..1 from a seed of any size, the same on every machine."""
    digest = hashlib.blake2b(str(seed).encode(), digest_size=12).digest()
    one, two, three = (int.from_bytes(digest[i : i + 4], "big") / 2**31 - 1 for i in (0, 4, 8))
    return one, two, three
