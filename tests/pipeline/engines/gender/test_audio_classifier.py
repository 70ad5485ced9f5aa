"""Against tiny checkpoints with random weights, saved in the true format."""

import contextlib
import importlib.metadata
import json

import numpy as np
import pytest

from manifests.errors import EngineDied, EngineUnavailable
from pipeline.engines.contract import Clip, Failure, GenderGuess
from pipeline.engines.gender import audio_classifier as gender_classifier
from pipeline.engines.gender.audio_classifier import GenderClassifier, GenderModel
from pipeline.engines.shared.torchaudio_import import import_torchaudio
from pipeline.settings import Local

with contextlib.suppress(ImportError):
    import_torchaudio()
transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

LABELS = {0: "female", 1: "male"}
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8, 8),
    "conv_stride": (5, 4, 4),
    "conv_kernel": (10, 8, 8),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 8,
}
KINDS = {
    # name: (configuration, network, feat_extract_norm, return_attention_mask)
    "wav2vec2, layer norm": ("Wav2Vec2Config", "Wav2Vec2ForSequenceClassification", "layer", True),
    "wav2vec2, group norm": ("Wav2Vec2Config", "Wav2Vec2ForSequenceClassification", "group", False),
    "wavlm": ("WavLMConfig", "WavLMForSequenceClassification", "group", True),
}


def save(directory, kind, labels=LABELS, sampling_rate=16000):
    configuration, network, norm, mask = KINDS[kind]
    config = getattr(transformers, configuration)(**SMALL, feat_extract_norm=norm, num_labels=len(labels))
    config.id2label, config.label2id = labels, {name: i for i, name in labels.items()}
    torch.manual_seed(0)
    made = getattr(transformers, network)(config)
    with torch.no_grad():
        # Random weights hardly tell one clip from another.
        made.classifier.weight.mul_(30)
    made.save_pretrained(directory)
    extractor = transformers.Wav2Vec2FeatureExtractor(
        sampling_rate=sampling_rate, do_normalize=True, return_attention_mask=mask
    )
    extractor.save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    return {kind: save(tmp_path_factory.mktemp("checkpoint"), kind) for kind in KINDS}


def model_of(directory):
    return GenderModel(engine="audio-classifier", model=str(directory), serving=Local(device="cpu"))


def sound(seconds, seed, sample_rate=16000):
    rng = np.random.default_rng(seed)
    samples = np.convolve(rng.normal(0, 1, round(seconds * sample_rate)), rng.normal(0, 1, 30), "same")
    return Clip((0.2 * samples / np.abs(samples).max()).astype(np.float32), sample_rate)


CLIPS = [sound(seconds, seed) for seed, seconds in enumerate((0.5, 3.0, 1.1, 1.1, 2.0))] + [sound(1.0, 9, 24000)]


@pytest.mark.parametrize("kind", KINDS)
def test_guesses_are_those_of_the_library_itself(checkpoints, kind):
    network = transformers.AutoModelForAudioClassification.from_pretrained(checkpoints[kind]).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(checkpoints[kind])
    guesses = GenderClassifier(model_of(checkpoints[kind])).predict(CLIPS[:5])
    for clip, guess in zip(CLIPS[:5], guesses, strict=True):
        inputs = extractor(clip.samples, sampling_rate=16000, return_tensors="pt")
        with torch.inference_mode():
            female, male = network(**inputs).logits.softmax(-1)[0].tolist()
        assert guess.gender == ("female" if female > male else "male")
        assert guess.confidence == pytest.approx(max(female, male), abs=1e-5)
    assert len({guess.confidence for guess in guesses}) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_results_depend_on_the_clip_alone(checkpoints, kind):
    engine = GenderClassifier(model_of(checkpoints[kind]))
    together = engine.predict(CLIPS)
    assert together == [engine.predict([clip])[0] for clip in reversed(CLIPS)][::-1]


@pytest.mark.parametrize(
    ("labels", "swapped"),
    [
        ({0: "male", 1: "female"}, True),
        ({0: "Female", 1: "Male"}, False),
        ({0: "F", 1: "M"}, False),
        ({0: " woman", 1: "man "}, False),
    ],
)
def test_labels_say_which_class_is_which(checkpoints, tmp_path, labels, swapped):
    kind = "wav2vec2, group norm"
    renamed = GenderClassifier(model_of(save(tmp_path, kind, labels))).predict(CLIPS)
    for one, other in zip(GenderClassifier(model_of(checkpoints[kind])).predict(CLIPS), renamed, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-9)
        assert (one.gender != other.gender) is swapped


