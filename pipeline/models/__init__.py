"""The models that a recipe names: what they are, and where they run.

A stage's `engine` may be the name of a model, so that each step can have its own. What is under `serving` says where
the model runs and how hard it is driven; it does not change the corpus and stands in no manifest.
"""

from typing import Annotated

from pydantic import Field

from pipeline.models.base import Checkpoint, Local, Section, Server, public_name
from pipeline.models.language import OpenAIModel, OpenAIServing, Price, VllmModel, VllmServing
from pipeline.models.speaker import CampplusModel, GenderModel, SpeechBrainModel, UtmosModel, WavLMModel
from pipeline.models.speech import (
    AudioSealModel,
    CosyVoiceModel,
    CosyVoiceServing,
    FunASRModel,
    OpenAISpeechModel,
    OpenAITranscriptionModel,
    WhisperModel,
)

Model = Annotated[
    OpenAIModel
    | VllmModel
    | CosyVoiceModel
    | OpenAISpeechModel
    | OpenAITranscriptionModel
    | WhisperModel
    | FunASRModel
    | AudioSealModel
    | WavLMModel
    | SpeechBrainModel
    | CampplusModel
    | UtmosModel
    | GenderModel,
    Field(discriminator="engine"),
]
"""A model of a recipe; `engine` says which."""

__all__ = [
    "AudioSealModel",
    "CampplusModel",
    "Checkpoint",
    "CosyVoiceModel",
    "CosyVoiceServing",
    "FunASRModel",
    "GenderModel",
    "Local",
    "Model",
    "OpenAIModel",
    "OpenAIServing",
    "OpenAISpeechModel",
    "OpenAITranscriptionModel",
    "Price",
    "Section",
    "Server",
    "SpeechBrainModel",
    "UtmosModel",
    "VllmModel",
    "VllmServing",
    "WavLMModel",
    "WhisperModel",
    "public_name",
]
