"""Decodes the clips of a corpus. `soundfile` is imported on the first call: reading texts does not need it."""

from io import BytesIO

import numpy as np
import numpy.typing as npt

from manifests.errors import CorpusError
from manifests.schema import Audio


def decode(audio: Audio) -> tuple[npt.NDArray[np.float32], int]:
    """Return the clip's samples, float32 [T] in -1..1, and its sample rate in Hz.

    Raises `CorpusError` if the bytes are not a readable mono file, or if its sample rate or number of samples
    differs from the row.
    """
    import soundfile

    if not audio.bytes:
        raise CorpusError(f"{_name(audio)} has no bytes: it was read without its audio, or is that of an earlier take")
    try:
        samples, sample_rate = soundfile.read(BytesIO(audio.bytes), dtype="float32")
    except (soundfile.SoundFileError, ValueError, TypeError, MemoryError) as error:
        reason = getattr(error, "error_string", None) or next(iter(str(error).splitlines()), type(error).__name__)
        raise CorpusError(f"{_name(audio)} cannot be decoded: {reason}") from error
    if samples.ndim != 1:
        raise CorpusError(f"{_name(audio)} has {samples.shape[1]} channels, not one")
    if (sample_rate, len(samples)) != (audio.sample_rate, audio.num_samples):
        raise CorpusError(
            f"{_name(audio)} holds {len(samples)} samples at {sample_rate} Hz, "
            f"but its row says {audio.num_samples} samples at {audio.sample_rate} Hz"
        )
    return samples, int(sample_rate)


def _name(audio: Audio) -> str:
    return f"clip {audio.path}" if audio.path else f"a {audio.codec} clip"
