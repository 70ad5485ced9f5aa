"""Tone engines: test doubles that need no model. What they make is not speech.

`ToneSynthesizer` says each Unicode code point as a chord of six tones and `ToneRecognizer` hears the chords by FFT, so
that a whole pipeline runs on any text, in any language, within milliseconds, and still meets real recognition errors
where a clip is cut or covered with noise. `ToneWatermarker` hides nothing: anybody can hear and remove its pilot tone.

A chord, at 16 kHz::

    |  5 ms silence  |  50 ms chord, 4 ms ramps  |  5 ms silence  |     one slot, 960 samples (60 ms)

A code point takes one slot; from U+2E80 on, where the scripts are whose characters are whole syllables, it is followed
by two silent slots. A text of n narrow and w wide code points thus lasts 0.06 n + 0.18 w seconds exactly: 16.7 narrow
or 5.6 wide characters a second, near what people say in English and in Mandarin.

The chord is six digits of base 16: the code point's 21 bits and 3 check bits. Digit i is a tone at one of 16
frequencies, 31.25 Hz apart, from 500 + 500 i Hz on: all of them whole periods in an FFT of 512 samples. They stay
below 3.5 kHz, so that a clip may be resampled to any usual rate.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from manifests.reasons import Reason
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Detection, Failure, Samples, SpeechRequest, Transcript

NAME = "tone"
WATERMARK_NAME = "tone-mark"
SAMPLE_RATE = 16000

_VERSION = "1"
_SLOT = 960
_GAP = 160
_CHORD = _SLOT - _GAP
_RAMP = 64
_WIDE_SLOTS = 3
_FIRST_WIDE = 0x2E80

_FFT = 512
_DIGITS = 6
_BASE = 16
_FIRST_BIN = 16
_LARGEST_CODE_POINT = 0x10FFFF

# Six tones of this amplitude never clip.
_AMPLITUDE = 0.14
# A slot below about -66 dBFS is a rest. Otherwise the 16-bit rounding of a pilot tone that stands alone would be
# heard: its overtones are as regular as a chord.
_SILENCE_POWER = 2.5e-7
# The share of a band's power that its strongest tone must hold to be believed. Clean chords reach 0.99; white noise as
# loud as the clip leaves about 0.7, and of 300 texts the recognizer then gets half right.
_CLEAR_SHARE = 0.75

_PILOT_HZ = 187.5
_PILOT_LEVEL = 0.05
_PILOT_FLOOR = 0.001
_PILOT_BLOCK_S = 0.032


def version() -> str:
    return _VERSION


class ToneSynthesizer:
    """Chords for characters. Voice, rate and seed change level, timbre and phase, never the duration."""

    name = NAME
    version = _VERSION

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [_speak(request) for request in requests]


class ToneRecognizer:
    """Hears what `ToneSynthesizer` says, at any rate, without knowing the voice; what is not a chord is not heard."""

    name = NAME
    version = _VERSION
    languages: frozenset[str] | None = None

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return [Transcript(_hear(resample(clip.samples, clip.sample_rate, SAMPLE_RATE))) for clip in clips]


class ToneWatermarker:
    """Adds a pilot tone at 187.5 Hz, 26 dB below the clip's level, and finds it by its power.

    A test double for dry runs: a high-pass filter removes the mark, and it proves nothing about a clip. It goes with
    the tone voices, since detectors that were trained on speech are unsure of chords.
    """

    name = WATERMARK_NAME
    version = _VERSION
    bits = 0

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        return [_add_pilot(clip) for clip in clips]

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        return [_find_pilot(clip) for clip in clips]


# speaking


def _speak(request: SpeechRequest) -> Clip | Failure:
    if not request.text:
        return Failure(Reason.SYNTHESIS_FAILED, "the text is empty")
    code_points = _code_points(request.text)
    gains, phase = _timbre(request)
    digits = _digits(code_points)
    chords = np.zeros((len(code_points), _CHORD), np.float32)
    for pair, (table, gain) in enumerate(zip(_tables(), gains, strict=True)):
        tones = table[digits[:, 2 * pair] * _BASE + digits[:, 2 * pair + 1], phase : phase + _CHORD]
        tones *= gain
        chords += tones
    chords *= _envelope()

    slots = np.where(code_points >= _FIRST_WIDE, _WIDE_SLOTS, 1)
    starts = np.cumsum(slots) - slots
    samples = np.zeros((int(slots.sum()), _SLOT), np.float32)
    samples[starts, _GAP // 2 : _GAP // 2 + _CHORD] = chords
    return Clip(samples.reshape(-1), SAMPLE_RATE)


def _code_points(text: str) -> npt.NDArray[np.int64]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.int64)


def _digits(code_points: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Six base-16 digits [n, 6] of 24 bits: the code point and, last, its check bits."""
    words = (code_points << 3) | _check_bits(code_points)
    return (words[:, None] >> (4 * np.arange(_DIGITS - 1, -1, -1))) & (_BASE - 1)


