"""Chords of the tone engines, which are test doubles that need no model. What they make is not speech.

`ToneSynthesizer` (`tts/tone.py`) says each Unicode code point as a chord of six tones and `ToneRecognizer`
(`asr/tone.py`) hears the chords by FFT, so that a whole pipeline runs on any text, in any language, within
milliseconds, and still meets real recognition errors where a clip is cut or covered with noise. `ToneWatermarker`
(`watermark/tone_mark.py`) hides nothing: anybody can hear and remove its pilot tone.

A chord, at 16 kHz::

    |  5 ms silence  |  50 ms chord, 4 ms ramps  |  5 ms silence  |     one slot, 960 samples (60 ms)

A code point takes one slot; from U+2E80 on, where the scripts are whose characters are whole syllables, it is followed
by two silent slots. A text of n narrow and w wide code points thus lasts 0.06 n + 0.18 w seconds exactly: 16.7 narrow
or 5.6 wide characters a second, near what people say in English and in Mandarin.

The chord is six digits of base 16: the code point's 21 bits and 3 check bits. Digit i is a tone at one of 16
frequencies, 31.25 Hz apart, from 500 + 500 i Hz on: all of them whole periods in an FFT of 512 samples. They stay
below 3.5 kHz, so that a clip may be resampled to any usual rate.
"""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16000

VERSION = "1"
"""Version of the tone engines that speak and hear."""

SLOT = 960
GAP = 160

FFT = 512
DIGITS = 6
BASE = 16
FIRST_BIN = 16


def check_bits(code_points: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Three bits [n] that tell a code point from one with a wrong digit."""
    folded: npt.NDArray[np.int64] = np.bitwise_xor.reduce(code_points[:, None] >> np.arange(0, 21, 3), axis=1)
    return folded & 7
