"""Defines what an engine is: one batch method, one result per input, in order, a `Failure` for each failed input.

An engine's module declares it with an `Engine`; the registry is `pipeline.engines.registry`.

An engine never raises for bad data. It raises `EngineDied` when it cannot go on, and its constructor raises
`EngineUnavailable` (one sentence, what to install) when it cannot load. Results depend on the request alone, never on
its neighbors in the batch or on earlier calls.

Audio inside the pipeline is a contiguous 1-D float32 array, mono, shape [T], in -1..1, at an explicit rate in Hz.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from manifests.reasons import Reason
from manifests.schema import Style, WordTimes
from pipeline.settings import Section
from voicebank.inputs import VoiceInputs
from voicebank.voice import Gender, Voice

Samples = npt.NDArray[np.float32]

Codes = tuple[tuple[int, ...], ...]
"""Speech tokens, [book][frame]: the books may have different numbers of frames (SNAC)."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counts the requests and tokens of language models.

    `requests` were sent and answered; `reused` answers came from the store of an earlier run and cost nothing. Of the
    `prompt` tokens, `cached` ones were in the server's cache.
    """

    requests: int = 0
    reused: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            self.requests + other.requests,
            self.reused + other.reused,
            self.prompt + other.prompt,
            self.cached + other.cached,
            self.completion + other.completion,
        )


NO_TOKENS = Tokens()


@dataclass(frozen=True, slots=True)
class Failure:
    """Takes the place of the result of a failed input. `detail` is for people."""

    reason: Reason
    detail: str = ""
    spent: Tokens = NO_TOKENS


@dataclass(frozen=True, slots=True)
class Complaint:
    """Says what is wrong with an answer, in a form that can be shown to its author.

    `kind` names the wording (`prompts/complaints`), `values` fill it in; `reason` becomes the row's if no try is
    better. `about` is what people are told, where the wording for the author says less.
    """

    reason: Reason
    kind: str
    values: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    @property
    def detail(self) -> str:
        if self.about:
            return self.about
        named = ", ".join(f"{name} {value}" for name, value in self.values.items())
        return self.kind.replace("_", " ") + (f": {named}" if named else "")


Check = Callable[[Mapping[str, str]], Complaint | None]
"""Checks the fields of an answer; returns None if nothing is wrong."""


@dataclass(frozen=True, slots=True)
class TextRequest:
    """Describes one task for a text engine.

    `task` is "rewrite", "screen", "safety", "respond", "converse", "judge" or "overlap"; `variables` are the named
    texts that the task needs (each stage's module lists them), `history` the exchanges (question, answer) before this
    one; `options` are the recipe's settings for the task.

    For language models: `prompt` is the template's name and version ("ke-rewrite/v2"), `form` which of its forms is
    used. After an answer that `check` complains of, the model is asked again up to `retries` times, with the
    complaint; the last complaint becomes the `Failure`. Engines that would only repeat themselves (rules) ignore
    `check`, so the caller checks the answer as well.
    """

    task: str
    language: str
    variables: Mapping[str, str]
    seed: int
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    history: tuple[tuple[str, str], ...] = ()
    prompt: str | None = None
    form: str = ""
    retries: int = 0
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """Holds the named texts that the task produced (each stage's module lists them)."""

    fields: Mapping[str, str]
    spent: Tokens = NO_TOKENS


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Requests one completion. `schema` is a JSON schema that constrains the text during generation; None: free text.

    `seed` is in 0..2**31-1. `temperature` takes the place of the model's own; None: the model's.
    """

    messages: tuple[ChatMessage, ...]
    seed: int
    schema: Mapping[str, object] | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class ChatReply:
    """Holds a completion. `finish` "length": it was cut off at the token limit. Shown reasoning is not removed.

    `note` is what the user should know if no answer can be used: what is odd about it, and what to do.
    """

    text: str
    finish: Literal["stop", "length"]
    spent: Tokens
    note: str = ""


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Asks for `text` in `voice`; `rate` multiplies the voice's own speaking rate; `seed` varies the take.

    `word_times`: the clip should come with its word times, if the engine knows them. The samples are the same.
    `style` says how to speak; engines that cannot vary the style ignore it.
    """

    text: str
    language: str
    voice: Voice
    rate: float
    seed: int
    word_times: bool = False
    style: Style | None = None


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """Holds one turn of a dialogue that is to be spoken: its text, and the voice that says it."""

    text: str
    voice: Voice


@dataclass(frozen=True, slots=True)
class DialogueRequest:
    """Asks for a whole dialogue in one clip, line after line; `seed` varies the take."""

    lines: tuple[SpokenLine, ...]
    language: str
    seed: int

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The voices, each once, in the order in which they first speak."""
        return tuple({line.voice.voice_id: line.voice for line in self.lines}.values())


@dataclass(frozen=True, slots=True)
class Clip:
    """Holds decoded mono audio: `samples` float32 [T] in -1..1 at `sample_rate` Hz.

    `word_times` are those that a synthesizer gave with the clip, at its rate; None: it gave none.
    """

    samples: Samples
    sample_rate: int
    word_times: WordTimes | None = None


@dataclass(frozen=True, slots=True)
class AlignRequest:
    """Asks when the words of `text` (`manifests.words`) are spoken in `clip`.

    `given` are the times that came with the clip from its synthesizer, on the clip's samples; None: it told none.
    """

    clip: Clip
    text: str
    language: str
    given: WordTimes | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """Holds what was heard. `log_probability` is the mean over the tokens, `no_speech` the probability that there is
    no speech; None where the recognizer does not tell."""

    text: str
    log_probability: float | None = None
    no_speech: float | None = None


@dataclass(frozen=True, slots=True)
class GenderGuess:
    """Holds the gender that a voice sounds like, and the confidence: 0.5 (a guess) to 1."""

    gender: Gender
    confidence: float


@dataclass(frozen=True, slots=True)
class Detection:
    """Holds a watermark detection: `score` in 0..1 that the clip has the mark; `message` if the method has one.

    The message is its bits as hexadecimal digits, 4 for 16 bits. An unmarked clip gives some bits too: only the
    score says whether they mean anything.
    """

    score: float
    message: str | None = None


KINDS = (
    "text",
    "tts",
    "dialogue",
    "aligner",
    "watermark",
    "asr",
    "vad",
    "gender",
    "encoder",
    "quality",
    "style",
    "tokenizer",
)
"""Kinds of engines: they write, speak, speak whole dialogues, tell when words are spoken, mark, hear, find speech,
tell genders, tell speakers apart, rate quality, tell styles of speech, turn speech into tokens."""

SPEAKING_KINDS = ("tts", "dialogue")
"""Kinds of engines that speak with the voices of a bank."""


@dataclass(frozen=True)
class Engine:
    """Declares an engine; each engine's module has one.

    `runs_model_code`: to load a model means to run code that comes with it. Such a model must have
    `serving.run_model_code`, by which a user agrees; `serving` stands in no manifest and is taken from none.

    `keeps_norm`, of an encoder: its embeddings are as the network gives them, and their length (norm) is part of them,
    since the synthesizer that is conditioned on them reads it. Such an encoder tells nobody apart.

    `voice_inputs`, of an engine that speaks: called like `version`, returns what it takes as a voice besides names.
    One that declares that it clones speaks with the voices of every bank that have recordings.

    `about` is one line for people. `open` loads the engine. An engine without `settings` takes no model: a recipe
    uses its name, and `open` and `version` get no argument. One with `settings` is opened for a model of the
    recipe: `open(settings)`, or `open(settings, answers)` if it `stores_answers` (a `Place`, or None), and
    `version(settings)`. `version()` is the version of the library alone. `open` and `version` raise EngineUnavailable,
    which says what to install.
    """

    kind: str
    name: str
    about: str
    open: Callable[..., Any]
    version: Callable[..., str]
    settings: type[Section] | None = None
    stores_answers: bool = False
    runs_model_code: bool = False
    keeps_norm: bool = False
    voice_inputs: Callable[..., VoiceInputs] | None = None


class LoadedEngine(Protocol):
    """Has what all engines share: a name and a version for every row's provenance."""

    name: str
    version: str


class TextGenerator(LoadedEngine, Protocol):
    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]: ...


class ChatModel(LoadedEngine, Protocol):
    """Runs the language model behind a `TextGenerator`. All methods run in one event loop, `complete` many times at
    once.

    `start` raises EngineUnavailable if the model is not available; `complete` raises EngineDied when the model has
    died, and returns a Failure for a problem with one request.
    """

    async def start(self) -> None: ...

    async def complete(self, request: ChatRequest) -> ChatReply | Failure: ...

    async def close(self) -> None: ...


class SpeechSynthesizer(LoadedEngine, Protocol):
    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]: ...


