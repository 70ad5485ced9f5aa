"""Audio classifiers of transformers (wav2vec 2.0, WavLM, HuBERT, AST, Whisper encoders): loading, probabilities.

Clips are classified one by one, so that none is padded: where a checkpoint's first layer has a group norm, its mean
would include the padding, and elsewhere the last digits of a probability would still depend on its neighbors.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import EngineDied, EngineUnavailable
from manifests.libraries import extra, library, library_version
from pipeline.engines.contract import Clip, Failure, Samples
from pipeline.engines.shared.clips import SAMPLE_RATE, UNMEASURABLE, samples_16_khz
from pipeline.engines.shared.torch_device import torch_on
from pipeline.engines.shared.torchaudio_import import prepare_torchaudio
from pipeline.settings import Checkpoint

INSTALL = extra("voicebank")

_SHORTEST_S = 0.5
_FOR_TRAINING = "masked_spec_embed"


def transformers_version(engine: str, model: Checkpoint | None, longest_s: int) -> str:
    """Return the library's version; with a model, its name and revision before it, and the length used after it."""
    package = f"transformers {library_version('transformers', engine, INSTALL)}"
    return package if model is None else f"{model.label} {package} first={longest_s}s"


class AudioClasses:
    """A classifier with its labels, in the order of the classes. `engine` is named in errors.

    The constructor raises EngineUnavailable where the checkpoint cannot be loaded.
    """

    def __init__(self, engine: str, version: str, model: Checkpoint, device: str, longest_s: int) -> None:
        self._engine, self._version, self._longest_s = engine, version, longest_s
        self._torch, self._device = torch_on(device, engine, INSTALL)
        network, self._extractor = _load(engine, model)
        self._network = network.to(self._device).eval()
        id2label = network.config.id2label
        self.labels = tuple(str(id2label[number]) for number in sorted(id2label))

    def probabilities(self, clip: Clip) -> npt.NDArray[np.float64] | Failure:
        """Return those of all classes, [classes], by the first seconds of a clip of any rate, from 0.5 s on.

        Raises EngineDied where PyTorch or the device fails.
        """
        head = Clip(clip.samples[: self._longest_s * clip.sample_rate], clip.sample_rate)
        samples = samples_16_khz(head, _SHORTEST_S)
        if isinstance(samples, Failure):
            return samples
        try:
            found = self._classify(samples)
        except RuntimeError as error:
            raise EngineDied(f"the classifier {self._version} stopped: {str(error).splitlines()[0]}") from error
        return found if np.isfinite(found).all() else Failure(UNMEASURABLE, "the classifier gave NaN")

    def _classify(self, samples: Samples) -> npt.NDArray[np.float64]:
        # Padding is left to the extractor: those that need a fixed length pad to it themselves.
        inputs = self._extractor([samples], sampling_rate=SAMPLE_RATE, return_tensors="pt")
        with self._torch.inference_mode():
            logits = self._network(**inputs.to(self._device)).logits[0]
        probabilities: npt.NDArray[np.float64] = logits.double().softmax(-1).cpu().numpy()
        return probabilities


def _load(engine: str, model: Checkpoint) -> tuple[Any, Any]:
    """Load the network with all its weights, and the feature extractor that belongs to it."""
    prepare_torchaudio()
    transformers = library("transformers", engine, INSTALL)
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
            f"{engine} cannot load {model.label}: it is not an audio classifier of transformers with its "
            f"feature extractor, or cannot be downloaded ({type(error).__name__})"
        ) from None
    if missing := sorted(key for key in info["missing_keys"] if not key.endswith(_FOR_TRAINING)):
        raise EngineUnavailable(f"{engine}: {model.label} lacks weights of a classifier: {', '.join(missing[:3])}")
    if extractor.sampling_rate != SAMPLE_RATE:
        raise EngineUnavailable(f"{engine}: {model.label} takes {extractor.sampling_rate} Hz, not {SAMPLE_RATE}")
    return network, extractor
