"""Get clips that cannot carry the mark: the user's recordings, or the corpus's own clips resynthesized without it.

A clip is resynthesized from the energy in 20 broad mel bands every 16 ms, with phases estimated by Griffin-Lim. This
keeps words and level, and removes the fine structure of spectrum and waveform, where marks hide. The 80 bands that
synthesizers use would not do: Perth's mark survives them (median score 0.77 on 28 clips, against 1.00 as delivered).

The limits of this: a trace of the mark would raise the scores of the controls, which keeps the stated false-positive
rate on the safe side, but losing the fine structure lowers them. With Perth the second effect is stronger.
Resynthesized clips score lower than clips that never had a mark: 15 % of the latter reach the threshold that 1 % of
the former reach (200 clips each, benchmarks/watermark_audit.py). Resynthesized controls show that the detector does
not respond to everything that sounds like the corpus; to quote a false-positive rate, use recordings.
"""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from manifests.errors import UserError
from pipeline.audio.samples import resample
from pipeline.audit.needs import need
from pipeline.engines.contract import Clip, Samples

BANDS = 20
WINDOW_S = 0.064
ITERATIONS = 32
LONGEST_S = 10.0
"""Seconds taken from the beginning of a recording: about as long as a turn."""

_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3"})


def resynthesize(clip: Clip) -> Clip:
    """Remove everything finer than mel bands from the clip; keep its rate, length and peak."""
    librosa = need("librosa")
    samples, window = clip.samples, _window(clip.sample_rate)
    if len(samples) < 2 or not samples.any():
        return clip
    spectrum = librosa.stft(samples, n_fft=window, hop_length=window // 4)
    magnitudes = _smoothed(np.abs(spectrum), clip.sample_rate, window)
    made = librosa.griffinlim(
        magnitudes, n_iter=ITERATIONS, hop_length=window // 4, n_fft=window, length=len(samples), random_state=0
    )
    peak = np.abs(made).max()
    scale = np.abs(samples).max() / peak if peak else 0.0
    return Clip((made * scale).astype(np.float32), clip.sample_rate)


def _smoothed(magnitudes: Samples, sample_rate: int, window: int) -> Samples:
    """Replace each bin's magnitude [bins, frames] by that of the mel bands around it."""
    bands = need("librosa").filters.mel(sr=sample_rate, n_fft=window, n_mels=BANDS)
    power = (bands @ magnitudes**2) / bands.sum(axis=1, keepdims=True)
    spread = bands.T / (bands.sum(axis=0)[:, None] + 1e-9)
    smoothed: Samples = np.sqrt(spread @ power).astype(np.float32)
    return smoothed


def _window(sample_rate: int) -> int:
    return int(2 ** round(math.log2(WINDOW_S * sample_rate)))


def find_recordings(directory: str, count: int | None, seed: int) -> list[Path]:
    """Draw `count` sound files below the directory by the seed, or all if there are fewer; None: all.

    Raises UserError if there are none.
    """
    root = Path(directory)
    found = [path for path in root.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()]
    if not found:
        raise UserError(f"--controls {root.name}: no sound files ({', '.join(sorted(_SUFFIXES))})")
    return sorted(found, key=lambda path: _key(seed, path.relative_to(root).as_posix()))[:count]


def read_recordings(paths: list[Path], sample_rate: int) -> Iterator[Clip]:
    """Yield the first 10 s of each file, mono, resampled. Raises UserError naming a file that cannot be read."""
    for path in paths:
        try:
            with soundfile.SoundFile(path) as file:
                samples = file.read(int(LONGEST_S * file.samplerate), dtype="float32", always_2d=True)
                rate = int(file.samplerate)
        except soundfile.LibsndfileError as error:
            raise UserError(f"--controls: {path.name} cannot be read: {error.error_string}") from error
        yield Clip(np.ascontiguousarray(resample(samples.mean(axis=1), rate, sample_rate)), sample_rate)


def _key(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}\x1f{name}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
