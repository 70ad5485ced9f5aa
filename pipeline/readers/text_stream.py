"""Open, check, unpack and decode an input file, a piece of text at a time."""

import codecs
import json
from typing import IO, cast

from pyarrow import fs as pafs

from manifests.errors import InputError
from manifests.storage import Place, open_place
from pipeline.readers.packed import DAMAGE, unpacked

CHUNK_BYTES = 1 << 16
PARQUET = b"PAR1"
_REFUSED = {
    b"PK\x03\x04": "is a zip archive: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "is a 7z archive: unpack it first",
    b"ARROW1\x00\x00": "is an Arrow file: write it as Parquet",
    b"\xff\xff\xff\xff": "is a stream of Arrow, as `save_to_disk` writes: write it as Parquet (`to_parquet`)",
    b"version https://git-lfs.github.com/spec/": "is a Git LFS pointer, not the data: fetch it with `git lfs pull`",
    b"<!doctype html": "is a web page, not data: download the file itself",
    b"<html": "is a web page, not data: download the file itself",
}
_FIRST_BYTES = 64


def find_file(uri: str | Place) -> Place:
    """Return the file that `uri` names. Raises InputError if it is missing, no regular file, or not accessible."""
    try:
        place = uri if isinstance(uri, Place) else open_place(uri)
        kind = place.filesystem.get_file_info(place.path).type
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: "~name" of an unknown user
        raise InputError(f"cannot read {uri}: {error}") from error
    if kind == pafs.FileType.Directory:
        raise InputError(f"{uri} is a directory: name the files in it")
    if kind == pafs.FileType.NotFound:
        raise InputError(f"there is no file {uri}")
    if kind != pafs.FileType.File:
        raise InputError(f"{uri} is a pipe or a device, not a file")
    return place


def first_bytes(place: Place) -> bytes:
    """Return the first bytes, to tell kinds of file apart: names cannot be trusted.

    Raises InputError for kinds that hold no rows.
    """
    with _open(place) as stream:
        first = stream.read(_FIRST_BYTES)
    for magic, what in _REFUSED.items():
        if first.lstrip(b"\xef\xbb\xbf \r\n").lower().startswith(magic.lower()):
            raise InputError(f"{place} {what}")
    return first


class TextSource:
    """Decoded text, read piece by piece from a plain or compressed file.

    Bytes that are not UTF-8 become lone surrogates (`surrogateescape`), so that their row can be told from the others.
    At the end, `broken` says why the stream broke off, if it did.
    """

    def __init__(self, place: Place) -> None:
        self.broken: str | None = None
        self._ended = False
        self._stream = unpacked(_open(place), first_bytes(place))
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        first = self._next_bytes()
        _refuse_other_kinds(place, first)
        self._waiting = first.removeprefix(codecs.BOM_UTF8)

    def read(self) -> str:
        """Return the next piece of text, or "" at the end only."""
        while not self._ended:
            data, self._waiting = self._waiting or self._next_bytes(), b""
            self._ended = not data
            text = self._decoder.decode(data, final=self._ended)
            if text:
                return text
        return ""

    def _next_bytes(self) -> bytes:
        """Read at least four bytes, enough to recognize an encoding; fewer only at the end of the file."""
        data = b""
        try:
            while len(data) < 4 and not self.broken:
                piece = self._stream.read(CHUNK_BYTES)
                if not piece:
                    break
                data += piece
        except DAMAGE:
            self.broken = "the compressed file breaks off or is damaged here"
        return data


def _open(place: Place) -> IO[bytes]:
    try:
        # Without compression=None, pyarrow unpacks by the file's name and loses the start of a broken file.
        return cast(IO[bytes], place.filesystem.open_input_stream(place.path, compression=None))
    except OSError as error:
        raise InputError(f"cannot read {place}: {error}") from error


def _refuse_other_kinds(place: Place, first: bytes) -> None:
    encoding = json.detect_encoding(first)
    if not encoding.startswith("utf-8"):
        raise InputError(f"{place} is {encoding.upper()}: convert it to UTF-8 (iconv -f {encoding} -t utf-8)")
    if first.startswith(PARQUET):
        raise InputError(f"{place} is a Parquet file inside another compression: unpack it first")