def _check_bits(code_points: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    folded: npt.NDArray[np.int64] = np.bitwise_xor.reduce(code_points[:, None] >> np.arange(0, 21, 3), axis=1)
    return folded & 7


def _timbre(request: SpeechRequest) -> tuple[npt.NDArray[np.float32], int]:
    """Gains of the three pairs of digits, down to -4 dB, and where in their periods the tones start."""
    voice = request.voice
    key = f"{voice.voice_id}\n{voice.pitch}\n{voice.rate}\n{request.rate}"
    levels = blake2b(key.encode(), digest_size=3).digest()
    start = int.from_bytes(blake2b(f"{key}\n{request.seed}".encode(), digest_size=2).digest(), "big")
    gains = [_AMPLITUDE * 10 ** (-4 * level / 255 / 20) for level in levels]
    return np.array(gains, np.float32), start % _FFT


@cache
def _tables() -> tuple[Samples, Samples, Samples]:
    """For each pair of digits the sum of its two tones, [256, T], long enough to start at any phase."""
    time = np.arange(_CHORD + _FFT)
    bins = _FIRST_BIN + np.arange(_DIGITS * _BASE)
    tones = np.sin(2 * np.pi * bins[:, None] * time / _FFT).astype(np.float32)
    bands = tones.reshape(_DIGITS, _BASE, -1)
    low, middle, high = (
        (bands[first][:, None] + bands[first + 1][None, :]).reshape(_BASE * _BASE, -1) for first in (0, 2, 4)
    )
    return low, middle, high


@cache
def _envelope() -> Samples:
    ramp = np.sin(np.pi / 2 * (np.arange(_RAMP) + 0.5) / _RAMP) ** 2
    return np.concatenate([ramp, np.ones(_CHORD - 2 * _RAMP), ramp[::-1]]).astype(np.float32)


# hearing


def _hear(samples: Samples) -> str:
    powers = _band_powers(_slots(samples))
    loudness = powers.sum(axis=(1, 2))
    return _spell(powers[loudness > _SILENCE_POWER])


def _slots(samples: Samples) -> Samples:
    """The middles of the slots, [n, 512].

    Where the slots begin is not known, since the clip's edges may have been trimmed or padded: they are taken to meet
    where the clip, folded to the length of one slot, is quietest.
    """
    rows = -(-len(samples) // _SLOT)
    folded = np.zeros(rows * _SLOT, np.float32)
    folded[: len(samples)] = samples
    grid = folded.reshape(rows, _SLOT)
    power = np.einsum("ij,ij->j", grid, grid)
    sums = np.cumsum(np.concatenate([[0.0], power, power[: _GAP - 1]], dtype=np.float64))
    quietest = int(np.argmin(sums[_GAP:] - sums[:-_GAP]))
    first = (quietest + _GAP // 2) % _SLOT - _SLOT
    padded = np.concatenate([np.zeros(-first, np.float32), folded, np.zeros(_SLOT, np.float32)])
    middle = (_SLOT - _FFT) // 2
    return padded[: len(padded) // _SLOT * _SLOT].reshape(-1, _SLOT)[:, middle : middle + _FFT]


def _band_powers(frames: Samples) -> npt.NDArray[np.floating]:
    """Power of each tone, [n, 6 digits, 16 values]; a full-scale sine has 0.5."""
    spectrum = np.fft.rfft(frames, axis=1)[:, _FIRST_BIN : _FIRST_BIN + _DIGITS * _BASE]
    powers = (spectrum.real**2 + spectrum.imag**2) * np.float32(2 / _FFT**2)
    return powers.reshape(-1, _DIGITS, _BASE)


def _spell(powers: npt.NDArray[np.floating]) -> str:
    """The characters of those slots whose six tones are clear and whose check bits agree."""
    clear = (powers.max(axis=2) > _CLEAR_SHARE * powers.sum(axis=2)).all(axis=1)
    digits = powers[clear].argmax(axis=2)
    words = (digits << (4 * np.arange(_DIGITS - 1, -1, -1))).sum(axis=1)
    code_points = words >> 3
    valid = (code_points <= _LARGEST_CODE_POINT) & (_check_bits(code_points) == words & 7)
    return bytes(code_points[valid].astype("<u4").tobytes()).decode("utf-32-le", "surrogatepass")


# marking


def _add_pilot(clip: Clip) -> Clip | Failure:
    if not clip.samples.size:
        return Failure(Reason.WATERMARK_FAILED, "the clip is empty")
    pilot = np.resize(_pilot(clip.sample_rate), clip.samples.shape) * np.float32(_pilot_amplitude(clip.samples))
    return Clip(np.clip(clip.samples + pilot, -1, 1), clip.sample_rate)


def _find_pilot(clip: Clip) -> Detection | Failure:
    """The score is the pilot's power over what `_add_pilot` gives a clip of this level."""
    if not clip.samples.size:
        return Failure(Reason.WATERMARK_FAILED, "the clip is empty")
    amplitude = _amplitude_at_pilot(clip.samples, clip.sample_rate)
    return Detection(min(1.0, (amplitude / _pilot_amplitude(clip.samples)) ** 2))


def _amplitude_at_pilot(samples: Samples, sample_rate: int) -> float:
    """Amplitude of the sine at the pilot's frequency, averaged in phase over windowed blocks of 32 ms."""
    block = min(round(_PILOT_BLOCK_S * sample_rate), len(samples))
    count = len(samples) // block
    cosines, sines = (samples[: count * block].reshape(count, block) @ _probe(sample_rate, block)).T
    turn = 2 * np.pi * _PILOT_HZ * block / sample_rate
    return float(abs(np.mean((cosines - 1j * sines) * np.exp(-1j * turn * np.arange(count)))))


def _pilot_amplitude(samples: Samples) -> float:
    return max(_PILOT_LEVEL * float(np.sqrt(np.mean(np.square(samples)))), _PILOT_FLOOR)


@cache
def _pilot(sample_rate: int) -> Samples:
    """Two seconds of the pilot, 375 periods: it repeats without a jump at any rate."""
    return np.sin(2 * np.pi * _PILOT_HZ * np.arange(2 * sample_rate) / sample_rate).astype(np.float32)


@lru_cache(maxsize=64)
def _probe(sample_rate: int, num_samples: int) -> Samples:
    """Cosine and sine of the pilot under a Hann window, [num_samples, 2]: their products with a unit pilot give 1."""
    window = np.sin(np.pi * (np.arange(num_samples) + 0.5) / num_samples) ** 2
    angle = 2 * np.pi * _PILOT_HZ * np.arange(num_samples) / sample_rate
    waves = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    probe: Samples = (waves * (2 * window / window.sum())[:, None]).astype(np.float32)
    return probe
