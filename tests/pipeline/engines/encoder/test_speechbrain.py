import importlib.metadata
import sys

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
from speech_doubles import voice

from manifests.errors import EngineUnavailable
from pipeline.engines.encoder import speechbrain
from pipeline.engines.encoder.speechbrain import SpeechBrainModel
from pipeline.engines.shared.torchaudio_import import import_torchaudio

torch = pytest.importorskip("torch")
try:
    import_torchaudio()
except ImportError:
    pytest.skip("needs torchaudio", allow_module_level=True)
models = pytest.importorskip("speechbrain.lobes.models.ECAPA_TDNN", reason="needs the extra 'voicebank'")
xvectors = pytest.importorskip("speechbrain.lobes.models.Xvector")
speechbrain.forget_old_names()

HEAD = """n_mels: 24
pretrained_path: somebody/no-such-model
compute_features: !new:speechbrain.lobes.features.Fbank
    n_mels: !ref <n_mels>
mean_var_norm: !new:speechbrain.processing.features.InputNormalization
    norm_type: sentence
    std_norm: False
"""

TAIL = """modules:
    compute_features: !ref <compute_features>
    mean_var_norm: !ref <mean_var_norm>
    embedding_model: !ref <embedding_model>
    classifier: !ref <classifier>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        embedding_model: !ref <embedding_model>
        classifier: !ref <classifier>
    paths:
        embedding_model: !ref <pretrained_path>/embedding_model.ckpt
        classifier: !ref <pretrained_path>/classifier.ckpt
"""

ECAPA = """embedding_model: !new:speechbrain.lobes.models.ECAPA_TDNN.ECAPA_TDNN
    input_size: !ref <n_mels>
    channels: [16, 16, 16, 16, 48]
    attention_channels: 8
    se_channels: 8
    res2net_scale: 2
    lin_neurons: 12
classifier: !new:speechbrain.lobes.models.ECAPA_TDNN.Classifier
    input_size: 12
    out_neurons: 3
"""

XVECTOR = """embedding_model: !new:speechbrain.lobes.models.Xvector.Xvector
    in_channels: !ref <n_mels>
    activation: !name:torch.nn.LeakyReLU
    tdnn_blocks: 5
    tdnn_channels: [16, 16, 16, 16, 30]
    tdnn_kernel_sizes: [5, 3, 3, 1, 1]
    tdnn_dilations: [1, 2, 3, 1, 1]
    lin_neurons: 20
classifier: !new:speechbrain.lobes.models.Xvector.Classifier
    input_shape: [null, null, 20]
    activation: !name:torch.nn.LeakyReLU
    lin_blocks: 1
    lin_neurons: 20
    out_neurons: 3
"""


def ecapa():
    made = models.ECAPA_TDNN(
        24, lin_neurons=12, channels=[16] * 4 + [48], attention_channels=8, se_channels=8, res2net_scale=2
    )
    return made, models.Classifier(12, out_neurons=3)


def xvector():
    made = xvectors.Xvector(
        in_channels=24,
        activation=torch.nn.LeakyReLU,
        tdnn_channels=[16] * 4 + [30],
        lin_neurons=20,
    )
    return made, xvectors.Classifier((None, None, 20), torch.nn.LeakyReLU, 1, 20, 3)


KINDS = {"ecapa": (ECAPA, ecapa, 12), "x-vector": (XVECTOR, xvector, 20)}


def save(directory, kind="ecapa", extra=""):
    text, make, _ = KINDS[kind]
    directory.mkdir(exist_ok=True)
    (directory / "hyperparams.yaml").write_text(HEAD + text + TAIL + extra)
    torch.manual_seed(0)
    network, classifier = make()
    torch.save(network.state_dict(), directory / "embedding_model.ckpt")
    torch.save(classifier.state_dict(), directory / "classifier.ckpt")
    return directory


def model_of(place, device="cpu", **keys):
    return SpeechBrainModel(engine="speechbrain", model=str(place), serving={"device": device}, **keys)


@pytest.mark.parametrize("kind", KINDS)
def test_laws(tmp_path, kind):
    encoder = speechbrain.SpeechBrain(model_of(save(tmp_path / "model", kind)))
    assert encoder.dimension == KINDS[kind][2]
    check_unit_vectors(encoder)
    check_voices_differ(encoder)
    check_other_rates_are_resampled(encoder, 0.98)
    check_bad_clips_are_failures(encoder)
    check_results_depend_on_the_clip_alone(encoder)
    check_a_batch_gives_what_each_clip_alone_gives(encoder)


