"""Audio classifiers of transformers whose labels name genders (wav2vec 2.0, WavLM, HuBERT, AST, Whisper encoders).

Every label must be the name of a gender, and both genders must have one: a checkpoint whose labels are numbers, or
that knows a third class, is refused, since its meaning could only be guessed.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import Clip, Engine, Failure, GenderGuess
from pipeline.engines.shared.audio_classes import AudioClasses, transformers_version
from pipeline.settings import Checkpoint, Local
from voicebank.voice import Gender

NAME = "audio-classifier"

LONGEST_S = 15
"""The rest of a longer clip is not used: a voice keeps its gender, and attention costs the square of the length."""

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
    return transformers_version(NAME, model, LONGEST_S)


class GenderClassifier:
    """Predicts by the probabilities that the checkpoint gives, for clips of any rate from 0.5 s on."""

    name = NAME

    def __init__(self, model: GenderModel) -> None:
        self.version = version(model)
        self._classes = AudioClasses(NAME, self.version, model, model.serving.device, LONGEST_S)
        self._is_female = _female_labels(self._classes.labels, model.label)

    def predict(self, clips: Sequence[Clip]) -> list[GenderGuess | Failure]:
        """Predict the gender of each clip. Raises EngineDied where PyTorch or the device fails."""
        return [self._predict(clip) for clip in clips]

    def _predict(self, clip: Clip) -> GenderGuess | Failure:
        probabilities = self._classes.probabilities(clip)
        if isinstance(probabilities, Failure):
            return probabilities
        female = float(probabilities[self._is_female].sum())
        return GenderGuess("female" if female > 0.5 else "male", max(female, 1 - female))


def _female_labels(names: Sequence[str], label: str) -> npt.NDArray[np.bool_]:
    """Mark the female classes: bool [classes]. EngineUnavailable where the labels do not name both genders."""
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
