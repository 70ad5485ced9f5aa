"""Models that tell speakers apart, their gender, and how good a clip is. They build and check voice banks."""

from typing import Literal

from pydantic import Field

from pipeline.models.base import Checkpoint, Local


class WavLMModel(Checkpoint):
    """`WavLMForXVector` of transformers: x-vectors for speaker verification, as Ke-SpeechChat uses them."""

    engine: Literal["wavlm"]
    serving: Local = Field(Local(), description="where it runs")


class SpeechBrainModel(Checkpoint):
    """A speaker encoder of SpeechBrain (x-vector, ECAPA-TDNN, ResNet)."""

    engine: Literal["speechbrain"]
    serving: Local = Field(Local(), description="where it runs")


class CampplusModel(Checkpoint):
    """CAM++ as CosyVoice ships it: `campplus.onnx`, or the model directory that holds it. CosyVoice speaks with it."""

    engine: Literal["campplus"]
    serving: Local = Field(Local(), description="where it runs")


class UtmosModel(Checkpoint):
    """UTMOS as SpeechMOS packs it: a local copy of that repository, or its predictor as a TorchScript file."""

    engine: Literal["utmos"]
    entry: str = Field("utmos22_strong", description="which predictor of the repository; a TorchScript file has one")
    serving: Local = Field(Local(), description="where it runs")


class GenderModel(Checkpoint):
    """An audio classifier of transformers whose labels name genders."""

    engine: Literal["audio-classifier"]
    serving: Local = Field(Local(), description="where it runs")
