"""What an engine is: one batch verb, one result per input, in order, a `Failure` in place of what could not be done.

An engine never raises for bad data. It raises `EngineDied` when it cannot go on, and its constructor raises
`EngineUnavailable` (one sentence, what to install) when it cannot load. Results depend on the request alone, never on
its neighbours in the batch or on earlier calls.

Audio inside the pipeline is a contiguous 1-D float32 array, mono, shape [T], in -1..1, at an explicit rate in Hz.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from manifests.reasons import Reason
from voicebank.voice import Voice

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in a result list for an input that could not be done. `detail` is for people."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TextRequest:
    """One task for a text engine.

    `task` is "rewrite", "screen" or "respond"; `variables` are the named texts that the task needs (each stage's
    module lists them); `options` are the recipe's settings for the task.
    """

    task: str
    language: str
    variables: Mapping[str, str]
    seed: int
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """The named texts that the task produced (each stage's module lists them)."""

    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Say `text` with `voice`; `rate` multiplies the voice's own speaking rate; `seed` varies the take."""

    text: str
    language: str
    voice: Voice
    rate: float
    seed: int


@dataclass(frozen=True, slots=True)
class Clip:
    """Decoded mono audio: `samples` float32 [T] in -1..1 at `sample_rate` Hz."""

    samples: Samples
    sample_rate: int


@dataclass(frozen=True, slots=True)
class Transcript:
    text: str


@dataclass(frozen=True, slots=True)
class Detection:
    """`score` in 0..1 that the clip carries the mark; `message` where the method carries one."""

    score: float
    message: str | None = None


class Engine(Protocol):
    """Common to all engines: a name and a version that go into every row's provenance."""

    name: str
    version: str


class TextGenerator(Engine, Protocol):
    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]: ...


class SpeechSynthesizer(Engine, Protocol):
    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]: ...


class Watermarker(Engine, Protocol):
    """`embed` returns clips of the same length and rate; `detect` never raises for an unmarked clip."""

    def embed(self, clips: Sequence[Clip]) -> list[Clip | Failure]: ...

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]: ...


class SpeechRecognizer(Engine, Protocol):
    """`languages` are the codes it can hear; None means any."""

    languages: frozenset[str] | None

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]: ...
