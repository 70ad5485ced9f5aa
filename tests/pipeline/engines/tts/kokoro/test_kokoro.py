"""The engine on a graph of the true form: what it is given, what it gives, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the extra 'kokoro'")
pytest.importorskip("hibari", reason="needs the extra 'kokoro'")
pytest.importorskip("misaki", reason="needs the extra 'kokoro'")

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.registry import load_engine
from pipeline.engines.tts.kokoro import KokoroModel, KokoroServing
from pipeline.engines.tts.kokoro.synthesizer import unclipped
from tests.pipeline.engines.tts.kokoro.tiny_kokoro import TOKEN_SAMPLES, make_directory
from tests.tables import each_row
from voicebank.voice import Voice


def open_model(directory: Path, **settings: object):
    return load_engine("tts", "m", {"m": KokoroModel(engine="kokoro", model=str(directory), **settings)})


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_directory(tmp_path_factory.mktemp("kokoro") / "model")


@pytest.fixture(scope="module")
def engine(directory: Path):
    return open_model(directory)


def voice(speaker: str = "af_heart", language: str = "en", **more: object) -> Voice:
    return Voice("v", "kokoro", speaker, language, "female", **more)


def request(text: str = "Hello there.", spoken_by: Voice | None = None, rate: float = 1.0, seed: int = 1):
    spoken_by = spoken_by or voice()
    return SpeechRequest(text, spoken_by.language, spoken_by, rate, seed)


def speak(engine, *requests: SpeechRequest) -> list[Clip]:
    clips = engine.synthesize(requests)
    assert all(isinstance(clip, Clip) for clip in clips), clips
    return clips


def test_clip(engine) -> None:
    (clip,) = speak(engine, request())
    assert clip.sample_rate == 24_000
    assert clip.samples.dtype == np.float32 and clip.samples.ndim == 1 and clip.samples.flags.c_contiguous
    assert 0 < np.abs(clip.samples).max() <= 1


def test_a_batch_is_its_singles(engine) -> None:
    requests = [
        request(),
        request("你好。", voice("zf_xiaoyi", "zh")),
        request("One more.", seed=5),
        request(rate=1.2),
    ]
    batch = speak(engine, *requests)
    for one, clip in zip(requests, batch, strict=True):
        assert np.array_equal(speak(engine, one)[0].samples, clip.samples)


def test_seed_and_rate_move_the_speed_alone(engine) -> None:
    lengths = [len(speak(engine, request(seed=seed))[0].samples) for seed in range(6)]
    assert len(set(lengths)) > 3
    assert max(lengths) / min(lengths) < 1.08
    slow, quick = (len(speak(engine, request(rate=rate))[0].samples) for rate in (0.8, 1.25))
    assert 1.4 < slow / quick < 1.7


def test_both_forms_of_the_graph_give_the_same(engine, tmp_path: Path) -> None:
    other = open_model(make_directory(tmp_path / "other", tokens="input_ids"))
    assert np.array_equal(speak(other, request())[0].samples, speak(engine, request())[0].samples)


def test_peaks_over_one_are_scaled_not_cut(engine) -> None:
    loud = voice("ef_dora")  # number 8: samples up to 0.8
    (clip,) = speak(engine, request(spoken_by=loud))
    assert 0.7 < np.abs(clip.samples).max() <= 0.8
    wave = np.array([0.5, -2.0, 1.0], np.float32)
    assert np.allclose(unclipped(wave), [0.25, -1, 0.5])
    assert np.array_equal(unclipped(wave[:1]), wave[:1])


def test_pitch_moves_the_tones_and_not_the_length(engine) -> None:
    (plain,), (high,) = speak(engine, request()), speak(engine, request(spoken_by=voice(pitch=1.2)))
    assert len(high.samples) == pytest.approx(len(plain.samples), rel=0.02)
    assert not np.array_equal(high.samples, plain.samples)


def test_long_texts_are_cut_and_nothing_is_lost(engine) -> None:
    sentence = "The old harbor was quiet before the storm came in. "
    (one,), (many,) = speak(engine, request(sentence)), speak(engine, request(sentence * 20))
    tokens = len(one.samples) / TOKEN_SAMPLES
    assert len(many.samples) / TOKEN_SAMPLES == pytest.approx(20 * tokens, rel=0.08)


@each_row(
    ("text", "spoken_by", "words"),
    [
        ("Hello.", voice("xx_nobody"), "no voice xx_nobody"),
        ("Hello.", voice("rms"), "no voice rms"),
        ("Hello.", voice(parents=("af_heart", "af_none"), weights=(0.5, 0.5)), "no voice af_none"),
        ("Bonjour.", voice(language="fr"), "does not speak 'fr'"),
        ("", voice(), "no letters"),
        ("...", voice("zf_xiaoyi", "zh"), "no letters"),
        ("a\x07b", voice(), "control character"),
        ("Привет.", voice(), "no English sound"),
        ("这是𠮷。", voice("zf_xiaoyi", "zh"), "no sound"),
        ("价格是π。", voice("zf_xiaoyi", "zh"), "no sound"),
        ("Hello.", voice(rate=9.0), "speaking rate"),
    ],
)
def test_what_cannot_be_spoken_is_a_failure(engine, text: str, spoken_by: Voice, words: str) -> None:
    (result,) = engine.synthesize([request(text, spoken_by)])
    assert isinstance(result, Failure) and words in result.detail, result


def test_own_voices_leave_out_those_that_are_unclear(engine) -> None:
    own = {voice.speaker: voice for voice in engine.own_voices()}
    assert "zf_xiaoni" not in own and {"af_heart", "zm_yunxi"} <= own.keys()
    assert (own["zm_yunxi"].language, own["zm_yunxi"].gender) == ("zh", "male")


def test_directories_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    whole = make_directory(tmp_path / "whole")
    for path, words in (
        (tmp_path / "empty", "has no model.onnx, vocab.json"),
        (tmp_path / "gone", "has no model.onnx"),
    ):
        with pytest.raises(EngineUnavailable, match=words):
            open_model(path)
    (whole / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(EngineUnavailable, match=r"model\.onnx: it is not an ONNX graph"):
        open_model(whole)
    (whole / "vocab.json").write_text("[1]")
    with pytest.raises(EngineUnavailable, match=r"vocab\.json is not a table"):
        open_model(whole)
    with pytest.raises(EngineUnavailable, match="whole number"):
        open_model(make_directory(tmp_path / "int", speed=6))
    with pytest.raises(EngineUnavailable, match="takes other"):
        open_model(make_directory(tmp_path / "other", tokens="other"))


def test_a_style_of_another_size_is_a_failure(tmp_path: Path) -> None:
    made = make_directory(tmp_path / "model")
    (made / "voices" / "af_heart.bin").write_bytes(b"\0" * 1024)
    (result,) = open_model(made).synthesize([request()])
    assert isinstance(result, Failure) and "af_heart is not 510 rows" in result.detail


def test_a_gpu_needs_float(directory: Path) -> None:
    with pytest.raises(EngineUnavailable, match="dtype: float32"):
        open_model(directory, serving=KokoroServing(device="cuda"))
    with pytest.raises(EngineUnavailable, match="built without it"):
        open_model(directory, serving=KokoroServing(device="cuda"), dtype="float32")
