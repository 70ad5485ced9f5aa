"""Open, check, unpack and decode an input file, a piece of text at a time."""

import codecs
import gzip
import json
import zlib
from typing import IO, cast

from pyarrow import fs as pafs

from manifests.errors import InputError
from manifests.storage import Place, open_place

CHUNK_BYTES = 1 << 16
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ\x00": "xz-compressed",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
}


def find_file(uri: str) -> Place:
    """Return the file that `uri` names. Raises InputError if it is missing, a directory, or not accessible."""
    try:
        place = open_place(uri)
        kind = place.filesystem.get_file_info(place.path).type
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: "~name" of an unknown user
        raise InputError(f"cannot read {uri}: {error}") from error
    if kind == pafs.FileType.Directory:
        raise InputError(f"{uri} is a directory: name the files in it")
    if kind == pafs.FileType.NotFound:
        raise InputError(f"there is no file {uri}")
    return place


def first_bytes(place: Place) -> bytes:
    """Return the first 16 bytes, to tell kinds of file apart: names cannot be trusted."""
    with _open(place) as stream:
        return stream.read(16)


class TextSource:
    """Decoded text, read piece by piece from a plain or gzip-compressed file.

    Bytes that are not UTF-8 become lone surrogates (`surrogateescape`), so that their row can be told from the others.
    At the end, `broken` says why the stream broke off, if it did.
    """

    def __init__(self, place: Place) -> None:
        self.broken: str | None = None
        self._ended = False
        self._stream = _unpacked(place)
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
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.broken = "the compressed file breaks off or is damaged here"
        return data


class _Unzipped:
    """A file whose `read` returns everything that can be unpacked before it raises for the rest."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._file = gzip.GzipFile(fileobj=stream, mode="rb")

    def read(self, size: int) -> bytes:
        return self._file.read1(size)


def _unpacked(place: Place) -> IO[bytes]:
    packed = first_bytes(place).startswith(GZIP)
    stream = _open(place)
    return cast(IO[bytes], _Unzipped(stream)) if packed else stream


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
    for magic, kind in {**_PACKED, PARQUET: "a Parquet file inside gzip"}.items():
        if first.startswith(magic):
            raise InputError(f"{place} is {kind}: unpack it first")
