"""Reads the body of a speech answer, whichever server wrote it: a whole WAV or FLAC file, or raw 16-bit samples.

What else may come (another format, audio wrapped in text, an error, a page) is told by its content, and named.
"""

import json
import re
from collections.abc import Mapping
from io import BytesIO

import numpy as np
import soundfile

from pipeline.engines.contract import Clip, Samples
from pipeline.engines.remote.audio_kinds import is_text, other_audio, wrapped_audio
from pipeline.engines.remote.error_kinds import EmbeddedError, TransientError, embedded_status
from pipeline.engines.remote.wav_stream import is_wav, with_true_length

LONGEST_S = 3600
"""A longer clip is not one turn of a dialogue but a broken header; decoding it would ask for that much memory."""
RATES = (4_000, 192_000)
"""Sample rates that a clip may have, Hz."""

MARK_UP = re.compile(rb"\s*(?:<!doctype|<html|<\?xml)", re.IGNORECASE)
"""The beginning of a page that a proxy or a captive portal sends instead of an answer."""

_CONTAINERS = frozenset({"WAV", "WAVEX", "RF64", "FLAC"})
_LOSSLESS = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"})
_WHOLE_FILES = (b"RIFF", b"RIFX", b"RF64", b"fLaC")
_RATE = re.compile(r"\brate=(\d+)")


class UnusableFormat(Exception):
    """The body is audio, but lossy, in another container, or wrapped in text. `what` names it, `hint` what to do."""

    def __init__(self, what: str, hint: str = "set response_format to what it can send: wav, flac or pcm") -> None:
        super().__init__(what)
        self.hint = hint


def read_clip(body: bytes, headers: Mapping[str, str], pcm_sample_rate: int | None = None) -> Clip:
    """Return the clip, its channels averaged. `pcm_sample_rate` (Hz) is given if raw samples were asked for; a rate in
    the answer's media type takes precedence.

    Raises TransientError if the body is empty, cut off or not audio; EmbeddedError for an error in JSON;
    UnusableFormat.
    """
    media_type = headers.get("content-type", "").lower()
    if not body:
        raise TransientError("the answer is empty")
    inner = body.lstrip(b"\r\n\t \xef\xbb\xbf")  # some servers end their headers with one line end too many
    if inner.startswith(_WHOLE_FILES):
        return _decode(with_true_length(inner) if is_wav(inner) else inner)
    _refuse_json(body, media_type)
    _refuse_others(body, media_type)
    if pcm_sample_rate is None:
        return _decode(body)
    told = _RATE.search(media_type)
    return _raw(body, int(told[1]) if told else pcm_sample_rate)


def _refuse_others(body: bytes, media_type: str) -> None:
    if name := other_audio(body):
        raise UnusableFormat(name)
    if what := wrapped_audio(body):
        events = what == "a stream of events"
        field = '{"stream_format": "audio"}' if events else "a field with which the server sends them, if it has one"
        raise UnusableFormat(what, f"the bytes of the audio are needed: set extra_body to {field}")
    if MARK_UP.match(body) or media_type.startswith("text/") or is_text(body):
        raise TransientError("the answer is text, not audio")


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


def _decode(body: bytes) -> Clip:
    try:
        with soundfile.SoundFile(BytesIO(body)) as file:
            if file.format not in _CONTAINERS:
                raise UnusableFormat(file.format)
            if file.subtype not in _LOSSLESS:
                raise UnusableFormat(f"{file.format} of {file.subtype_info}", "set the server to samples of 16 bits")
            _check(file.frames, file.samplerate)
            channels = file.read(dtype="float32", always_2d=True)
            if len(channels) < file.frames:
                raise TransientError("the audio is cut off")
    except (soundfile.SoundFileError, ValueError):  # ValueError: libsndfile promises what it cannot do
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
