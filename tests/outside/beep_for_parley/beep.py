"""A speech engine: every turn is a beep at the pitch that the model's settings give, a tenth of a second a
character."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from pipeline.engines.contract import Clip, Engine, Failure, SpeechRequest
from pipeline.settings import Section

SAMPLE_RATE = 16_000


class BeepModel(Section):
    engine: Literal["beep"]
    hz: float = Field(440.0, gt=20, lt=8000, description="pitch of the beep")


def version(model: BeepModel | None = None) -> str:
    return f"{model.hz:g} Hz beep 0.3" if model else "0.3"


class Beeper:
    name = "beep"

    def __init__(self, model: BeepModel) -> None:
        self.version = version(model)
        self._hz = model.hz

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [self._beep(request) for request in requests]

    def _beep(self, request: SpeechRequest) -> Clip:
        seconds = 0.1 * len(request.text) / request.rate
        times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        return Clip((0.5 * np.sin(2 * np.pi * self._hz * times)).astype(np.float32), SAMPLE_RATE)


ENGINE = Engine("tts", "beep", "a beep for each turn", open=Beeper, version=version, settings=BeepModel)
