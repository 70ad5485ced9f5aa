"""Defines the row: a dialogue with nested turns. The Arrow schema is derived from these dataclasses.

Times are stored as integers (`num_samples`, `start_sample`, at `sample_rate` Hz) and seconds are computed from them.
Error rates (`cer`, `wer`, `syllable_rate`, `Score.rate`, `edge_error`) are fractions. `None` means "not known (yet)".

A turn is spoken once or several times. Each `Take` records everything about one synthesis, from the voice to the
reason why it was not accepted. The turn holds the take that counts and remembers the earlier ones.
"""

from dataclasses import dataclass
from typing import Literal

from manifests.audio_fields import Audio, Quality, SpeechTokens, Watermark, Word, WordTimes
from manifests.hearing import AlignmentChunk, EditKind, Hearing, Metric, Score
from manifests.timeline import Channel, Cue, Draw, Event, Label, LabelKind, Timeline, Track, TurnKind

__all__ = [
    "SCHEMA_VERSION",
    "AlignmentChunk",
    "Audio",
    "Channel",
    "Cue",
    "Dialogue",
    "Draw",
    "DryTake",
    "EditKind",
    "Event",
    "FinalStatus",
    "Hearing",
    "Label",
    "LabelKind",
    "Metric",
    "Quality",
    "Role",
    "Score",
    "Source",
    "SpeechTokens",
    "Status",
    "Step",
    "Style",
    "Take",
    "Timeline",
    "Track",
    "Turn",
    "TurnKind",
    "Watermark",
    "Word",
    "WordTimes",
    "version_problem",
]

SCHEMA_VERSION = 3

Role = Literal["user", "agent"]
FinalStatus = Literal["kept", "rejected", "failed"]
Status = Literal["live", FinalStatus]


def version_problem(found: object) -> str | None:
    """Say why data of the schema version `found` cannot be read, and what to do; None if it can be read."""
    if found == SCHEMA_VERSION:
        return None
    is_older = isinstance(found, int) and found < SCHEMA_VERSION
    cure = "build the corpus again with this version" if is_older else "read it with the version that wrote it"
    return f"schema version {found!r}, but this version of Parley reads schema version {SCHEMA_VERSION}: {cure}"


@dataclass(frozen=True, slots=True)
class DryTake:
    """Holds a take as `render` made it, before the dialogue was arranged and mixed."""

    audio: Audio
    word_times: WordTimes | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """Holds one synthesis of a turn and all its results.

    `number` counts the dialogue's takes from 1: turns that are spoken in the same pass over the dialogue have the same
    number. `rate` is the requested speaking rate, 1.0 being the voice's own. `audio` is None where the synthesis
    failed. `speaker_similarity` is the cosine between the clip and its own voice, by the recipe's speaker encoder.
    `reason` says why the take is not accepted, in view of the whole dialogue; None: no fault is known.

    `hearing` is the one that decides. `hearings` is empty where one recognizer was enough; otherwise it holds the
    first recognizer's hearing, then the second's. If the second hears nothing wrong, the first was at fault; otherwise
    the voice was.

    `word_times` belong to `audio`. Where the dialogue is mixed, `audio` is cut out of the delivered channel, and `dry`
    keeps what was mixed as long as the row is live, since a further take of another turn means to mix again.
    """

    number: int
    voice_id: str
    seed: int
    rate: float
    audio: Audio | None = None
    watermark: Watermark | None = None
    hearing: Hearing | None = None
    hearings: tuple[Hearing, ...] = ()
    quality: Quality | None = None
    speaker_similarity: float | None = None
    reason: str | None = None
    word_times: WordTimes | None = None
    tokens: tuple[SpeechTokens, ...] = ()
    dry: DryTake | None = None

    @property
    def score(self) -> Score | None:
        """The score of the hearing that decides."""
        return self.hearing.score if self.hearing else None


