"""Bodies of speech answers: whole, streamed, raw, cut off, and not audio at all."""

import base64
import gzip
import json
import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.engines.remote.clip import LONGEST_S, UnusableFormat, read_clip
from pipeline.engines.remote.error_kinds import EmbeddedError, TransientError
from tests.tables import each_row

RATE = 24_000
PCM = np.round(np.sin(np.arange(RATE // 10) * 0.05) * 9000).astype(np.int16)
SAMPLES = PCM.astype(np.float32) / 32768


def file_of(kind: str = "WAV", samples: Any = PCM, subtype: str | None = "PCM_16", rate: int = RATE) -> bytes:
    file = BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


WAV, FLAC = file_of(), file_of("FLAC")


def with_length(length: int, wav: bytes = WAV) -> bytes:
    """Return the WAV file with that number as the length of the samples."""
    at = wav.index(b"data") + 4
    riff = struct.pack("<I", min(length + 36, 0xFFFFFFFF))
    return wav[:4] + riff + wav[8:at] + struct.pack("<I", length) + wav[at + 4 :]


def with_list(wav: bytes) -> bytes:
    """Put a chunk of odd length before the samples, as ffmpeg does with its name."""
    at = wav.index(b"data")
    return wav[:at] + b"LIST" + struct.pack("<I", 5) + b"INFOx\0" + wav[at:]


INFO = b"LIST" + struct.pack("<I", 13) + b"INFOISFT\1\0\0\0x\0"
"""A chunk with the name of a program, as ffmpeg puts it behind the samples."""


def in_pieces(length: int, behind: bytes = b"") -> bytes:
    """Return the samples in three WAV files in a row, each with that number as its length, as one stream."""
    pieces = (PCM[:800], PCM[800:801], PCM[801:])
    return b"".join(with_length(length, file_of(samples=piece)) + behind for piece in pieces)


def flac_of_unknown_length() -> bytes:
    body = bytearray(FLAC)
    body[21] &= 0xF0
    body[22:26] = bytes(4)
    return bytes(body)


@each_row(
    "body",
    [
        pytest.param(WAV, id="a WAV file"),
        pytest.param(FLAC, id="a FLAC file"),
        pytest.param(with_length(0xFFFFFFFF), id="streamed: the highest number"),
        pytest.param(with_length(0x7FFFFFFF), id="streamed: the highest with a sign"),
        pytest.param(with_length(2_000_000_000), id="streamed: a round number"),
        pytest.param(with_length(0), id="streamed: no length at all"),
        pytest.param(with_list(WAV), id="another chunk first"),
        pytest.param(with_list(with_length(0xFFFFFFFF)), id="streamed, another chunk first"),
        pytest.param(WAV + b"LIST\4\0\0\0INFO", id="another chunk behind"),
        pytest.param(file_of("WAVEX"), id="WAV, extensible"),
        pytest.param(with_length(0xFFFFFFFF) + INFO, id="streamed, another chunk behind"),
        pytest.param(with_length(0) + INFO[:-1], id="no length, another chunk behind without its padding"),
        pytest.param(in_pieces(0xFFFFFFFF), id="streamed, a header for each piece"),
        pytest.param(in_pieces(0), id="no length, a header for each piece"),
        pytest.param(in_pieces(0xFFFFFFFF, INFO), id="streamed, a header and a chunk for each piece"),
        pytest.param(b"\r\n" + WAV, id="a line end first"),
        pytest.param(b"\xef\xbb\xbf" + FLAC, id="a byte order mark first"),
        pytest.param(WAV + b"\r\n", id="a line end behind"),
        pytest.param(file_of("WAV", SAMPLES, "FLOAT"), id="WAV of floats"),
        pytest.param(file_of("WAV", np.stack([PCM, PCM], 1)), id="two channels that are one"),
    ],
)
@each_row("pcm_sample_rate", [None, 8000])
def test_whole_files(body: bytes, pcm_sample_rate: int | None) -> None:
    """A file has its own rate, whatever was asked for."""
    clip = read_clip(body, {"content-type": "application/octet-stream"}, pcm_sample_rate)
    assert clip.sample_rate == RATE
    assert clip.samples.dtype == np.float32
    assert clip.samples.flags.c_contiguous
    np.testing.assert_allclose(clip.samples, SAMPLES, atol=1e-7)


@pytest.mark.parametrize(
    ("media_type", "rate"),
    [("audio/pcm", 22_050), ("", 22_050), ("audio/L16; rate=16000; channels=1", 16_000)],
)
def test_raw_samples(media_type: str, rate: int) -> None:
    clip = read_clip(PCM.tobytes(), {"content-type": media_type}, 22_050)
    assert clip.sample_rate == rate
    np.testing.assert_array_equal(clip.samples, SAMPLES)


def test_raw_samples_may_begin_like_json() -> None:
    body = b'{"' + PCM.tobytes()
    assert len(read_clip(body, {"content-type": "audio/pcm"}, RATE).samples) == len(PCM) + 1


JSON = {"content-type": "application/json"}


@each_row(
    ("body", "headers", "what"),
    [
        pytest.param(b"", {}, "empty", id="nothing"),
        pytest.param(WAV[: len(WAV) // 2], {}, "cut off", id="half a WAV file"),
        pytest.param(WAV[:-1], {}, "cut off", id="a WAV file without its last byte"),
        pytest.param(with_length(0xFFFFFFFF)[:-1], {}, "cut off", id="half a sample at the end of a stream"),
        pytest.param(WAV[:44], {}, "cut off", id="a header that promises samples"),
        pytest.param(with_length(0)[:44], {}, "no samples", id="a header alone"),
        pytest.param(WAV[:30], {}, "cut off", id="half a header"),
        pytest.param(WAV + WAV, {}, "several files", id="two files in a row"),
        pytest.param(with_length(0) + file_of(samples=PCM, rate=8000), {}, "several files", id="streams of two rates"),
        pytest.param(with_length(len(PCM)), {}, "longer than its header", id="a length of half the samples"),
        pytest.param(in_pieces(0)[:-1], {}, "cut off", id="half a sample at the end of pieces"),
        pytest.param(b"voice not found", {}, "text", id="words"),
        pytest.param("没有这个声音".encode() * 40, {}, "text", id="Chinese words"),
        pytest.param(FLAC[: len(FLAC) // 2], {}, "decoded", id="half a FLAC file"),
        pytest.param(flac_of_unknown_length(), {}, "how long", id="FLAC of unknown length"),
        pytest.param(file_of(samples=PCM[:9], rate=1000), {}, "sample rate", id="1000 samples a second"),
        pytest.param(b"\1no audio at all", {}, "decoded", id="bytes"),
        pytest.param(b"<!DOCTYPE html><html></html>", {}, "text", id="HTML"),
        pytest.param(b"\n<html></html>", {"content-type": "text/html"}, "text", id="HTML that says so"),
        pytest.param(b"please log in", {"content-type": "text/plain"}, "text", id="text"),
        pytest.param(b'{"audio": "UklGRg=="}', JSON, "JSON", id="JSON"),
        pytest.param(b'{"error": {"message": "no"}}', {}, "JSON", id="an error without a code"),
        pytest.param(b'{"error": {"mess', JSON, "text", id="half of some JSON"),
        pytest.param(b"[1, 2]", {}, "JSON", id="a list"),
    ],
)
@each_row("pcm_sample_rate", [None, RATE], ids=["file", "raw"])
def test_a_spoiled_body_is_a_transient_error(
    body: bytes, headers: dict[str, str], what: str, pcm_sample_rate: Any
) -> None:
    if what == "decoded" and body.startswith(b"\1") and pcm_sample_rate:
        return  # an even number of bytes may be samples
    with pytest.raises(TransientError, match=what):
        read_clip(body, headers, pcm_sample_rate)


def test_a_length_beyond_the_limit_is_a_transient_error() -> None:
    with pytest.raises(TransientError, match="how long"):
        read_clip(bytes(2 * 4000 * (LONGEST_S + 1)), {}, 4000)


def test_an_error_in_the_body_is_an_embedded_error() -> None:
    payload = {"error": {"message": "busy", "code": 429}}
    with pytest.raises(EmbeddedError) as caught:
        read_clip(json.dumps(payload).encode(), JSON)
    assert (caught.value.status, caught.value.payload) == (429, payload)


LONG = np.tile(SAMPLES, 10)
EVENTS = b'data: {"type": "speech.audio.delta", "audio": "AAAA"}\n\n'
BASE64 = base64.encodebytes(WAV)
OTHERS = [
    # the body, what it is called, in the advice
    (file_of("OGG", LONG, None), "OGG", "set response_format to what it can send: wav, flac or pcm"),
    (file_of("MP3", LONG, None), "MP3", "response_format"),
    (file_of("MP3", LONG, None, 44_100), "MP3", "response_format"),
    (b"ID3\4\0\0\0\0\0\0" + file_of("MP3", LONG, None), "MP3", "response_format"),
    (file_of("AIFF"), "AIFF", "response_format"),
    (file_of("AU"), "AU", "response_format"),
    (file_of("CAF"), "CAF", "response_format"),
    (b"".join(b"\xff\xf1\x50\x80\x01\x7f\xfc" + bytes([n] * 4) for n in range(4)), "AAC", "response_format"),
    (b"\0\0\0\x1cftypM4A " + bytes(20), "MP4", "response_format"),
    (b"\x1aE\xdf\xa3" + bytes(20), "WebM", "response_format"),
    (gzip.compress(WAV), "gzip", "response_format"),
    (file_of("WAV", PCM, "ULAW"), "WAV of U-Law", "set the server to samples of 16 bits"),
    (file_of("WAV", PCM, "ALAW"), "WAV of A-Law", "16 bits"),
    (file_of("WAV", PCM, "IMA_ADPCM"), "WAV of IMA ADPCM", "16 bits"),
    (file_of("WAV", PCM, "GSM610", 8000), "WAV of GSM 6.10", "16 bits"),
    (BASE64, "base64 text", "the bytes of the audio are needed: set extra_body"),
    (BASE64.replace(b"\n", b""), "base64 text", "extra_body"),
    (b"data:audio/wav;base64," + BASE64, "a data URI", "extra_body"),
    (EVENTS * 3, "a stream of events", '{"stream_format": "audio"}'),
    (b"event: speech.audio.delta\n" + EVENTS, "a stream of events", '{"stream_format": "audio"}'),
    (b"--x\r\nContent-Type: audio/wav\r\n\r\n" + WAV, "a multipart message", "extra_body"),
]


@each_row(("body", "name", "advice"), OTHERS, ids=[f"{name} {len(body)}" for body, name, _ in OTHERS])
@each_row("pcm_sample_rate", [None, RATE], ids=["file", "raw"])
def test_other_formats_are_named(body: bytes, name: str, advice: str, pcm_sample_rate: int | None) -> None:
    with pytest.raises(UnusableFormat) as caught:
        read_clip(body, {"content-type": "audio/wav"}, pcm_sample_rate)
    assert str(caught.value) == name
    assert advice in caught.value.hint


@each_row("start", [b"\xff\xfb\x90\x64", b"\xff\xf1\x50\x80\x01\x7f\xfc\0", b"{}", b"data:", b"--ab", b"<?" * 40])
def test_raw_samples_may_begin_like_another_format(start: bytes) -> None:
    body = start + b"\0" * (len(start) % 2) + PCM.tobytes()
    assert len(read_clip(body, {"content-type": "audio/pcm"}, RATE).samples) == len(body) // 2


def test_two_channels_are_averaged() -> None:
    body = file_of(samples=np.stack([PCM, np.zeros_like(PCM)], 1))
    np.testing.assert_allclose(read_clip(body, {}).samples, SAMPLES / 2, atol=1e-7)
