"""Audio classifiers of transformers whose labels name styles of speech: emotions, whispering, shouting.

Any checkpoint of the kind will do, such as wav2vec 2.0 trained on acted emotions; the recipe says which of its labels
a turn's style means (`assess.style_labels`). Labels that are numbers alone are refused: nobody could ask for them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from manifests.errors import EngineUnavailable
from pipeline.engines.contract import Clip, Engine, Failure
from pipeline.engines.shared.audio_classes import AudioClasses, transformers_version
from pipeline.settings import Checkpoint, Local

NAME = "style-classifier"

LONGEST_S = 15
"""The rest of a longer clip is not used: attention costs the square of the length."""


class StyleModel(Checkpoint):
    """An audio classifier of transformers whose labels name styles of speech."""

    engine: Literal["style-classifier"]
    serving: Local = Field(Local(), description="where it runs")


def version(model: StyleModel | None = None) -> str:
    """Return the library's version; with a model, its name and revision before it, and the length used after it."""
    return transformers_version(NAME, model, LONGEST_S)


class TransformersStyles:
    """A StyleClassifier, for clips of any rate from 0.5 s on."""

    name = NAME

    def __init__(self, model: StyleModel) -> None:
        self.version = version(model)
        self._classes = AudioClasses(NAME, self.version, model, model.serving.device, LONGEST_S)
        self.labels = tuple(label.strip().casefold() for label in self._classes.labels)
        if any(label.removeprefix("label_").isdigit() for label in self.labels) or len(set(self.labels)) < 2:
            raise EngineUnavailable(f"{NAME}: the labels of {model.label} name no styles: {', '.join(self.labels)}")

    def classify(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]:
        """Return the probability of each label. Raises EngineDied where PyTorch or the device fails."""
        return [self._classify(clip) for clip in clips]

    def _classify(self, clip: Clip) -> Mapping[str, float] | Failure:
        found = self._classes.probabilities(clip)
        return found if isinstance(found, Failure) else dict(zip(self.labels, map(float, found), strict=True))


ENGINE = Engine(
    "style",
    NAME,
    "a classifier of transformers whose labels name styles of speech",
    open=TransformersStyles,
    version=version,
    settings=StyleModel,
)