@dataclass(frozen=True, slots=True)
class Style:
    """Says how a turn is to be spoken: a short `instruction` in words, a `label` such as "cheerful", or both."""

    instruction: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Holds one speaker's turn.

    `original_text` and `material` are the source's instruction and its separate input; `text` is what is said.
    `unsaid` is the rest of the text of an agent who was interrupted: it is synthesized, and cut off. `start_sample` is
    where the turn's clip lies in the dialogue's timeline; None: there is no timeline, or the turn is not in it.

    A `kind` other than "turn" takes the floor from nobody: a backchannel, an aside of the user to somebody else, and
    somebody in the background. `cue` says where such a turn, or an interruption, begins; `labels` are those of words
    of the text, as `manifests.words` counts them. `thought` is reasoning that nobody hears; `calls` are the tool calls
    that the turn means, as JSON.

    `take` is the take that counts; None: there is no take yet, or the last one was given up and another will follow.
    `attempts` are all takes that were judged, that one included, without the bytes of their clips; where the recipe
    asks for them (`gate.keep_rejected_takes`), the bytes of takes that were rejected and spoken again are there too.
    """

    role: Role
    original_text: str
    material: str = ""
    text: str | None = None
    start_sample: int | None = None
    take: Take | None = None
    attempts: tuple[Take, ...] = ()
    kind: TurnKind = "turn"
    cue: Cue | None = None
    labels: tuple[Label, ...] = ()
    unsaid: str | None = None
    style: Style | None = None
    thought: str | None = None
    calls: str | None = None

    @property
    def whole_text(self) -> str | None:
        """What is synthesized: the text with what an interruption keeps from being said."""
        return self.text if not self.unsaid else f"{self.text or ''}{self.unsaid}"

    @property
    def audio(self) -> Audio | None:
        """The clip of the take that counts."""
        return self.take.audio if self.take else None

    @property
    def reason(self) -> str | None:
        """The reason why the take that counts is not accepted."""
        return self.take.reason if self.take else None

    @property
    def rejected_clips(self) -> tuple[Take, ...]:
        """The rejected takes whose clips were kept: the same text, spoken worse."""
        return tuple(take for take in self.attempts if take.audio is not None and take.audio.bytes)

    @property
    def hypothesis(self) -> str | None:
        """The transcript of the take that counts."""
        return self.take.hearing.hypothesis if self.take and self.take.hearing else None

    @property
    def score(self) -> Score | None:
        """The score of that transcript against `text`."""
        return self.take.score if self.take else None


@dataclass(frozen=True, slots=True)
class Source:
    """Says where the row came from: data set name, the row's id or 0-based position in it, and the data's license."""

    dataset: str
    row: str
    license: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Records what one stage did to the row, and with what engine. `take` is the dialogue's take number then."""

    stage: str
    engine: str | None
    version: str | None
    prompt: str | None
    take: int


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Holds one row of a corpus.

    `dialogue_id` is stable: it depends on the data set's name and the row's text. `ordinal` is the row's place, from
    0, among those of its language that were live after ingest; None for the others. `cer` or `wer` is pooled over the
    turns, and so is `syllable_rate` beside the `cer` of Mandarin. A row is `live` while stages work on it; at the end
    it is kept, rejected or failed, the last two with a `reason` (see `manifests.reasons`) and a `detail` for people.

    `background_voice` speaks the turns of kind "background". `timeline` is there if the recipe arranges the dialogue.
    `tools` are the schemas of the tools that the agent may call, as a JSON array.
    """

    dialogue_id: str
    language: str
    source: Source
    turns: tuple[Turn, ...]
    recipe: str | None = None
    ordinal: int | None = None
    user_voice: str | None = None
    agent_voice: str | None = None
    cer: float | None = None
    wer: float | None = None
    syllable_rate: float | None = None
    status: Status = "live"
    reason: str | None = None
    detail: str | None = None
    provenance: tuple[Step, ...] = ()
    background_voice: str | None = None
    timeline: Timeline | None = None
    tools: str | None = None

    def leaves_out(self, turn: Turn) -> bool:
        """Tell whether the turn is not heard: the dialogue has a timeline, and the turn has no place in it."""
        return self.timeline is not None and turn.start_sample is None

    def voice_of(self, turn: Turn) -> str | None:
        """Return the voice that was cast for the turn; None if there is none yet."""
        if turn.kind == "background":
            return self.background_voice
        return self.user_voice if turn.role == "user" else self.agent_voice
