"""A voice: a timbre that an engine can speak with, and everything one must know of it to cast it."""

from dataclasses import dataclass
from typing import Literal

Gender = Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class Voice:
    """One entry of a voice bank.

    `engine` names the synthesiser and `speaker` the voice inside it. `rate` multiplies the engine's normal speaking
    rate, `pitch` the speaker's normal mean pitch. `agent` marks the voices that may speak as the agent; all others
    are users. `licence` is that of the underlying voice.
    """

    voice_id: str
    engine: str
    speaker: str
    language: str
    gender: Gender
    rate: float = 1.0
    pitch: float = 1.0
    agent: bool = False
    licence: str | None = None