def test_two_classes_of_one_gender_add_up(tmp_path):
    labels = {0: "woman", 1: "male", 2: "female"}
    engine = GenderClassifier(model_of(save(tmp_path, "wav2vec2, group norm", labels)))
    samples = CLIPS[1].samples
    inputs = engine._classes._extractor([samples], sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        first, _, third = engine._classes._network(**inputs).logits.softmax(-1)[0].tolist()
    (guess,) = engine.predict([CLIPS[1]])
    female = guess.confidence if guess.gender == "female" else 1 - guess.confidence
    assert female == pytest.approx(first + third, abs=1e-5)


@pytest.mark.parametrize(
    "labels",
    [
        {0: "LABEL_0", 1: "LABEL_1"},
        {0: "0", 1: "1"},
        {0: "female", 1: "male", 2: "child"},
        {0: "female", 1: "woman"},
        {0: "happy", 1: "sad"},
    ],
)
def test_labels_that_need_guessing_are_refused_and_named(tmp_path, labels):
    with pytest.raises(EngineUnavailable, match=f"not names of genders: {', '.join(labels.values())}"):
        GenderClassifier(model_of(save(tmp_path, "wav2vec2, group norm", labels)))


def test_only_the_first_seconds_count(checkpoints):
    engine = GenderClassifier(model_of(checkpoints["wavlm"]))
    long = sound(20.0, 3)
    head = Clip(long.samples[: gender_classifier.LONGEST_S * 16000], 16000)
    assert engine.predict([long]) == engine.predict([head])


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        pytest.param(np.zeros(0, np.float32), "0.00 s", id="empty"),
        pytest.param(sound(0.4, 1).samples, "0.40 s", id="short"),
        pytest.param(np.zeros(16000, np.float32), "silent", id="silence"),
        pytest.param(np.full(16000, np.nan, np.float32), "NaN", id="nan"),
    ],
)
def test_what_cannot_be_heard_is_a_failure_among_clips(checkpoints, samples, words):
    failed, good = GenderClassifier(model_of(checkpoints["wavlm"])).predict([Clip(samples, 16000), CLIPS[0]])
    assert isinstance(failed, Failure)
    assert words in failed.detail
    assert isinstance(good, GenderGuess)


def test_a_network_that_gives_no_numbers_is_a_failure(checkpoints):
    engine = GenderClassifier(model_of(checkpoints["wavlm"]))
    with torch.no_grad():
        engine._classes._network.classifier.bias.fill_(float("nan"))
    (failed,) = engine.predict(CLIPS[:1])
    assert isinstance(failed, Failure)


def test_a_device_that_gives_up_stops_the_engine(checkpoints):
    engine = GenderClassifier(model_of(checkpoints["wavlm"]))

    def give_up(**_):
        raise torch.OutOfMemoryError("no memory left")

    engine._classes._network = give_up
    with pytest.raises(EngineDied, match="no memory left"):
        engine.predict(CLIPS[:1])


def test_half_precision_on_disk_is_whole_in_use(checkpoints, tmp_path):
    kind = "wav2vec2, layer norm"
    save(tmp_path, kind)
    network = transformers.AutoModelForAudioClassification.from_pretrained(tmp_path).half()
    network.save_pretrained(tmp_path)
    halved = GenderClassifier(model_of(tmp_path)).predict(CLIPS)
    for one, other in zip(GenderClassifier(model_of(checkpoints[kind])).predict(CLIPS), halved, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=0.02)


def without_head(directory):
    save(directory, "wav2vec2, group norm")
    config = json.loads((directory / "config.json").read_text())
    base = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**SMALL, feat_extract_norm="group"))
    base.save_pretrained(directory)
    (directory / "config.json").write_text(json.dumps(config))


def without_extractor(directory):
    save(directory, "wav2vec2, group norm")
    (directory / "preprocessor_config.json").unlink()


def broken_weights(directory):
    save(directory, "wav2vec2, group norm")
    (directory / "model.safetensors").write_bytes(b"not weights")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda directory: None, "cannot load"),
        (without_extractor, "cannot load"),
        (without_head, "lacks weights of a classifier: classifier.bias"),
        (broken_weights, "cannot load"),
        (lambda directory: save(directory, "wavlm", sampling_rate=8000), "takes 8000 Hz"),
    ],
    ids=["empty directory", "no extractor", "no head", "broken weights", "another rate"],
)
def test_what_is_no_classifier_is_refused_without_its_path(tmp_path, make, words):
    directory = tmp_path / "checkpoint"
    directory.mkdir()
    make(directory)
    with pytest.raises(EngineUnavailable, match=words) as raised:
        GenderClassifier(model_of(directory))
    assert "checkpoint@unpinned" in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


def test_the_version_names_model_and_library(checkpoints):
    model = GenderModel(engine="audio-classifier", model="someone/gender", revision="abc")
    installed = importlib.metadata.version("transformers")
    assert gender_classifier.version() == f"transformers {installed}"
    assert gender_classifier.version(model) == f"someone/gender@abc transformers {installed} first=15s"
    local = model_of(checkpoints["wavlm"])
    assert GenderClassifier(local).version == gender_classifier.version(local)


def test_a_missing_library_says_what_to_install(monkeypatch):
    def missing(_):
        raise importlib.metadata.PackageNotFoundError("transformers")

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(EngineUnavailable, match=r"transformers.*pip install 'parley\[voicebank\]'"):
        gender_classifier.version()
