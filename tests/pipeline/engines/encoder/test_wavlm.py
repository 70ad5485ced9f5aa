import contextlib
import shutil

import numpy as np
import pytest
from encoder_laws import (
    check_a_batch_gives_what_each_clip_alone_gives,
    check_bad_clips_are_failures,
    check_other_rates_are_resampled,
    check_results_depend_on_the_clip_alone,
    check_unit_vectors,
    check_voices_differ,
)
from speech_doubles import RATE, voice

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import Clip, Failure
from pipeline.engines.encoder import wavlm
from pipeline.engines.encoder.wavlm import WavLMModel
from pipeline.engines.shared.torchaudio_import import import_torchaudio

with contextlib.suppress(ImportError):
    import_torchaudio()
transformers = pytest.importorskip("transformers", reason="needs the extra 'voicebank'")
torch = pytest.importorskip("torch")

TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (16,) * 7,
    "tdnn_dim": (32, 32, 32, 32, 64),
    "xvector_output_dim": 24,
    "classifier_proj_size": 24,
}


def save(directory, norm="group", head=True, weighted=False, **extractor):
    torch.manual_seed(0)
    config = transformers.WavLMConfig(
        **TINY, feat_extract_norm=norm, do_stable_layer_norm=norm == "layer", use_weighted_layer_sum=weighted
    )
    network = transformers.WavLMForXVector(config) if head else transformers.WavLMModel(config)
    network.save_pretrained(directory)
    transformers.Wav2Vec2FeatureExtractor(**extractor).save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return save(tmp_path_factory.mktemp("wavlm"))


@pytest.fixture(scope="module")
def encoder(checkpoint):
    return wavlm.WavLM(model_of(checkpoint))


def model_of(place, device="cpu", **keys):
    return WavLMModel(engine="wavlm", model=str(place), serving={"device": device}, **keys)


def test_laws(encoder):
    assert encoder.dimension == 24
    check_unit_vectors(encoder)
    check_voices_differ(encoder)
    check_other_rates_are_resampled(encoder, 0.999)
    check_bad_clips_are_failures(encoder)


@pytest.mark.parametrize("norm", ["group", "layer"])
def test_results_depend_on_the_clip_alone(tmp_path, norm):
    check_results_depend_on_the_clip_alone(wavlm.WavLM(model_of(save(tmp_path, norm, return_attention_mask=True))))


def test_the_librarys_own_padding_would_change_results(encoder, checkpoint):
    """Why the network is mended: this fails on the day that padding does no harm."""
    extractor = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=True)
    network = transformers.WavLMForXVector.from_pretrained(checkpoint).eval()
    clips = [voice(0.8, 90), voice(3, 200)]
    padded = extractor([clip.samples for clip in clips], sampling_rate=RATE, return_tensors="pt", padding=True)
    with torch.inference_mode():
        together = torch.nn.functional.normalize(network(**padded).embeddings).numpy()
    short, long = encoder.encode(clips)
    assert np.abs(long - together[1]).max() < 1e-4
    assert np.abs(short - together[0]).max() > 1e-3


@pytest.mark.parametrize(
    ("norm", "weighted"), [pytest.param("group", True, id="base"), pytest.param("layer", False, id="large")]
)
def test_a_batch_gives_what_each_clip_alone_gives(tmp_path, norm, weighted):
    place = save(tmp_path, norm, weighted=weighted, return_attention_mask=norm == "layer")
    encoder = wavlm.WavLM(model_of(place))
    assert encoder._batch_s == 0, "on a CPU, clips go one by one"
    check_a_batch_gives_what_each_clip_alone_gives(encoder)


def test_it_is_the_library(encoder, checkpoint):
    network = transformers.WavLMForXVector.from_pretrained(checkpoint).eval()
    values = transformers.AutoFeatureExtractor.from_pretrained(checkpoint)(
        voice(1.2).samples, sampling_rate=RATE, return_tensors="pt"
    )
    with torch.inference_mode():
        want = torch.nn.functional.normalize(network(**values).embeddings)[0]
    assert encoder.encode([voice(1.2)])[0].tolist() == pytest.approx(want.tolist(), abs=1e-6)


def test_shortest_input_is_that_of_the_network(checkpoint):
    network = transformers.WavLMForXVector.from_pretrained(checkpoint).eval()
    least = wavlm.min_samples(network.config)
    sound = torch.from_numpy(voice(1).samples)[None]
    with torch.inference_mode():
        assert torch.isfinite(network(sound[:, :least]).embeddings).all()
        assert not torch.isfinite(network(sound[:, : least - 1]).embeddings).all()


def test_overlong_clip_is_a_failure(encoder):
    (result,) = encoder.encode([Clip(np.full(121 * RATE, 0.1, np.float32), RATE)])
    assert isinstance(result, Failure)
    assert "at most 120 s" in result.detail


def no_head(directory):
    save(directory, head=False)


def another_rate(directory):
    save(directory, sampling_rate=8000)


def no_weights(directory):
    save(directory)
    (directory / "model.safetensors").unlink()


def broken_weights(directory):
    save(directory)
    (directory / "model.safetensors").write_bytes(b"not weights")


def another_kind(directory):
    config = transformers.BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    transformers.BertModel(config).save_pretrained(directory)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(directory)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_head, "speaker verification"),
        (another_rate, "8000 Hz"),
        (no_weights, "cannot load"),
        (broken_weights, "cannot load"),
        (another_kind, "wavlm|speaker verification"),
        (shutil.rmtree, "cannot load"),
    ],
)
def test_what_cannot_be_used_is_said_without_a_path(tmp_path, make, words):
    place = tmp_path / "model"
    place.mkdir()
    make(place)
    with pytest.raises(EngineUnavailable, match=words) as error:
        wavlm.WavLM(model_of(place))
    assert str(tmp_path) not in str(error.value)


def test_revision_is_passed_on(monkeypatch, checkpoint):
    asked = []
    for loader in (transformers.AutoFeatureExtractor, transformers.WavLMForXVector):
        real = loader.from_pretrained

        def load(place, revision=None, real=real, **keys):
            asked.append((place, revision))
            return real(checkpoint, **keys)

        monkeypatch.setattr(loader, "from_pretrained", load)
    encoder = wavlm.WavLM(model_of("microsoft/wavlm-base-plus-sv", revision="abc"))
    assert asked == [("microsoft/wavlm-base-plus-sv", "abc")] * 2
    assert encoder.version == f"microsoft/wavlm-base-plus-sv@abc transformers {transformers.__version__}"