class DialogueSynthesizer(LoadedEngine, Protocol):
    """Speaks a whole dialogue in one call. Where in the clip a turn lies, it does not tell."""

    def perform(self, requests: Sequence[DialogueRequest]) -> list[Clip | Failure]: ...


class Watermarker(LoadedEngine, Protocol):
    """Marks clips and detects marks.

    `embed` returns clips of the same length and sample rate; `detect` never raises for an unmarked clip. `bits` is the
    length of the mark's message, one message in 0..2**bits-1 for each clip. A method of 0 bits ignores the messages.
    """

    bits: int

    def embed(self, clips: Sequence[Clip], messages: Sequence[int]) -> list[Clip | Failure]: ...

    def detect(self, clips: Sequence[Clip]) -> list[Detection | Failure]: ...


class SpeechRecognizer(LoadedEngine, Protocol):
    """Transcribes clips. `languages` are the codes of the languages that it understands; None means any."""

    languages: frozenset[str] | None

    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]: ...


class WordAligner(LoadedEngine, Protocol):
    """Finds when the words of a known text are spoken. `languages` as of a recognizer.

    Each result has exactly the words of the text, in the order of `manifests.words`, with samples of the request's
    clip, and None for a word that it could not place: times are never made up. `problem` says why the aligner itself
    does not believe the whole.
    """

    languages: frozenset[str] | None

    def align(self, requests: Sequence[AlignRequest]) -> list[WordTimes | Failure]: ...


