"""Messages of watermarks, marks that were made at another rate, channels."""

from collections.abc import Sequence

import numpy as np
import pytest

from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Detection, Failure
from pipeline.engines.watermark._message import (
    add_mark,
    bit_errors,
    embed_channels,
    message_bits,
    message_of,
    message_text,
)
from tests.tables import each_row


@each_row(
    ("digest", "bits", "message"),
    [
        ("a3f1" + 60 * "0", 16, 0xA3F1),
        ("00f1" + 60 * "f", 16, 0x00F1),
        ("a3f1" + 60 * "0", 10, 0xA3F1 >> 6),
        ("a3f1" + 60 * "0", 0, 0),
        ("a3f1", 16, 0xA3F1),
        (None, 16, 0),
    ],
)
def test_the_message_is_the_first_bits_of_the_digest(digest: str | None, bits: int, message: int) -> None:
    assert message_of(digest, bits) == message


@pytest.mark.parametrize("digest", ["", "a3", "a recipe of mine"])
def test_what_is_no_digest_gives_no_message(digest: str) -> None:
    with pytest.raises(ValueError):
        message_of(digest, 16)


@pytest.mark.parametrize(
    ("message", "bits", "text"),
    [(0xA3F1, 16, "a3f1"), (1, 16, "0001"), (0, 16, "0000"), (0b10_0000_0001, 10, "201"), (1, 1, "1")],
)
def test_a_message_is_written_with_all_its_digits(message: int, bits: int, text: str) -> None:
    assert len(message_bits(message, bits)) == bits
    assert message_text(message_bits(message, bits)) == text


def test_the_most_significant_bit_comes_first() -> None:
    assert message_bits(0b1000, 4) == (1, 0, 0, 0)


@pytest.mark.parametrize("message", [-1, 1 << 16])
def test_a_message_that_does_not_fit_is_refused(message: int) -> None:
    with pytest.raises(ValueError, match="does not fit into 16 bits"):
        message_bits(message, 16)


@pytest.mark.parametrize(
    ("found", "errors"), [("a3f1", 0), ("a3f0", 1), ("23f0", 2), ("5c0e", 16), (None, 16)], ids=str
)
def test_wrong_bits_are_counted(found: str | None, errors: int) -> None:
    assert bit_errors(found, 0xA3F1, 16) == errors


@each_row("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
@each_row("extra", [0, 1, 79])
def test_a_mark_of_another_rate_fits_the_clip(rate: int, extra: int) -> None:
    clip = Clip(np.zeros(rate // 2 + extra, np.float32), rate)
    marked = add_mark(clip, np.full(8_000 + round(extra * 16_000 / rate), 0.25, np.float32), 16_000)
    assert (marked.samples.shape, marked.sample_rate, marked.samples.dtype) == (clip.samples.shape, rate, np.float32)
    assert np.allclose(marked.samples[500:-500], 0.25, atol=0.01)
    assert not clip.samples.any()


def test_a_loud_clip_is_cut_off_and_does_not_wrap() -> None:
    clip = Clip(np.array([0.9, -0.9, 0.5], np.float32), 16_000)
    assert add_mark(clip, np.array([0.2, -0.2, 0.2], np.float32), 16_000).samples.tolist() == pytest.approx(
        [1, -1, 0.7]
    )


class AddsItsMessage:
    name, version, bits = "adds", "1", 16

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]:
        return [
            Clip(clip.samples + np.float32(message), clip.sample_rate)
            if clip.samples.any()
            else Failure(Reason.WATERMARK_FAILED, "the clip is silent")
            for clip, message in zip(clips, messages, strict=True)
        ]

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]:
        return [Detection(1.0) for _ in clips]


def test_each_channel_is_marked() -> None:
    stereo = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    marked = embed_channels(AddsItsMessage(), stereo, 16_000, 7)
    assert isinstance(marked, np.ndarray)
    assert marked.tolist() == (stereo + 7).tolist()


def test_audio_with_a_channel_that_cannot_be_marked_is_not_marked_at_all() -> None:
    stereo = np.array([[1, 2, 3], [0, 0, 0]], np.float32)
    assert embed_channels(AddsItsMessage(), stereo, 16_000, 7) == Failure(
        Reason.WATERMARK_FAILED, "the clip is silent"
    )
