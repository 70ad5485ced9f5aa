"""Reads the body of a speech answer, whichever server wrote it: a whole WAV or FLAC file, or raw 16-bit samples.

Servers that stream WAV do not know its length when they write the header. They put a placeholder there: OpenAI, Kokoro
and Speaches 0xFFFFFFFF, ElevenLabs 0x7FFFFFFF, Pocket TTS 2,000,000,000, servers on libsndfile 0. If any other length
is more than the body has, the body was cut off; libsndfile would decode what is there without a word.
"""

import json
import re
import struct
from collections.abc import Mapping
from io import BytesIO

import numpy as np
import soundfile

from pipeline.engines.contract import Clip, Samples
from pipeline.engines.remote.client import EmbeddedError, TransientError, embedded_status

PLACEHOLDER = 1_000_000_000
"""Bytes of samples from which a length in a WAV header is a placeholder: six hours of 16-bit speech at 24 kHz."""
LONGEST_S = 3600
"""A longer clip is not one turn of a dialogue but a broken header; decoding it would ask for that much memory."""
RATES = (4_000, 192_000)
"""Sample rates that a clip may have, Hz."""

MARK_UP = re.compile(rb"\s*(?:<!doctype|<html|<\?xml)", re.IGNORECASE)
"""The beginning of a page that a proxy or a captive portal sends instead of an answer."""

_LOSSLESS = frozenset({"WAV", "WAVEX", "RF64", "FLAC"})
_WHOLE_FILES = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"ID3")
_RATE = re.compile(r"\brate=(\d+)")


class LossyAudio(Exception):
    """The body is in a lossy format; the message is its name."""


def read_clip(body: bytes, headers: Mapping[str, str], pcm_sample_rate: int | None = None) -> Clip:
    """Return the clip, its channels averaged. `pcm_sample_rate` (Hz) is given if raw samples were asked for; a rate in
    the answer's media type takes precedence.

    Raises TransientError if the body is empty, cut off or not audio; EmbeddedError for an error in JSON; LossyAudio.
    """
    media_type = headers.get("content-type", "").lower()
    if not body:
        raise TransientError("the answer is empty")
    if body.startswith(_WHOLE_FILES):
        return _decode(_with_true_length(body) if _is_wav(body) else body)
    _refuse_json(body, media_type)
    if MARK_UP.match(body) or media_type.startswith("text/"):
        raise TransientError("the answer is text, not audio")
    if pcm_sample_rate is None:
        return _decode(body)
    told = _RATE.search(media_type)
    return _raw(body, int(told[1]) if told else pcm_sample_rate)


def _refuse_json(body: bytes, media_type: str) -> None:
    if body[:1] not in b"{[" and "json" not in media_type:
        return
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        if "json" in media_type:
            raise TransientError("the answer is text, not audio") from None
        return  # raw samples may begin like JSON
    if (status := embedded_status(payload)) is not None:
        raise EmbeddedError(status, payload)
    raise TransientError("the answer is JSON, not audio")


def _is_wav(body: bytes) -> bool:
    return body[:4] == b"RIFF" and body[8:12] == b"WAVE"


def _with_true_length(body: bytes) -> bytes:
    """Return the WAV file with its true lengths in place of placeholders. Raises TransientError if it was cut off."""
    position, block = 12, 1
    while position + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, position)
        start = position + 8
        if name == b"data":
            return _with_data_length(body, start, size, block)
        if name == b"fmt " and len(body) >= start + 14:
            block = max(1, struct.unpack_from("<H", body, start + 12)[0])
        position = start + size + size % 2
    raise TransientError("the audio is cut off")


def _with_data_length(body: bytes, start: int, size: int, block: int) -> bytes:
    """Return the file with the true length of its samples, which start at byte `start`.

    `size` is the length in the header, `block` the size of one sample of all channels, both in bytes.
    """
    present = len(body) - start
    if 0 < size < PLACEHOLDER:
        if size > present:
            raise TransientError("the audio is cut off")
        if body[start + size + size % 2 :].startswith(b"RIFF"):
            raise TransientError("the answer is several files in a row")
        return body
    if present % block:
        raise TransientError("the audio is cut off")
    lengths = struct.pack("<I", len(body) - 8), struct.pack("<I", present)
    return b"".join((body[:4], lengths[0], body[8 : start - 4], lengths[1], body[start:]))


def _decode(body: bytes) -> Clip:
    try:
        with soundfile.SoundFile(BytesIO(body)) as file:
            if file.format not in _LOSSLESS:
                raise LossyAudio(file.format)
            _check(file.frames, file.samplerate)
            channels = file.read(dtype="float32", always_2d=True)
            if len(channels) < file.frames:
                raise TransientError("the audio is cut off")
    except soundfile.LibsndfileError:
        raise TransientError("the audio cannot be decoded") from None
    samples: Samples = channels[:, 0] if channels.shape[1] == 1 else channels.mean(axis=1, dtype=np.float32)
    return Clip(np.ascontiguousarray(samples), file.samplerate)


def _raw(body: bytes, sample_rate: int) -> Clip:
    if len(body) % 2:
        raise TransientError("the audio is cut off")
    _check(len(body) // 2, sample_rate)
    return Clip(np.frombuffer(body, "<i2").astype(np.float32) / np.float32(32768), sample_rate)


def _check(frames: int, sample_rate: int) -> None:
    if not RATES[0] <= sample_rate <= RATES[1]:
        raise TransientError("the audio has no sample rate that makes sense")
    if frames <= 0:
        raise TransientError("the audio has no samples")
    if frames > LONGEST_S * sample_rate:
        raise TransientError("the audio does not say how long it is")
