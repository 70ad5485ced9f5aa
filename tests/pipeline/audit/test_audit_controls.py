"""Controls: resynthesized clips lose the mark and little else; recordings are drawn by the seed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from manifests.errors import UserError
from pipeline.audit.controls import find_recordings, read_recordings, resynthesize
from pipeline.engines.contract import Clip
from pipeline.engines.registry import load_engine
from tests.pipeline.audit.audited import tones


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_a_resynthesized_clip_keeps_its_shape_and_loses_the_mark(rate: int) -> None:
    engine = load_engine("watermark", "tone-mark")
    clip = engine.embed([tones(3, rate)], [0])[0]
    made = resynthesize(clip)
    scores = [found.score for found in engine.detect([clip, made])]
    assert scores[0] > 0.9 and scores[1] < 0.1
    assert (made.sample_rate, made.samples.shape) == (rate, clip.samples.shape)
    assert np.abs(made.samples).max() == pytest.approx(np.abs(clip.samples).max(), rel=1e-5)
    assert _envelope_correlation(made, clip) > 0.8


def test_resynthesis_is_deterministic() -> None:
    np.testing.assert_array_equal(resynthesize(tones()).samples, resynthesize(tones()).samples)


def test_silence_stays_silence() -> None:
    silence = Clip(np.zeros(8_000, np.float32), 16_000)
    assert not resynthesize(silence).samples.any()


def _recordings(root: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.full((2_400 * 11, 2), number / 100), 2_400)
    return root


NAMES = [f"{folder}/{number}.{kind}" for folder in "ab" for number in range(4) for kind in ("wav", "flac")]


def test_recordings_are_drawn_by_the_seed(tmp_path: Path) -> None:
    root = _recordings(tmp_path, NAMES)
    (tmp_path / "notes.txt").write_text("no sound")
    drawn = {seed: find_recordings(str(root), 5, seed) for seed in (0, 1)}
    assert find_recordings(str(root), 5, 0) == drawn[0] != drawn[1]
    assert len(set(drawn[0])) == 5
    assert len(find_recordings(str(root), 99, 0)) == len(NAMES)


def test_recordings_come_mono_at_the_corpus_rate_and_no_longer_than_ten_seconds(tmp_path: Path) -> None:
    paths = find_recordings(str(_recordings(tmp_path, NAMES[:1])), 1, 0)
    (clip,) = read_recordings(paths, 16_000)
    assert (clip.samples.shape, clip.samples.dtype, clip.sample_rate) == ((160_000,), np.float32, 16_000)


@pytest.mark.parametrize(
    ("file", "said"), [(None, "no sound files"), ("broken.wav", "broken.wav cannot be read")], ids=["none", "broken"]
)
def test_bad_controls_are_user_errors(tmp_path: Path, file: str | None, said: str) -> None:
    if file:
        (tmp_path / file).write_bytes(b"not a recording")
    with pytest.raises(UserError, match=said) as caught:
        list(read_recordings(find_recordings(str(tmp_path), 3, 0), 16_000))
    assert str(tmp_path) not in str(caught.value)


def _envelope_correlation(one: Clip, other: Clip) -> float:
    """Of the levels of 20 ms blocks."""
    block = one.sample_rate // 50
    levels = [
        np.sqrt(np.mean(c.samples[: len(c.samples) // block * block].reshape(-1, block) ** 2, axis=1))
        for c in (one, other)
    ]
    return float(np.corrcoef(levels)[0, 1])