@pytest.mark.parametrize("kind", KINDS)
def test_the_librarys_own_padding_would_change_results(tmp_path, kind):
    """Why the network is mended, though SpeechBrain is given the lengths."""
    encoder = speechbrain.SpeechBrain(model_of(save(tmp_path / "model", kind)))
    short, long = voice(0.8, 90), voice(3, 200)
    batch = torch.zeros(2, len(long.samples))
    batch[0, : len(short.samples)] = torch.from_numpy(short.samples)
    batch[1] = torch.from_numpy(long.samples)
    with torch.inference_mode():
        torch.manual_seed(0)  # of the pooling's noise
        lengths = torch.tensor([len(short.samples) / len(long.samples), 1.0])
        made = encoder._encoder.encode_batch(batch, lengths).squeeze(1)
    together = torch.nn.functional.normalize(made).numpy()
    alone_short, alone_long = encoder.encode([short, long])
    assert np.abs(alone_long - together[1]).max() < 5e-4
    assert np.abs(alone_short - together[0]).max() > 1e-3


def test_the_noise_of_the_pooling_is_always_the_same_and_costs_others_no_random_number(tmp_path):
    encoder = speechbrain.SpeechBrain(model_of(save(tmp_path / "model", "x-vector")))
    made = []
    for seed in (7, 8):
        torch.manual_seed(seed)
        want = torch.rand(1)
        torch.manual_seed(seed)
        made += encoder.encode([voice(1)])
        assert torch.rand(1) == want
    assert made[0].tobytes() == made[1].tobytes()


def test_weights_are_those_of_the_directory(tmp_path):
    """Its `pretrained_path` names the hub, as those of published models do."""
    place = save(tmp_path / "model")
    encoder = speechbrain.SpeechBrain(model_of(place))
    saved = torch.load(place / "embedding_model.ckpt")
    loaded = encoder._encoder.mods.embedding_model.state_dict()
    assert all(torch.equal(loaded[name], saved[name]) for name in saved)


def test_hub_model_is_read_from_the_cache_at_its_revision(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    place, asked = save(tmp_path / "snapshot"), []

    def snapshot(name, revision=None, allow_patterns=()):
        asked.append((name, revision))
        return str(place)

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    encoder = speechbrain.SpeechBrain(model_of("speechbrain/spkrec", revision="abc"))
    assert asked == [("speechbrain/spkrec", "abc")]
    assert encoder.version == f"speechbrain/spkrec@abc speechbrain {importlib.metadata.version('speechbrain')}"
    assert not isinstance(encoder.encode([voice(1)])[0], Exception)


class Bomb:
    def __reduce__(self):
        return (print, ("code of the weights ran",))


def bomb(place):
    torch.save({"weights": Bomb()}, place / "embedding_model.ckpt")


def code(place):
    save(place, extra="x: !apply:print [code of the file ran]\n")


def no_weights(place):
    (place / "embedding_model.ckpt").unlink()


def other_weights(place):
    weights = torch.load(place / "embedding_model.ckpt")
    weights.popitem()
    torch.save(weights, place / "embedding_model.ckpt")


def no_yaml(place):
    (place / "hyperparams.yaml").unlink()


def broken_yaml(place):
    (place / "hyperparams.yaml").write_text("modules: [")


def no_pretrainer(place):
    path = place / "hyperparams.yaml"
    path.write_text(path.read_text().split("pretrainer:")[0])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (bomb, "cannot load"),
        (code, "!apply:print can run code"),
        (no_weights, "cannot load"),
        (other_weights, "do not fit"),
        (no_yaml, r"no readable hyperparams\.yaml"),
        (broken_yaml, "not plain YAML"),
        (no_pretrainer, "cannot load"),
    ],
)
def test_what_cannot_be_used_is_said_without_a_path_and_nothing_of_it_runs(tmp_path, capfd, spoil, words):
    place = save(tmp_path / "model")
    spoil(place)
    with pytest.raises(EngineUnavailable, match=words) as error:
        speechbrain.SpeechBrain(model_of(place))
    assert str(tmp_path) not in str(error.value)
    assert " ran" not in capfd.readouterr().out


def test_hub_that_cannot_be_reached(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")

    def offline(*_, **__):
        raise OSError("no network at https://example.invalid")

    monkeypatch.setattr(hub, "snapshot_download", offline)
    with pytest.raises(EngineUnavailable, match=r"speechbrain/spkrec@unpinned: it is neither"):
        speechbrain.SpeechBrain(model_of("speechbrain/spkrec"))


def test_nobody_who_walks_through_the_modules_falls_over_old_names():
    for module in list(sys.modules.values()):
        getattr(module, "__file__", None)
