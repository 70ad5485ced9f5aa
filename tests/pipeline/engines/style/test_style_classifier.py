"""Against tiny checkpoints with random weights, saved in the true format."""

import pytest

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import Clip, Failure

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

from pipeline.engines.style.style_classifier import StyleModel, TransformersStyles  # noqa: E402
from pipeline.settings import Local  # noqa: E402
from tests.pipeline.engines.gender.test_audio_classifier import CLIPS, save  # noqa: E402

KIND = "wav2vec2, group norm"
LABELS = {0: "Neutral", 1: "happy ", 2: "Sad"}


def opened(directory):
    return TransformersStyles(StyleModel(engine="style-classifier", model=str(directory), serving=Local(device="cpu")))


def test_probabilities_are_those_of_the_library_itself_for_each_clip_alone(tmp_path):
    engine = opened(save(tmp_path, KIND, LABELS))
    assert engine.labels == ("neutral", "happy", "sad")
    network = transformers.AutoModelForAudioClassification.from_pretrained(tmp_path).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(tmp_path)
    found = engine.classify([Clip(CLIPS[0].samples[:100], 16000), *CLIPS[:3]])
    assert isinstance(found[0], Failure), "too short"
    assert found[1:] == [engine.classify([clip])[0] for clip in CLIPS[:3]]
    for clip, probabilities in zip(CLIPS[:3], found[1:], strict=True):
        with torch.inference_mode():
            logits = network(**extractor(clip.samples, sampling_rate=16000, return_tensors="pt")).logits[0]
        assert list(probabilities.values()) == pytest.approx(logits.softmax(-1).tolist(), abs=1e-5)


@pytest.mark.parametrize("labels", [{0: "LABEL_0", 1: "LABEL_1"}, {0: "0", 1: "1"}, {0: "happy", 1: "Happy"}])
def test_labels_that_name_no_styles_are_refused(tmp_path, labels):
    with pytest.raises(EngineUnavailable, match="name no styles"):
        opened(save(tmp_path, KIND, labels))
