"""Audio classifiers of transformers whose labels name genders (wav2vec 2.0, WavLM, HuBERT, AST, Whisper encoders).

Every label must be the name of a gender, and both genders must have one: a checkpoint whose labels are numbers, or
that knows a third class, is refused, since its meaning could only be guessed.

Clips are classified one by one, so that none is padded: where a checkpoint's first layer has a group norm, its mean
would include the padding, and elsewhere the last digits of a confidence would still depend on its neighbors.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from manifests.errors import EngineDied, EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Engine, Failure, GenderGuess, Samples
from pipeline.engines.shared.clips import SAMPLE_RATE, UNMEASURABLE, samples_16_khz
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.settings import Checkpoint, Local
from voicebank.voice import Gender

NAME = "audio-classifier"

_INSTALL = extra("voicebank")

LONGEST_S = 15
"""The rest of a longer clip is not used: a voice keeps its gender, and attention costs the square of the length."""

_SHORTEST_S = 0.5
_FOR_TRAINING = "masked_spec_embed"
_GENDERS: dict[str, Gender] = {
    **dict.fromkeys(("female", "f", "woman", "women"), "female"),
    **dict.fromkeys(("male", "m", "man", "men"), "male"),
}


class GenderModel(Checkpoint):
    """An audio classifier of transformers whose labels name genders."""

    engine: Literal["audio-classifier"]
    serving: Local = Field(Local(), description="where it runs")


def version(model: GenderModel | None = None) -> str:
    """Return the library's version; with a model, its name and revision before it, and the length used after it."""
    package = f"transformers {library_version('transformers', NAME, _INSTALL)}"
    return package if model is None else f"{model.label} {package} first={LONGEST_S}s"


class GenderClassifier:
    """Predicts by the probabilities that the checkpoint gives, for clips of any rate from 0.5 s on."""

    name = NAME

    def __init__(self, model: GenderModel) -> None:
        self.version = version(model)
        self._torch, self._device = torch_on(model.serving.device, NAME, _INSTALL)
        network, self._extractor = _load(model)
        self._network = network.to(self._device).eval()
        self._is_female = _female_labels(network.config.id2label, model.label)

    def predict(self, clips: Sequence[Clip]) -> list[GenderGuess | Failure]:
        """Predict the gender of each clip. Raises EngineDied where PyTorch or the device fails."""
        return [self._predict(clip) for clip in clips]

    def _predict(self, clip: Clip) -> GenderGuess | Failure:
        head = Clip(clip.samples[: LONGEST_S * clip.sample_rate], clip.sample_rate)
        samples = samples_16_khz(head, _SHORTEST_S)
        if isinstance(samples, Failure):
            return samples
        try:
            female = float(self._probabilities(samples)[self._is_female].sum())
        except RuntimeError as error:
            raise EngineDied(f"the classifier {self.version} stopped: {str(error).splitlines()[0]}") from error
        if not np.isfinite(female):
            return Failure(UNMEASURABLE, "the classifier gave NaN")
        return GenderGuess("female" if female > 0.5 else "male", max(female, 1 - female))

    def _probabilities(self, samples: Samples) -> npt.NDArray[np.float64]:
        """Probabilities of all classes, [classes]."""
        # Padding is left to the extractor: those that need a fixed length pad to it themselves.
        inputs = self._extractor([samples], sampling_rate=SAMPLE_RATE, return_tensors="pt")
        with self._torch.inference_mode():
            logits = self._network(**inputs.to(self._device)).logits[0]
        probabilities: npt.NDArray[np.float64] = logits.double().softmax(-1).cpu().numpy()
        return probabilities


def _load(model: GenderModel) -> tuple[Any, Any]:
    """Load the network with all its weights, and the feature extractor that belongs to it."""
    prepare_torchaudio()
    transformers = library("transformers", NAME, _INSTALL)
    try:
        extractor = transformers.AutoFeatureExtractor.from_pretrained(
            model.model, revision=model.revision, trust_remote_code=False
        )
        network, info = transformers.AutoModelForAudioClassification.from_pretrained(
            model.model,
            revision=model.revision,
            dtype="float32",
            output_loading_info=True,
            trust_remote_code=False,
        )
    except Exception as error:  # noqa: BLE001 - each format of weights has its own way to be broken
        # The library's own message holds private paths.
        raise EngineUnavailable(
            f"{NAME} cannot load {model.label}: it is not an audio classifier of transformers with its "
            f"feature extractor, or cannot be downloaded ({type(error).__name__})"
        ) from None
    if missing := sorted(key for key in info["missing_keys"] if not key.endswith(_FOR_TRAINING)):
        raise EngineUnavailable(f"{NAME}: {model.label} lacks weights of a classifier: {', '.join(missing[:3])}")
    if extractor.sampling_rate != SAMPLE_RATE:
        raise EngineUnavailable(f"{NAME}: {model.label} takes {extractor.sampling_rate} Hz, not {SAMPLE_RATE}")
    return network, extractor


def _female_labels(id2label: Mapping[int, str], label: str) -> npt.NDArray[np.bool_]:
    """Mark the female classes: bool [classes]. EngineUnavailable where the labels do not name both genders."""
    names = [str(id2label[i]) for i in sorted(id2label)]
    genders = [_GENDERS.get(name.strip().casefold()) for name in names]
    if set(genders) != {"female", "male"}:
        raise EngineUnavailable(f"{NAME}: the labels of {label} are not names of genders: {', '.join(names)}")
    return np.array([gender == "female" for gender in genders])


ENGINE = Engine(
    "gender",
    "audio-classifier",
    "a classifier of transformers whose labels name genders",
    open=GenderClassifier,
    version=version,
    settings=GenderModel,
)
