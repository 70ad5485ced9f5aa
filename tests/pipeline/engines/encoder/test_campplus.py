import numpy as np
import pytest
from encoder_laws import (
    check_bad_clips_are_failures,
    check_other_rates_are_resampled,
    check_results_depend_on_the_clip_alone,
    check_unit_vectors,
    check_voices_differ,
)
from speech_doubles import RATE, voice

from manifests.errors import EngineDied, EngineUnavailable
from pipeline.engines.contract import Clip
from pipeline.engines.encoder import campplus
from pipeline.engines.encoder.campplus import CampplusModel

onnx = pytest.importorskip("onnx", reason="makes its own graphs")
kaldi = pytest.importorskip("kaldi_native_fbank", reason="needs the extra 'voicebank'")
pytest.importorskip("onnxruntime", reason="needs the extra 'voicebank'")

WIDTH = 192


def graph(inputs=("input",), bins=80):
    """Of the shape of CAM++: the spread over time of features [1, frames, 80], and a matrix to 192 values."""
    rng = np.random.default_rng(0)
    matrix = onnx.numpy_helper.from_array(rng.normal(0, 1, (bins, WIDTH)).astype(np.float32), "matrix")
    axes = onnx.numpy_helper.from_array(np.array([1]), "axes")
    nodes = [
        onnx.helper.make_node("Mul", [inputs[0], inputs[-1]], ["squares"]),
        onnx.helper.make_node("ReduceMean", ["squares", "axes"], ["power"], keepdims=0),
        onnx.helper.make_node("MatMul", ["power", "matrix"], ["output"]),
    ]
    shape = ["batch", "frames", bins]
    made = onnx.helper.make_graph(
        nodes,
        "stand-in",
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in inputs],
        [onnx.helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, ["batch", WIDTH])],
        [matrix, axes],
    )
    return onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)


@pytest.fixture
def directory(tmp_path):
    place = tmp_path / "CosyVoice"
    place.mkdir()
    onnx.save(graph(), place / "campplus.onnx")
    return place


def open_encoder(place, device="auto"):
    return campplus.Campplus(CampplusModel(engine="campplus", model=str(place), serving={"device": device}))


def test_laws(directory):
    encoder = open_encoder(directory)
    assert encoder.dimension == WIDTH
    check_unit_vectors(encoder)
    check_voices_differ(encoder)
    check_other_rates_are_resampled(encoder, 0.99)
    check_bad_clips_are_failures(encoder)
    check_results_depend_on_the_clip_alone(encoder)


def test_file_and_directory_are_the_same(directory):
    clip = voice(1)
    of_directory, of_file = open_encoder(directory), open_encoder(directory / "campplus.onnx")
    assert of_directory.encode([clip])[0].tobytes() == of_file.encode([clip])[0].tobytes()
    assert of_directory.version.startswith("CosyVoice@unpinned onnxruntime ")
    assert of_file.version.startswith("campplus.onnx@unpinned onnxruntime ")


def test_features_are_less_their_mean_over_time(directory):
    """The stand-in gives the features' power: with the mean left in, it would be that of the mean."""
    clip = voice(1)
    features = campplus.kaldi_fbank(kaldi, clip.samples)
    matrix = onnx.numpy_helper.to_array(graph().graph.initializer[0])
    want = features.var(axis=0) @ matrix
    assert open_encoder(directory).encode([clip])[0].tolist() == pytest.approx(
        (want / np.linalg.norm(want)).tolist(), abs=1e-5
    )


def test_long_clips_are_taken_whole(directory):
    start, end = voice(20, 100).samples, voice(20, 220).samples
    encoder = open_encoder(directory)
    whole, first = encoder.encode([Clip(np.concatenate([start, end]), RATE), Clip(start, RATE)])
    assert float(whole @ first) < 0.999


# features

SWEEP = {
    # frame: every 13th bin, by torchaudio 2.11.0: compliance.kaldi.fbank(sweep, num_mel_bins=80, dither=0)
    0: [-3.294, -10.903, -15.876, -3.536, -15.627, -15.942, -15.942],
    20: [-5.756, -13.39, -15.9, -3.534, -9.856, -15.942, -15.942],
    47: [-6.108, -11.067, -15.348, -3.536, -15.716, -15.942, -15.942],
}


def sweep():
    time = np.arange(RATE // 2) / RATE
    tones = 0.3 * np.sin(2 * np.pi * (110 * time + 40 * time**2)) + 0.1 * np.sin(2 * np.pi * 1900 * time)
    return (tones + 0.02 * np.sin(2 * np.pi * 6100 * time**2)).astype(np.float32)


def test_features_are_those_of_upstream():
    features = campplus.kaldi_fbank(kaldi, sweep())
    assert features.shape == (48, 80)
    for frame, want in SWEEP.items():
        assert features[frame, ::13].tolist() == pytest.approx(want, abs=2e-3)
    assert features.mean() == pytest.approx(-11.03761, abs=1e-4)


@pytest.mark.parametrize("clip", [voice(2, 110), voice(3, 230)], ids=["low", "high"])
def test_features_are_those_of_torchaudio_where_it_is_there(clip):
    torch = pytest.importorskip("torch")
    from pipeline.engines.shared.torchaudio_import import import_torchaudio

    try:
        import_torchaudio()
    except ImportError:
        pytest.skip("no torchaudio")
    from torchaudio.compliance.kaldi import fbank

    want = fbank(torch.from_numpy(clip.samples)[None], num_mel_bins=80, dither=0, sample_frequency=RATE).numpy()
    difference = np.abs(campplus.kaldi_fbank(kaldi, clip.samples) - want)
    assert (difference.max() < 0.01, difference.mean() < 1e-4) == (True, True)


# what does not work


def no_file(place):
    (place / "campplus.onnx").unlink()


def no_graph(place):
    (place / "campplus.onnx").write_bytes(b"version https://git-lfs")


def other_features(place):
    onnx.save(graph(bins=40), place / "campplus.onnx")


def two_inputs(place):
    onnx.save(graph(("input", "lengths")), place / "campplus.onnx")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_file, "finds no campplus.onnx under CosyVoice@"),
        (no_graph, "cannot load CosyVoice@unpinned"),
        (other_features, "not a graph of CAM"),
        (two_inputs, "not a graph of CAM"),
    ],
)
def test_what_cannot_be_used_is_said_without_a_path(directory, spoil, words):
    spoil(directory)
    with pytest.raises(EngineUnavailable, match=words) as error:
        open_encoder(directory)
    assert str(directory) not in str(error.value)


def test_gpu_is_not_swapped_for_the_cpu(directory):
    with pytest.raises(EngineUnavailable, match="CPU only"):
        open_encoder(directory, "cuda")


def test_graph_that_breaks_down_is_a_dead_engine(directory):
    encoder = open_encoder(directory)
    with pytest.raises(EngineDied):
        encoder._run(np.zeros((10, 7), np.float32))
