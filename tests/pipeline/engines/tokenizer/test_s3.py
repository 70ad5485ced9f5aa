"""S3 as an ONNX graph: Whisper's features, frames by the formulas, windows of long clips, wrong graphs."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_checkpoints

from manifests.errors import EngineDied, EngineUnavailable
from parley.testing import audit_engine
from pipeline.engines.contract import Clip
from pipeline.engines.shared.torchaudio_import import import_torchaudio
from pipeline.engines.shared.whisper_mel import log_mel
from pipeline.engines.tokenizer.s3 import S3, S3Model

with contextlib.suppress(ImportError):
    import_torchaudio()
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime", reason="needs the extra 'tokens'")

RATE = 16_000


def noise(seconds: float, seed: int = 0) -> Clip:
    """Noise whose level is drawn anew every 50 ms."""
    random = np.random.default_rng(seed)
    samples = random.normal(0, 0.1, round(seconds * RATE))
    levels = 10.0 ** random.uniform(-3, 0, len(samples) // 800 + 1)
    return Clip((samples * np.repeat(levels, 800)[: len(samples)]).astype(np.float32), RATE)


def load(place: Path, codes: str) -> S3:
    return S3(S3Model.model_validate({"engine": "s3", "model": str(place), "codes": codes, "license": "Apache-2.0"}))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("s3")
    for version in ("v1", "v2"):
        tiny_checkpoints.s3(place / f"speech_tokenizer_{version}.onnx", version)
    return place


def test_features_are_those_of_whisper() -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra 'tokens'")
    extractor = transformers.WhisperFeatureExtractor(feature_size=128)
    samples = noise(1.234).samples
    theirs = extractor(samples, sampling_rate=RATE, padding="longest", return_tensors="np").input_features[0]
    mine = log_mel(samples, 128)
    assert mine.shape == (128, 123) and np.abs(mine - theirs[:, :123]).max() < 1e-4


@pytest.mark.parametrize(("version", "per_code", "size"), [("v1", 2, 4096), ("v2", 4, 6561)])
def test_frames_follow_the_formula(version: str, per_code: int, size: int, directory: Path) -> None:
    engine = load(directory, version)
    assert (engine.tokenizer, engine.hop_length, engine.codebook_size) == (f"s3-{version}", per_code * 160, size)
    clips = [noise(1.0), noise(3.7, 1), noise(0.05, 2), noise(0.02, 3)]
    audit_engine(engine.tokenize, clips)
    *found, short = engine.tokenize(clips)
    mel_frames = [len(clip.samples) // 160 for clip in clips[:3]]
    halves = [-(-frames // 2) for frames in mel_frames]
    assert [len(codes[0]) for codes in found] == [half if per_code == 2 else -(-half // 2) for half in halves]
    assert "shorter than the 0.025 s" in short.detail
    assert all(0 <= code < size for codes in found for code in codes[0]) and len(set(found[1][0])) > 10


@pytest.mark.parametrize("seconds", [30.0, 31.0, 56.02, 64.5])
def test_long_clips_are_heard_in_windows_and_nothing_is_lost(seconds: float, directory: Path) -> None:
    engine = load(directory, "v2")
    clip = noise(seconds)
    (codes,) = engine.tokenize([clip])[0]
    whole = engine._run(log_mel(clip.samples, 128)).tolist()
    assert list(codes) == whole, "each code of this graph hears less than half an overlap"


@pytest.mark.parametrize(
    ("file", "codes", "says"),
    [
        ("speech_tokenizer_v1.onnx", "v1-25hz", "is not the graph of S3 v1-25hz: it gives 50 codes a second, not 25"),
        ("speech_tokenizer_v2.onnx", "v1", "is not the graph of S3 v1: it gives 25 codes a second, not 50"),
        ("", "v3", "finds no speech_tokenizer_v3.onnx"),
    ],
)
def test_a_graph_of_another_version_is_refused(file: str, codes: str, says: str, directory: Path) -> None:
    with pytest.raises(EngineUnavailable, match=says):
        load(directory / file if file else directory, codes)


def test_codes_of_another_version_stop_the_job(directory: Path) -> None:
    engine = load(directory / "speech_tokenizer_v2.onnx", "v1-25hz")
    with pytest.raises(EngineDied, match="but its codebook has 4096"):
        engine.tokenize([noise(3.0)])


def test_a_graph_with_other_inputs_is_refused(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    shapes: Any = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 80, "T"]) for name in ("a", "b")]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "sum", shapes, shapes[:1])
    graph.output[0].name = "c"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "sum.onnx")
    with pytest.raises(EngineUnavailable, match="is not a graph of an S3 tokenizer"):
        load(tmp_path / "sum.onnx", "v2")
