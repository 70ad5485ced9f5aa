"""The tone tokenizer: a test double that codes the strongest tone of each of six bands, every 20 ms.

It hears the bands of the tone engines (`engines/shared/tones.py`), needs no model, and decodes its codes into chords,
so that a whole job, a side-car and an audit can be tried with it in seconds. No model trains on its codes.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.engines.contract import Clip, Codes, Engine, Failure, Samples
from pipeline.engines.shared.tones import BASE, DIGITS, FIRST_BIN, SAMPLE_RATE, VERSION
from pipeline.engines.shared.tones import FFT as BINS_OF
from pipeline.engines.tokenizer._encoding import Books, tokenize_each

NAME = "tone"

HOP = 320
SILENCE = BASE
"""The code of a band without a tone; the others are 0..15."""

_QUIET = 1e-3
_AMPLITUDE = 0.14


def version() -> str:
    return VERSION


class ToneTokenizer:
    """Six books of codes 0..16, 50 frames a second."""

    name = NAME
    version = VERSION
    tokenizer = NAME
    revision = f"{NAME}@{VERSION}"
    sample_rate = SAMPLE_RATE
    hop_length = HOP
    codebook_size = BASE + 1
    license = "Apache-2.0"
    decodes = True

    def tokenize(self, clips: Sequence[Clip]) -> list[Codes | Failure]:
        """Encode clips of any length; the last frame is filled up with silence."""
        return tokenize_each(clips, _encode, NAME, SAMPLE_RATE, self.codebook_size)

    def decode(self, codes: Sequence[Codes]) -> list[Clip]:
        return [Clip(_decode(books), SAMPLE_RATE) for books in codes]


def _encode(samples: Samples) -> Books:
    frames = np.zeros((-(-len(samples) // HOP), HOP), np.float32)
    frames.reshape(-1)[: len(samples)] = samples
    amplitudes = np.abs(np.fft.rfft(frames, BINS_OF, axis=1)) * 2 / HOP
    bands = amplitudes[:, FIRST_BIN : FIRST_BIN + DIGITS * BASE].reshape(-1, DIGITS, BASE)
    codes = np.where(bands.max(axis=2) < _QUIET, SILENCE, bands.argmax(axis=2))
    return list(codes.T)


def _decode(codes: Codes) -> Samples:
    books = np.array(codes)
    times = np.arange(books.shape[1] * HOP).reshape(-1, HOP)
    samples = np.zeros(times.shape, np.float64)
    for digit, book in enumerate(books):
        bins = FIRST_BIN + digit * BASE + book
        tones = np.sin(2 * np.pi * bins[:, None] * times / BINS_OF)
        samples += np.where(book[:, None] == SILENCE, 0, _AMPLITUDE * tones)
    return samples.reshape(-1).astype(np.float32)


ENGINE = Engine("tokenizer", NAME, "not speech: the strongest tone of six bands", open=ToneTokenizer, version=version)
