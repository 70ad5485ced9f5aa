"""Decodes and encodes clips. `soundfile` is imported on the first call: reading texts does not need it."""

from io import BytesIO
from struct import Struct

import numpy as np
import numpy.typing as npt

from manifests.errors import CorpusError
from manifests.resampling import Samples
from manifests.schema import Audio

_FORMATS = {"wav": "WAV", "flac": "FLAC"}
_PCM16_SCALE = 32768
_SAMPLE_BYTES = 2
_HEADER = Struct("<4sI4s4sIHHIIHH4sI")


def decode(audio: Audio) -> tuple[Samples, int]:
    """Return the clip's samples, float32 [T] in -1..1, and its sample rate in Hz.

    Raises `CorpusError` if the bytes are not a readable mono file, or if its sample rate or number of samples
    differs from the row.
    """
    if not audio.bytes:
        raise CorpusError(f"{_name(audio)} has no bytes: it was read without its audio, or is that of an earlier take")
    if (pcm := _pcm_of(audio)) is not None:
        return samples_of(pcm), audio.sample_rate
    import soundfile

    try:
        # `soundfile.read` would first seek to where the decoder is, which for FLAC is 4 % of all its work.
        with soundfile.SoundFile(BytesIO(audio.bytes)) as file:
            channels, sample_rate = file.channels, file.samplerate
            samples = np.empty(file.frames if channels == 1 else 0, np.float32)
            samples = samples[: file.buffer_read_into(samples, "float32") if len(samples) else 0]
    except (soundfile.SoundFileError, ValueError, TypeError, MemoryError) as error:
        reason = getattr(error, "error_string", None) or next(iter(str(error).splitlines()), type(error).__name__)
        raise CorpusError(f"{_name(audio)} cannot be decoded: {reason}") from error
    if channels != 1:
        raise CorpusError(f"{_name(audio)} has {channels} channels, not one")
    if (sample_rate, len(samples)) != (audio.sample_rate, audio.num_samples):
        raise CorpusError(
            f"{_name(audio)} holds {len(samples)} samples at {sample_rate} Hz, "
            f"but its row says {audio.num_samples} samples at {audio.sample_rate} Hz"
        )
    return samples, int(sample_rate)


def samples_of(pcm: npt.NDArray[np.int16]) -> Samples:
    """Return 16-bit samples as float32 in -1..1, as `decode` does."""
    samples = pcm.astype(np.float32)
    samples *= np.float32(1 / _PCM16_SCALE)  # a power of two: exact, and in place, since new memory costs more
    return samples


def pcm16_of(samples: Samples) -> npt.NDArray[np.int16] | None:
    """Return the samples, int16 [T] little-endian, of which `samples_of` makes exactly these; None if there are none.

    A 16-bit clip has them as long as it is not resampled.
    """
    if samples.dtype != np.float32:
        return None
    again = samples * np.float32(_PCM16_SCALE)
    with np.errstate(invalid="ignore"):  # values that are no 16-bit ones give any, which is then another one
        pcm = again.astype("<i2")
    np.multiply(pcm, np.float32(1 / _PCM16_SCALE), out=again)
    return pcm if np.array_equal(again.view(np.int32), samples.view(np.int32)) else None


def encoded(samples: Samples, sample_rate: int, codec: str) -> bytes:
    """Return a mono 16-bit file ("wav" or "flac"); the same samples always give the same bytes.

    Samples beyond -1..1 are clipped. Decoding and encoding again gives the same bytes, since both use the scale 32768.
    Raises ValueError for an unknown codec, an empty or non-mono array, and for NaN or infinite samples: these have no
    16-bit value, and the engine that made the clip must fail it.
    """
    if codec not in _FORMATS:
        raise ValueError(f"unknown codec {codec!r}: expected one of {', '.join(_FORMATS)}")
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"expected mono samples [T] with T >= 1, got the shape {samples.shape}")
    if not np.isfinite(samples).all():
        raise ValueError("the clip holds NaN or infinite samples")
    pcm = np.clip(np.rint(samples * _PCM16_SCALE), -_PCM16_SCALE, _PCM16_SCALE - 1).astype("<i2")
    if codec == "wav" and (header := _wav_header(len(pcm), sample_rate)):
        return header + pcm.tobytes()
    import soundfile

    file = BytesIO()
    soundfile.write(file, pcm, sample_rate, format=_FORMATS[codec], subtype="PCM_16")
    return file.getvalue()


def _wav_header(num_samples: int, sample_rate: int) -> bytes:
    """Return the header that libsndfile writes for mono 16-bit samples; empty for numbers that it has no room for.

    A stage passes clips on as WAV, and libsndfile's calls back into Python take longer than the conversion itself.
    """
    size = _SAMPLE_BYTES * num_samples
    if not (0 < size < 2**31 and 0 < sample_rate < 2**30):
        return b""
    rate = sample_rate * _SAMPLE_BYTES
    form = (b"fmt ", 16, 1, 1, sample_rate, rate, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES)
    return _HEADER.pack(b"RIFF", _HEADER.size - 8 + size, b"WAVE", *form, b"data", size)


def _pcm_of(audio: Audio) -> npt.NDArray[np.int16] | None:
    """Return the samples of a file that `encoded` wrote, int16 [T]; None if this is any other file."""
    if not audio.bytes.startswith(b"RIFF"):
        return None
    header = _wav_header(audio.num_samples, audio.sample_rate)
    if not header or len(audio.bytes) != len(header) + _SAMPLE_BYTES * audio.num_samples:
        return None
    return np.frombuffer(audio.bytes, "<i2", offset=len(header)) if audio.bytes.startswith(header) else None


def _name(audio: Audio) -> str:
    return f"clip {audio.path}" if audio.path else f"a {audio.codec} clip"
