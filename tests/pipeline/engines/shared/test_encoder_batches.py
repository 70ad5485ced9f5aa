"""A batch is used where it was seen to give what clips alone give; a network that pads badly goes clip by clip."""

import logging

import numpy as np
import pytest

from pipeline.engines.contract import Clip, Failure
from pipeline.engines.shared.encoder_batches import encode_batches, trusted_batch_s

RATE = 16_000


def spectrum(clip):
    return np.abs(np.fft.rfft(clip, 64))[:8] + len(clip) / RATE


def clean(clips):
    return [spectrum(clip) for clip in clips]


def leaking(clips):
    """Takes the padding of shorter clips for sound, as libraries do."""
    longest = max(map(len, clips))
    return [spectrum(np.pad(clip, (0, longest - len(clip)))) for clip in clips]


def test_a_batch_is_tried_before_it_is_trusted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert trusted_batch_s(240.0, "cuda", clean, "wavlm") == 240.0
        assert trusted_batch_s(240.0, "cpu", clean, "wavlm") == 0.0
        assert not caplog.messages
        assert trusted_batch_s(240.0, "cuda", leaking, "wavlm") == 0.0
    assert caplog.messages == ["wavlm: this model gives other vectors in batches, so that clips go one by one, slowly"]


def test_rows_keep_their_places_and_bad_clips_cost_the_others_nothing() -> None:
    noise = np.random.default_rng(1)
    lengths = [1.0, 0.1, 3.0, 0.7]
    clips = [Clip(noise.normal(0, 0.1, int(s * RATE)).astype(np.float32), RATE) for s in lengths]
    batches: list[int] = []

    def embed(found):
        batches.append(len(found))
        return clean(found)

    made = encode_batches(clips, embed, 6.0)
    assert batches == [2, 1], "three clips of up to 3 s are more than 6 s"
    assert [isinstance(one, Failure) for one in made] == [False, True, False, False]
    for row in (0, 2, 3):
        want = spectrum(clips[row].samples)
        assert np.allclose(made[row], want / np.linalg.norm(want), atol=1e-6)
