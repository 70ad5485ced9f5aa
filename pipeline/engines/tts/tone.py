"""The tone synthesizer: a test double that says each character as a chord (`engines/shared/tones.py`)."""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from manifests.reasons import Reason
from manifests.schema import WordTimes
from manifests.words import words_of
from pipeline.engines.contract import Clip, Engine, Failure, Samples, SpeechRequest
from pipeline.engines.shared.tones import BASE, DIGITS, FFT, FIRST_BIN, GAP, SAMPLE_RATE, SLOT, VERSION, check_bits
from pipeline.engines.shared.word_times import Span, word_times

NAME = "tone"

_CHORD = SLOT - GAP
_RAMP = 64
_WIDE_SLOTS = 3
_FIRST_WIDE = 0x2E80

# Six tones of this amplitude never clip.
_AMPLITUDE = 0.14


def version() -> str:
    return VERSION


class ToneSynthesizer:
    """Plays a chord for each character. Voice, rate and seed change level, timbre and phase, never the duration."""

    name = NAME
    version = VERSION

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [_speak(request) for request in requests]


def _speak(request: SpeechRequest) -> Clip | Failure:
    if not request.text:
        return Failure(Reason.SYNTHESIS_FAILED, "the text is empty")
    code_points = _code_points(request.text)
    gains, phase = _timbre(request)
    digits = _digits(code_points)
    chords = np.zeros((len(code_points), _CHORD), np.float32)
    for pair, (table, gain) in enumerate(zip(_tables(), gains, strict=True)):
        tones = table[digits[:, 2 * pair] * BASE + digits[:, 2 * pair + 1], phase : phase + _CHORD]
        tones *= gain
        chords += tones
    chords *= _envelope()

    slots = np.where(code_points >= _FIRST_WIDE, _WIDE_SLOTS, 1)
    starts = np.cumsum(slots) - slots
    samples = np.zeros((int(slots.sum()), SLOT), np.float32)
    samples[starts, GAP // 2 : GAP // 2 + _CHORD] = chords
    times = _times(request.text, request.language, starts) if request.word_times else None
    return Clip(samples.reshape(-1), SAMPLE_RATE, times)


def _times(text: str, language: str, slots: npt.NDArray[np.int64]) -> WordTimes:
    """Return the times from the beginning of the first chord to the end of the last; `slots` [characters] are where
    the characters begin, in slots. Marks sound too, and belong to their word; blanks around it do not."""
    spans: list[Span | None] = []
    for word in words_of(text, language):
        first = word.end - len(text[word.start : word.end].lstrip())
        last = first + len(word.text) - 1
        start, end = (int(slots[at]) * SLOT + GAP // 2 for at in (first, last))
        spans.append((start, end + _CHORD))
    return word_times(f"{NAME} {VERSION}", text, language, spans)


def _code_points(text: str) -> npt.NDArray[np.int64]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)


def _digits(code_points: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Six base-16 digits [n, 6] of 24 bits: the code point and, last, its check bits."""
    words = (code_points << 3) | check_bits(code_points)
    return (words[:, None] >> (4 * np.arange(DIGITS - 1, -1, -1))) & (BASE - 1)


def _timbre(request: SpeechRequest) -> tuple[npt.NDArray[np.float32], int]:
    """Return the gains of the three pairs of digits, down to -4 dB, and the phase at which the tones start."""
    voice = request.voice
    key = f"{voice.voice_id}\n{voice.pitch}\n{voice.rate}\n{request.rate}"
    levels = blake2b(key.encode(), digest_size=3).digest()
    start = int.from_bytes(blake2b(f"{key}\n{request.seed}".encode(), digest_size=2).digest(), "big")
    gains = [_AMPLITUDE * 10 ** (-4 * level / 255 / 20) for level in levels]
    return np.array(gains, np.float32), start % FFT


@cache
def _tables() -> tuple[Samples, Samples, Samples]:
    """For each pair of digits the sum of its two tones, [256, T], long enough to start at any phase."""
    time = np.arange(_CHORD + FFT)
    bins = FIRST_BIN + np.arange(DIGITS * BASE)
    tones = np.sin(2 * np.pi * bins[:, None] * time / FFT).astype(np.float32)
    bands = tones.reshape(DIGITS, BASE, -1)
    low, middle, high = (
        (bands[first][:, None] + bands[first + 1][None, :]).reshape(BASE * BASE, -1) for first in (0, 2, 4)
    )
    return low, middle, high


@cache
def _envelope() -> Samples:
    ramp = np.sin(np.pi / 2 * (np.arange(_RAMP) + 0.5) / _RAMP) ** 2
    return np.concatenate([ramp, np.ones(_CHORD - 2 * _RAMP), ramp[::-1]]).astype(np.float32)


ENGINE = Engine("tts", "tone", "not speech: a tone for each character", open=ToneSynthesizer, version=version)
