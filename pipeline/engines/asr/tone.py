"""The tone recognizer: a test double that hears chords (`engines/shared/tones.py`) by FFT."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Engine, Failure, Samples, Transcript
from pipeline.engines.shared.tones import BASE, DIGITS, FFT, FIRST_BIN, GAP, SAMPLE_RATE, SLOT, VERSION, check_bits

NAME = "tone"

_LARGEST_CODE_POINT = 0x10FFFF

# A slot below about -66 dBFS is a rest. Otherwise the 16-bit rounding of a pilot tone that stands alone would be
# heard: its overtones are as regular as a chord.
_SILENCE_POWER = 2.5e-7
# The share of a band's power that its strongest tone must hold to be believed. Clean chords reach 0.99; white noise as
# loud as the clip leaves about 0.7, and of 300 texts the recognizer then gets half right.
_CLEAR_SHARE = 0.75


def version() -> str:
    return VERSION


class ToneRecognizer:
    """Decodes what `ToneSynthesizer` says, at any rate and without knowing the voice; ignores all but chords."""

    name = NAME
    version = VERSION
    languages: frozenset[str] | None = None

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        return [Transcript(_hear(resample(clip.samples, clip.sample_rate, SAMPLE_RATE))) for clip in clips]


def _hear(samples: Samples) -> str:
    powers = _band_powers(_slots(samples))
    loudness = powers.sum(axis=(1, 2))
    return _spell(powers[loudness > _SILENCE_POWER])


def _slots(samples: Samples) -> Samples:
    """Cut out the middles of the slots, [n, 512].

    The clip's edges may have been trimmed or padded, so it is unknown where the slots begin: they are taken to meet
    where the clip, folded to the length of one slot, is quietest.
    """
    rows = -(-len(samples) // SLOT)
    folded = np.zeros(rows * SLOT, np.float32)
    folded[: len(samples)] = samples
    grid = folded.reshape(rows, SLOT)
    power = np.einsum("ij,ij->j", grid, grid)
    sums = np.cumsum(np.concatenate([[0.0], power, power[: GAP - 1]], dtype=np.float64))
    quietest = int(np.argmin(sums[GAP:] - sums[:-GAP]))
    first = (quietest + GAP // 2) % SLOT - SLOT
    padded = np.concatenate([np.zeros(-first, np.float32), folded, np.zeros(SLOT, np.float32)])
    middle = (SLOT - FFT) // 2
    return padded[: len(padded) // SLOT * SLOT].reshape(-1, SLOT)[:, middle : middle + FFT]


def _band_powers(frames: Samples) -> npt.NDArray[np.floating]:
    """Power of each tone, [n, 6 digits, 16 values]; a full-scale sine has 0.5."""
    spectrum = np.fft.rfft(frames, axis=1)[:, FIRST_BIN : FIRST_BIN + DIGITS * BASE]
    powers = (spectrum.real**2 + spectrum.imag**2) * np.float32(2 / FFT**2)
    return powers.reshape(-1, DIGITS, BASE)


def _spell(powers: npt.NDArray[np.floating]) -> str:
    """Spell the characters of the slots whose six tones are clear and whose check bits agree."""
    clear = (powers.max(axis=2) > _CLEAR_SHARE * powers.sum(axis=2)).all(axis=1)
    digits = powers[clear].argmax(axis=2)
    words = (digits << (4 * np.arange(DIGITS - 1, -1, -1))).sum(axis=1)
    code_points = words >> 3
    valid = (code_points <= _LARGEST_CODE_POINT) & (check_bits(code_points) == words & 7)
    return bytes(code_points[valid].astype("<u4").tobytes()).decode("utf-32-le", "surrogatepass")


ENGINE = Engine("asr", "tone", "not speech: hears the tones by FFT", open=ToneRecognizer, version=version)
