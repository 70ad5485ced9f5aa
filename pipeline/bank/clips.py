"""Opens the files of a corpus and returns decoded clips, or the reason why a clip is unusable."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import soundfile

from manifests.errors import InputError
from manifests.storage import Place
from pipeline.bank.recipe import Clips
from pipeline.engines.contract import Clip, Samples
from voicebank.file_names import existing_file
from voicebank.layouts.clip import SourceClip
from voicebank.reasons import BankReason

# Engines get this much at once: enough to fill their batches; 600 s at 48 kHz are 115 MB.
BLOCK_S = 600.0
BLOCK_CLIPS = 64

# No clip is this large; without a limit a wrong file could fill the memory before its header is read.
_LARGEST_FILE = 1 << 30


@dataclass(frozen=True, slots=True)
class Unusable:
    """Takes the place of a clip that cannot be used, with the reason."""

    reason: BankReason
    detail: str = ""


def read_clip(corpus: Place, source: SourceClip, limits: Clips) -> Clip | Unusable:
    """Return the clip, decoded and mixed down to one channel, at its file's sample rate.

    Raises InputError if the storage itself fails: a clip that may be readable later must not count as bad.
    """
    data = _file_of(corpus, source)
    if isinstance(data, Unusable):
        return data
    try:
        with soundfile.SoundFile(BytesIO(data)) as file:
            duration_s = file.frames / file.samplerate
            if too := _length_problem(duration_s, limits):
                return Unusable(too, f"{duration_s:.2f} s")
            samples, frames, sample_rate = file.read(dtype="float32", always_2d=True), file.frames, file.samplerate
    except (soundfile.SoundFileError, ValueError) as error:  # ValueError: a WAV file of GSM, for one
        return Unusable(BankReason.AUDIO_UNREADABLE, str(getattr(error, "error_string", error)).rstrip("."))
    return _sound_of(samples, frames, sample_rate)


def read_blocks(
    corpus: Place, sources: Sequence[SourceClip], limits: Clips
) -> Iterator[list[tuple[SourceClip, Clip | Unusable]]]:
    """Yield all clips, in order, in small lists, so that memory use does not grow with their number."""
    block: list[tuple[SourceClip, Clip | Unusable]] = []
    block_s = 0.0
    for source in sources:
        clip = read_clip(corpus, source, limits)
        block.append((source, clip))
        block_s += 0.0 if isinstance(clip, Unusable) else len(clip.samples) / clip.sample_rate
        if block_s >= BLOCK_S or len(block) >= BLOCK_CLIPS:
            yield block
            block, block_s = [], 0.0
    if block:
        yield block


def _file_of(corpus: Place, source: SourceClip) -> bytes | Unusable:
    try:
        place = existing_file(corpus, source.path)
        if place is None:
            return Unusable(BankReason.AUDIO_MISSING)
        with place.filesystem.open_input_file(place.path) as stream:
            if stream.size() > _LARGEST_FILE:
                return Unusable(BankReason.CLIP_TOO_LONG, f"{stream.size()} bytes")
            return bytes(stream.read())
    except FileNotFoundError:
        return Unusable(BankReason.AUDIO_MISSING)
    except OSError as error:
        # The error's own text contains the whole path.
        raise InputError(f"clip {source.clip_id} cannot be read: {type(error).__name__}") from error


def _length_problem(duration_s: float, limits: Clips) -> BankReason | None:
    if duration_s == 0:
        return BankReason.AUDIO_UNREADABLE
    if duration_s < limits.min_s:
        return BankReason.CLIP_TOO_SHORT
    return BankReason.CLIP_TOO_LONG if duration_s > limits.max_s else None


def _sound_of(samples: Samples, frames: int, sample_rate: int) -> Clip | Unusable:
    """Mix `samples` [frames, channels] down to a clip, or say why they are unusable."""
    if len(samples) < frames:
        return Unusable(BankReason.AUDIO_UNREADABLE, "the file breaks off")
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32) if samples.shape[1] > 1 else samples[:, 0])
    if not np.isfinite(mono).all():
        return Unusable(BankReason.AUDIO_UNREADABLE, "NaN or infinite samples")
    if not mono.any():
        return Unusable(BankReason.AUDIO_UNREADABLE, "silence")
    return Clip(np.clip(mono, -1, 1), sample_rate)
