"""Helpers of the layouts: list directories, read lists, and recognize paths and labels that cannot be trusted."""

import hashlib
import io
from collections.abc import Iterable, Iterator

from manifests.errors import InputError
from manifests.storage import Place
from voicebank.layouts.clip import SourceClip

AUDIO_MISSING = "audio_missing"
BAD_METADATA = "bad_metadata"
"""The bank builder's reasons that a layout can give, by value."""

_LONGEST_PATH = 1024
_LONGEST_LABEL = 200
# corpus / split / speaker / chapter, below a directory that holds the corpus.
_DEEPEST = 5


def tree(directory: Place, prefix: str = "", depth: int = _DEEPEST) -> Iterator[tuple[str, dict[str, Place]]]:
    """Walk a directory, parents first: yields the path relative to the start ("" or "a/b/") and the files by name.

    A name with a dot is taken for a file without a look at it: asking for the type of each of a million clips would
    take hours on an object store. So directories with a dot in their names are not entered.
    """
    children = inside(directory)
    folders = [child for child in children if "." not in child.name and not child.is_file()]
    yield prefix, {child.name: child for child in children if "." in child.name}
    if depth > 0:
        for folder in folders:
            yield from tree(folder, f"{prefix}{folder.name}/", depth - 1)


def inside(directory: Place) -> list[Place]:
    """List a directory; nothing where the place is a file."""
    try:
        return directory.list()
    except NotADirectoryError:
        return []


def numbered_lines(file: Place) -> Iterator[tuple[int, str | None]]:
    """Read lines lazily, without their ends, numbered from 1; None for a line that is not UTF-8.

    Yields nothing where there is no file. A byte order mark at the start is dropped.
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
    """Read the lines of a side file, without those that are not UTF-8."""
    return (line for _, line in numbered_lines(file) if line is not None)


def text_of(value: str) -> str | None:
    """Strip a transcript; None for an empty one."""
    return value.strip() or None


def is_inner_path(path: str) -> bool:
    """Whether a path names something below a directory: relative, printable, with `/`, without `.`, `..` and `\\`."""
    parts = path.split("/")
    return len(path) <= _LONGEST_PATH and all(_is_plain(part) for part in parts)


def is_label(label: str) -> bool:
    """Whether the label of a speaker or a recording can become part of an id."""
    return len(label) <= _LONGEST_LABEL and "/" not in label and label == label.strip() and _is_plain(label)


def _is_plain(part: str) -> bool:
    return part not in ("", ".", "..") and part.isprintable() and "\\" not in part


def key(text: str) -> int:
    """Hash a text to 64 bits, the same in every process.

    The probability that any two of ten million texts share a hash is 1 in 400,000.
    """
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "big")


def fitting(clips: Iterable[SourceClip], complaint: str) -> Iterator[SourceClip]:
    """Yield the clips; after the last one, raise InputError with the complaint if none of them fitted the layout."""
    fits = False
    for clip in clips:
        fits = fits or clip.reason != BAD_METADATA
        yield clip
    if not fits:
        raise InputError(complaint)


def unusable(clip_id: str, language: str, path: str = "", reason: str = BAD_METADATA) -> SourceClip:
    """Return a clip of which nothing is known but its existence."""
    return SourceClip(clip_id, path, group=clip_id, language=language, reason=reason)