class SpeakerEncoder(LoadedEngine, Protocol):
    """Turns a clip into a speaker embedding: float32 [dimension], of length 1 (L2) unless the engine declares that it
    `keeps_norm`.

    Embeddings of different encoders cannot be compared. Clips may have any sample rate.
    """

    dimension: int

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]: ...


class QualityPredictor(LoadedEngine, Protocol):
    """Predicts how listeners would rate a clip: a MOS of 1..5 for each name in `scores`, such as "dnsmos_p808"."""

    scores: tuple[str, ...]

    def predict(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]: ...


class GenderPredictor(LoadedEngine, Protocol):
    def predict(self, clips: Sequence[Clip]) -> list[GenderGuess | Failure]: ...


class StyleClassifier(LoadedEngine, Protocol):
    """Tells in which style a clip is spoken: the probability of each of `labels`, which are in lower case."""

    labels: tuple[str, ...]

    def classify(self, clips: Sequence[Clip]) -> list[Mapping[str, float] | Failure]: ...


class SpeechTokenizer(LoadedEngine, Protocol):
    """Turns a clip into discrete codes, raw: never merged, shifted or offset.

    `tokenizer` names what the codes are, whichever checkpoint gives them ("snac-24khz", "s3-v2"), and `revision` that
    checkpoint with everything else that decides a code. `sample_rate` is the tokenizer's in Hz, `hop_length` the
    samples of one frame of the first book, `codebook_size` the number of codes of each book, `license` that of the
    weights. Clips may have any sample rate.

    Where `decodes`, `decode` makes clips of codes, at `sample_rate`, each a whole number of frames long.
    """

    tokenizer: str
    revision: str
    sample_rate: int
    hop_length: int
    codebook_size: int
    license: str | None
    decodes: bool

    def tokenize(self, clips: Sequence[Clip]) -> list[Codes | Failure]: ...

    def decode(self, codes: Sequence[Codes]) -> list[Clip]: ...


class VoiceActivityDetector(LoadedEngine, Protocol):
    """Finds speech: spans [start_s, end_s), in order, without overlaps; none in silence."""

    def detect_speech(self, clips: Sequence[Clip]) -> list[tuple[tuple[float, float], ...] | Failure]: ...
