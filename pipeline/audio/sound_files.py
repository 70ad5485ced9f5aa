"""Find the sound files below a directory, and read stretches of them: noise as MUSAN has it, impulse responses."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np

from manifests.errors import UserError
from manifests.resampling import resampled_length
from pipeline.audio.samples import resample
from pipeline.engines.contract import Clip, Samples
from pipeline.settings import public_name

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3"})


@dataclass(frozen=True)
class SoundFiles:
    """Names sound files by their paths below a directory, sorted; `digest` is that of their names and sizes."""

    root: Path
    names: tuple[str, ...]
    digest: str

    def only(self, names: Sequence[str]) -> "SoundFiles":
        """Return some of these files, in their order here."""
        return replace(self, names=tuple(names))

    def read(self, name: str, sample_rate: int, first: float = 0.0, num_samples: int | None = None) -> Samples:
        """Return a stretch of a file, its first channel, at `sample_rate` Hz: float32 [T].

        The stretch has `num_samples`, or what there is. `first`, 0 to 1, says where it begins among the places where
        it fits. Raises UserError for a file that cannot be read or is empty.
        """
        import soundfile

        try:
            with soundfile.SoundFile(self.root / name) as file:
                rate, length = int(file.samplerate), int(file.frames)
                wanted = length if num_samples is None else resampled_length(num_samples, sample_rate, rate) + 1
                file.seek(int(first * max(0, length - wanted)))
                found = file.read(min(wanted, length), dtype="float32", always_2d=True)[:, 0]
        except (soundfile.SoundFileError, OSError) as error:
            reason = getattr(error, "error_string", None) or type(error).__name__
            raise UserError(f"{public_name(str(self.root))}/{name} cannot be read: {reason}") from error
        if not found.size or not np.isfinite(found).all():
            raise UserError(f"{public_name(str(self.root))}/{name} holds no sound")
        return resample(np.ascontiguousarray(found), rate, sample_rate)[:num_samples]


def find_sounds(directory: str, kinds: Sequence[str] = ()) -> SoundFiles:
    """Find the sound files below the directory, in the folders named by `kinds` alone, if there are any.

    Raises UserError if there is no such directory or folder, if there is no sound file in it, and for a symbolic link
    that leads out of it: whoever packed the directory would choose a file of this machine.
    """
    root, shown = Path(directory).expanduser(), public_name(directory)
    if not root.is_dir():
        raise UserError(f"{shown}: there is no such directory")
    if missing := [kind for kind in kinds if not (root / kind).is_dir()]:
        raise UserError(f"{shown} has no folder {', '.join(missing)}")
    found = [path for kind in kinds or ("",) for path in (root / kind).rglob("*") if path.suffix.lower() in SUFFIXES]
    out = [path for path in found if path.is_symlink() and not path.resolve().is_relative_to(root.resolve())]
    if out:
        raise UserError(f"{shown}: {out[0].name!r} is a symbolic link out of the directory: put the file itself there")
    sizes = {path.relative_to(root).as_posix(): path.stat().st_size for path in found if path.is_file()}
    if not sizes:
        raise UserError(f"{shown}: no sound files ({', '.join(sorted(SUFFIXES))})")
    listed = "\n".join(f"{name}\t{size}" for name, size in sorted(sizes.items())).encode("utf-8", "surrogateescape")
    return SoundFiles(root, tuple(sorted(sizes)), hashlib.sha256(listed).hexdigest())


def decoded(data: bytes) -> Clip:
    """Decode a whole sound file, such as the recording of a voice, to the mean of its channels.

    Raises ValueError for bytes that are none, or that hold no sound.
    """
    import soundfile

    try:
        samples, sample_rate = soundfile.read(BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(str(error.error_string).rstrip(".")) from error
    if not samples.size or not np.isfinite(samples).all():
        raise ValueError("it is empty, or holds NaN or infinite samples")
    return Clip(np.ascontiguousarray(samples.mean(axis=1)), int(sample_rate))
