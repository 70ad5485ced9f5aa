"""Recognizes by content what a speech answer is when it is neither a WAV or FLAC file nor raw samples."""

import re
from collections.abc import Callable

_FILES = {
    b"OggS": "OGG",
    b"ID3": "MP3",
    b".snd": "AU",
    b"caff\0\1": "CAF",
    b"#!AMR": "AMR",
    b"\x1aE\xdf\xa3": "WebM",
    b"\x1f\x8b\x08": "gzip",
}
_DATA_URI = re.compile(rb"data:[\w.+-]+/[\w.+-]+[;,]", re.ASCII)
_EVENTS = re.compile(rb"(?:data|event|id|retry):[^\n]*\n")
_MULTIPART = re.compile(rb"--[^\r\n]{1,200}\r?\ncontent-", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\r\n-]{200,}={0,2}\s*")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_TEXT_BYTES = 512
"""A body whose first so many bytes are text is text: samples hold bytes that no text has, silence none else."""

# kbit/s by the four bits of a frame's header, for MPEG-1 and for MPEG-2 and 2.5, layer III (ISO/IEC 11172-3, 13818-3).
_BIT_RATES = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_FRAMES = 3
"""So many frames in a row are a stream of frames; samples may begin like one."""


def other_audio(body: bytes) -> str | None:
    """Return the name of the audio format of `body`, if it is one that Parley does not take from a server."""
    if name := next((name for magic, name in _FILES.items() if body.startswith(magic)), None):
        return name
    if body[:4] == b"FORM" and body[8:12] in (b"AIFF", b"AIFC"):
        return "AIFF"
    if body[4:8] == b"ftyp":
        return "MP4"
    if _is_framed(body, _mp3_frame):
        return "MP3"
    return "AAC" if _is_framed(body, _adts_frame) else None


def wrapped_audio(body: bytes) -> str | None:
    """Return what `body` is, if it is a text or a message around audio."""
    if _DATA_URI.match(body):
        return "a data URI"
    if _MULTIPART.match(body):
        return "a multipart message"
    if not is_text(body):
        return None
    if _EVENTS.match(body):
        return "a stream of events"
    return "base64 text" if _BASE64.fullmatch(body) else None


def is_text(body: bytes) -> bool:
    """Whether `body` begins like a text in UTF-8, without control characters."""
    head = body[:_TEXT_BYTES]
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if len(body) <= _TEXT_BYTES or error.start < _TEXT_BYTES - 3:  # a character may be cut at the end of the head
            return False
        text = head[: error.start].decode()
    return len(body) >= 4 and not _CONTROL.search(text)


def _is_framed(body: bytes, length_of: Callable[[bytes], int]) -> bool:
    """Whether `body` is a chain of frames from its beginning to its end, or of some in a row."""
    position = 0
    for _ in range(_FRAMES):
        length = length_of(body[position : position + 7])
        if not length:
            return False
        position += length
        if position >= len(body):
            break
    return position > length


def _mp3_frame(header: bytes) -> int:
    """Return the length of the frame of MPEG layer III with this header, in bytes; 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate = header[1] >> 3 & 3, header[2] >> 2 & 3
    bit_rate = _BIT_RATES[version != 3][header[2] >> 4]
    if version == 1 or rate == 3 or not bit_rate:
        return 0
    return (144 if version == 3 else 72) * bit_rate * 1000 // _SAMPLE_RATES[version][rate] + (header[2] >> 1 & 1)


def _adts_frame(header: bytes) -> int:
    """Return the length of the AAC frame with this ADTS header, in bytes; 0 if it is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 > 12:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 else 0
