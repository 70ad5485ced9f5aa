"""Clips of a corpus at the rate and in the file format that a consumer asks for.

A clip's bytes are never copied into an export where a rate is promised: decoding also checks that the file is what its
row says.
"""

from manifests.audio import decode, encoded
from manifests.resampling import Samples, resample
from manifests.schema import Audio


def samples_at(audio: Audio, rate: int) -> Samples:
    """Return the clip's samples at `rate` Hz, float32 [`resampled_length(num_samples, sample_rate, rate)`].

    Raises CorpusError if the clip cannot be decoded.
    """
    samples, sample_rate = decode(audio)
    return resample(samples, sample_rate, rate)


def wav_bytes(samples: Samples, rate: int) -> bytes:
    """Return a mono 16-bit WAV file of the samples, float32 [T] in -1..1, at `rate` Hz."""
    return encoded(samples, rate, "wav")


def flac_bytes(samples: Samples, rate: int) -> bytes:
    """Return a mono 16-bit FLAC file of the samples, float32 [T] in -1..1, at `rate` Hz."""
    return encoded(samples, rate, "flac")
