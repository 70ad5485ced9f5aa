"""Delivered bytes are decoded once for the stages that hear them one after the other."""

import numpy as np
import pytest

from manifests.schema import Audio, Take
from parley.testing.stages import make_take
from pipeline.audio.samples import encode
from pipeline.stages import _takes


def take(seed: int, codec: str = "flac") -> Take:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, 1000).astype(np.float32)
    return make_take(audio=encode(samples, 16_000, codec))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Audio]:
    """The clips that were really decoded."""
    found: list[Audio] = []
    decode = _takes.decode
    monkeypatch.setattr(_takes, "decode", lambda audio: (found.append(audio), decode(audio))[1])
    monkeypatch.setattr(_takes, "_DECODED", _takes._Decoded())
    return found


def test_the_same_bytes_are_decoded_once_and_nobody_sees_what_another_does_to_them(decoded: list[Audio]) -> None:
    one = take(1)
    first, second = _takes.clip_of(one), _takes.clip_of(one)
    assert len(decoded) == 1
    assert np.array_equal(first.samples, second.samples)
    before = second.samples.copy()
    first.samples[:] = 0.0
    second.samples[:10] = 1.0
    assert np.array_equal(_takes.clip_of(one).samples, before)
    assert len(decoded) == 1


def test_other_bytes_are_decoded_and_the_oldest_are_forgotten(
    decoded: list[Audio], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_takes, "_MOST_SAMPLES", 2000)
    takes = [take(seed) for seed in range(3)]
    for one in (*takes, takes[2], takes[1], takes[0]):
        _takes.clip_of(one)
    assert [takes.index(next(t for t in takes if t.audio is audio)) for audio in decoded] == [0, 1, 2, 0]
    assert _takes._DECODED._samples == 2000
