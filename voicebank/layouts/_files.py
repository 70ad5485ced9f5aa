"""What the layouts share: listing directories, reading lists, and telling paths and labels that cannot be trusted."""

import hashlib
import io
from collections.abc import Iterable, Iterator

from manifests.errors import InputError
from manifests.storage import Place
from voicebank.layouts.clip import SourceClip

AUDIO_MISSING = "audio_missing"
BAD_METADATA = "bad_metadata"
"""The values of the bank builder's reasons that a layout can know of."""

_LONGEST_PATH = 1024
_LONGEST_LABEL = 200
# corpus / split / speaker / chapter, below a directory that holds the corpus.
_DEEPEST = 5


def tree(directory: Place, prefix: str = "", depth: int = _DEEPEST) -> Iterator[tuple[str, dict[str, Place]]]:
    """The directory and those below it, parents first: path relative to the start ("" or "a/b/") and files by name.

    Names with a dot are taken for files, unseen: asking each of a million clips what it is would take hours on an
    object store. So directories with a dot in their name are not gone into.
    """
    children = inside(directory)
    folders = [child for child in children if "." not in child.name and not child.is_file()]
    yield prefix, {child.name: child for child in children if "." in child.name}
    if depth > 0:
        for folder in folders:
            yield from tree(folder, f"{prefix}{folder.name}/", depth - 1)


def inside(directory: Place) -> list[Place]:
    """What `Place.list` gives; nothing where the place is a file."""
    try:
        return directory.list()
    except NotADirectoryError:
        return []


def numbered_lines(file: Place) -> Iterator[tuple[int, str | None]]:
    """Lines from 1 on without their ends, read lazily; None for a line that is not UTF-8. No file: no lines.

    A mark of byte order at the start is dropped.
    """
    try:
        stream = file.filesystem.open_input_stream(file.path)
    except (FileNotFoundError, NotADirectoryError):
        return
    with stream, io.BufferedReader(stream) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                yield number, None
            else:
                yield number, (text.removeprefix("\ufeff") if number == 1 else text).rstrip("\r\n")


def lines(file: Place) -> Iterator[str]:
    """The lines of a side file that can be read."""
    return (line for _, line in numbered_lines(file) if line is not None)


def text_of(value: str) -> str | None:
    """A transcript without space around it; None for an empty one."""
    return value.strip() or None


def is_inner_path(path: str) -> bool:
    """Whether a path names something below a directory: relative, printable, with `/`, without `.`, `..` and `\\`."""
    parts = path.split("/")
    return len(path) <= _LONGEST_PATH and all(_is_plain(part) for part in parts)


def is_label(label: str) -> bool:
    """Whether a speaker's or a recording's label is fit to become part of an id."""
    return len(label) <= _LONGEST_LABEL and "/" not in label and label == label.strip() and _is_plain(label)


def _is_plain(part: str) -> bool:
    return part not in ("", ".", "..") and part.isprintable() and "\\" not in part


def key(text: str) -> int:
    """64 bits that stand for the text, the same in every process. Among ten million texts, two share theirs with a
    probability of 1 in 400,000."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "big")


def fitting(clips: Iterable[SourceClip], complaint: str) -> Iterator[SourceClip]:
    """The clips. Raises InputError with the complaint after the last one if not one was as the layout has them."""
    fits = False
    for clip in clips:
        fits = fits or clip.reason != BAD_METADATA
        yield clip
    if not fits:
        raise InputError(complaint)


def unusable(clip_id: str, language: str, path: str = "", reason: str = BAD_METADATA) -> SourceClip:
    """A clip of which no more is known than that it is there."""
    return SourceClip(clip_id, path, group=clip_id, language=language, reason=reason)
