"""Puts the true lengths into WAV files whose server did not know them when it wrote the header.

Servers that stream WAV put a placeholder there: OpenAI, Kokoro and Speaches 0xFFFFFFFF, ElevenLabs 0x7FFFFFFF, Pocket
TTS 2,000,000,000, servers on libsndfile 0. Some write a header for each piece of speech, and some a chunk of text at
the end. If any other length is more than the body has, the body was cut off; if it is less, what follows may be speech
too. libsndfile would decode what the header says without a word.
"""

import re
import struct
from collections.abc import Iterator

from pipeline.engines.remote.error_kinds import TransientError

PLACEHOLDER = 1_000_000_000
"""Bytes of samples from which a length in a WAV header is a placeholder: six hours of 16-bit speech at 24 kHz."""

_CUT_OFF = "the audio is cut off"
_HEADER = re.compile(rb"RIFF.{4}WAVEfmt ", re.DOTALL)
_TRAILERS = re.compile(rb"LIST|id3 |ID3 |bext|cue |fact|iXML|_PMX")
_TRAILING_BYTES = 1 << 16
"""The chunks behind the samples are looked for in so many bytes of the end."""


def is_wav(body: bytes) -> bool:
    return body[:4] == b"RIFF" and body[8:12] == b"WAVE"


def with_true_length(body: bytes) -> bytes:
    """Return the WAV file with its true lengths in place of placeholders, and without headers among its samples.

    Raises TransientError if it was cut off, or is several files.
    """
    start, size, form = _samples_at(body, 0)
    if 0 < size < PLACEHOLDER:
        if start + size > len(body):
            raise TransientError(_CUT_OFF)
        rest = start + size + size % 2
        if body.startswith(b"RIFF", rest):
            raise TransientError("the answer is several files in a row")
        if body[rest:].strip(b"\0\r\n") and not _are_chunks(body, rest, len(body)):
            raise TransientError("the audio is longer than its header says")
        return body
    samples = b"".join(_pieces(body, start, form))
    if len(samples) % _block(form):
        raise TransientError(_CUT_OFF)
    lengths = struct.pack("<I", start - 8 + len(samples)), struct.pack("<I", len(samples))
    return b"".join((body[:4], lengths[0], body[8 : start - 4], lengths[1], samples))


def _samples_at(body: bytes, position: int) -> tuple[int, int, bytes]:
    """Return where the samples of the file at `position` start, their length in its header, and the `fmt ` chunk."""
    form = b""
    position += 12
    while position + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, position)
        start = position + 8
        if name == b"data":
            return start, size, form
        if name == b"fmt ":
            form = body[start : start + size]
        position = start + size + size % 2
    raise TransientError(_CUT_OFF)


def _pieces(body: bytes, start: int, form: bytes) -> Iterator[bytes]:
    """Yield the samples between the headers of a stream that has one for each piece."""
    while True:
        following = _HEADER.search(body, start)
        end = following.start() if following else len(body)
        yield body[start : _end_of_samples(body, start, end)]
        if not following:
            return
        start, _, other = _samples_at(body, end)
        if other != form:
            raise TransientError("the answer is several files in a row")


def _end_of_samples(body: bytes, start: int, end: int) -> int:
    """Return where the samples end that begin at `start`: before the chunks, if any, that fill the rest to `end`."""
    for found in _TRAILERS.finditer(body, max(start, end - _TRAILING_BYTES), end):
        if _are_chunks(body, found.start(), end):
            return found.start()
    return end


def _are_chunks(body: bytes, position: int, end: int) -> bool:
    """Whether the bytes from `position` to `end` are chunks of a WAV file, whole and with names."""
    while position + 8 <= end and body[position : position + 4].isascii():
        size = struct.unpack_from("<I", body, position + 4)[0]
        position += 8 + size + size % 2
    return end <= position <= end + 1  # the last byte of padding is often left out


def _block(form: bytes) -> int:
    """Return the bytes of one sample of all channels."""
    return max(1, struct.unpack_from("<H", form, 12)[0]) if len(form) >= 14 else 1
