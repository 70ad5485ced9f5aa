"""Files of a corpus: decoded, or the reason why not; never an exception for what is in them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from manifests.errors import InputError
from manifests.storage import Place, open_place
from pipeline.bank import clips as module
from pipeline.bank.clips import Unusable, read_blocks, read_clip
from pipeline.bank.recipe import Clips
from pipeline.engines.contract import Clip
from voicebank.layouts.clip import SourceClip

LIMITS = Clips(min_s=0.5, max_s=2)


def source(path: str = "a.wav") -> SourceClip:
    return SourceClip(path, path, "g", "en")


def noise(seconds: float = 1.0, channels: int = 1) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (int(16_000 * seconds), channels)).squeeze()


def written(directory: Path, samples: np.ndarray[Any, Any], name: str = "a.wav", **options: Any) -> Place:
    soundfile.write(directory / name, samples, 16_000, **options)
    return open_place(directory)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_what_can_be_decoded(name: str, tmp_path: Path) -> None:
    clip = read_clip(written(tmp_path, noise(), name), source(name), LIMITS)
    assert isinstance(clip, Clip)
    assert (clip.samples.dtype, clip.samples.ndim, clip.sample_rate) == (np.float32, 1, 16_000)
    assert len(clip.samples) == pytest.approx(16_000, abs=1200)
    assert clip.samples.flags["C_CONTIGUOUS"]


def test_channels_are_mixed_and_peaks_cut(tmp_path: Path) -> None:
    loud = np.stack([np.full(16_000, 4.0), np.full(16_000, 1.0)], axis=1)
    clip = read_clip(written(tmp_path, loud, subtype="FLOAT"), source(), LIMITS)
    assert isinstance(clip, Clip)
    assert np.all(clip.samples == 1)
    left = np.stack([noise(), np.zeros(16_000)], axis=1)
    clip = read_clip(written(tmp_path, left, subtype="FLOAT"), source(), LIMITS)
    assert isinstance(clip, Clip)
    assert clip.samples == pytest.approx(noise() / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("samples", "reason", "detail"),
    [
        pytest.param(noise(0.3), "clip_too_short", "0.30 s", id="too short"),
        pytest.param(noise(2.5), "clip_too_long", "2.50 s", id="too long"),
        pytest.param(np.zeros(0), "audio_unreadable", "0.00 s", id="empty"),
        pytest.param(np.zeros(16_000), "audio_unreadable", "silence", id="silence"),
        pytest.param(np.full(16_000, np.nan), "audio_unreadable", "NaN or infinite samples", id="NaN"),
        pytest.param(np.full(16_000, np.inf), "audio_unreadable", "NaN or infinite samples", id="infinite"),
    ],
)
def test_sound_that_is_none(samples: np.ndarray[Any, Any], reason: str, detail: str, tmp_path: Path) -> None:
    result = read_clip(written(tmp_path, samples, subtype="FLOAT"), source(), LIMITS)
    assert isinstance(result, Unusable)
    assert (result.reason.value, result.detail) == (reason, detail)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "audio_unreadable", id="empty file"),
        pytest.param(b"<html>not found</html>" * 99, "audio_unreadable", id="no audio"),
        pytest.param(b"fLaC" + bytes(4000), "audio_unreadable", id="a FLAC file of zeros"),
        pytest.param(None, "audio_missing", id="no file"),
    ],
)
def test_files_that_are_no_audio(content: bytes | None, reason: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    result = read_clip(open_place(tmp_path), source(), LIMITS)
    assert isinstance(result, Unusable)
    assert result.reason.value == reason
    assert str(tmp_path) not in result.detail


@pytest.mark.parametrize("name", ["n" * 300, "\ud800.wav", "a\0.wav", "名" * 100])
def test_names_that_no_file_has(name: str, tmp_path: Path) -> None:
    result = read_clip(open_place(tmp_path), source(name), LIMITS)
    assert isinstance(result, Unusable) and result.reason == "audio_missing"


def test_a_name_in_another_normal_form(tmp_path: Path) -> None:
    place = written(tmp_path, noise(), "Jos\u0065\u0301.wav")
    assert isinstance(read_clip(place, source("Jos\u00e9.wav"), LIMITS), Clip)


def test_wav_of_gsm_is_unreadable(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(), 8_000, subtype="GSM610")
    result = read_clip(open_place(tmp_path), source(), LIMITS)
    assert isinstance(result, Unusable) and result.reason == "audio_unreadable"


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_file_that_breaks_off(name: str, kept: float, tmp_path: Path) -> None:
    """What libsndfile calls a shorter WAV file is one; a FLAC file knows how long it should be."""
    place = written(tmp_path, noise(), name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: int(len(data) * kept)])
    result = read_clip(place, source(name), LIMITS)
    if name == "a.flac" or kept == 0.3:
        assert isinstance(result, Unusable)
    else:
        assert isinstance(result, Clip)
        assert len(result.samples) < 16_000


def test_a_directory_and_a_giant_are_no_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").mkdir()
    result = read_clip(open_place(tmp_path), source(), LIMITS)
    assert isinstance(result, Unusable) and result.reason == "audio_missing"
    monkeypatch.setattr(module, "_LARGEST_FILE", 1000)
    result = read_clip(written(tmp_path, noise(), "b.wav"), source("b.wav"), LIMITS)
    assert isinstance(result, Unusable) and result.reason == "clip_too_long"


def test_storage_that_fails_is_no_bad_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def get_file_info(self, path: str) -> Any:
            raise OSError(5, f"the network is gone: {path}")

    with pytest.raises(InputError, match=r"clip a\.wav cannot be read: OSError") as caught:
        read_clip(Place(Failing(), "/private/corpus"), source(), LIMITS)
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(("block_s", "block_clips", "sizes"), [(2.5, 64, [3, 3, 1]), (99, 2, [2, 2, 2, 1])])
def test_blocks(
    block_s: float, block_clips: int, sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_S", block_s)
    monkeypatch.setattr(module, "BLOCK_CLIPS", block_clips)
    written(tmp_path, noise())
    blocks = list(read_blocks(open_place(tmp_path), [source()] * 7, LIMITS))
    assert [len(block) for block in blocks] == sizes
