"""Defines the row: a dialogue with nested turns. The Arrow schema is derived from these dataclasses.

Times are stored as integers (`num_samples`, `start_sample`, at `sample_rate` Hz) and seconds are computed from them.
Error rates (`cer`, `wer`, `syllable_rate`, `Score.rate`, `edge_error`) are fractions. `None` means "not known (yet)".

A turn is spoken once or several times. Each `Take` records everything about one synthesis, from the voice to the
reason why it was not accepted. The turn holds the take that counts and remembers the earlier ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

SCHEMA_VERSION = 2

Role = Literal["user", "agent"]
FinalStatus = Literal["kept", "rejected", "failed"]
Status = Literal["live", FinalStatus]
Metric = Literal["cer", "wer"]
EditKind = Literal["equal", "substitute", "insert", "delete"]


def version_problem(found: object) -> str | None:
    """Say why data of the schema version `found` cannot be read, and what to do; None if it can be read."""
    if found == SCHEMA_VERSION:
        return None
    is_older = isinstance(found, int) and found < SCHEMA_VERSION
    cure = "build the corpus again with this version" if is_older else "read it with the version that wrote it"
    return f"schema version {found!r}, but this version of Parley reads schema version {SCHEMA_VERSION}: {cure}"


@dataclass(frozen=True, slots=True)
class Audio:
    """Holds one encoded clip, mono.

    `bytes` is a whole file in the format of `codec` ("wav" or "flac"); `path` is the clip's file relative to the
    corpus, where the corpus has clip files.
    """

    bytes: bytes
    path: str | None
    codec: str
    sample_rate: int
    num_samples: int

    @property
    def duration_s(self) -> float:
        return self.num_samples / self.sample_rate


@dataclass(frozen=True, slots=True)
class Watermark:
    """Describes the watermark found in the *delivered* bytes: `score` in 0..1, `message` where the method has one."""

    method: str
    message: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Holds the measurements of a take. None: not requested, or impossible to compute for this clip.

    `loudness_lufs` is the integrated loudness (ITU-R BS.1770), `peak_dbfs` the level of the largest sample. The
    silences last up to the first sample, and from the last sample, above -50 dB of the clip's peak. `clipped_share` is
    the share of the samples that lie in runs of three or more at full scale, in the delivered clip or as the
    synthesizer gave it, whichever is larger. `bandwidth_hz` is the highest frequency at which the clip's mean spectrum
    is within 50 dB of its peak. `end_level_db` is the level of the last 20 ms of the synthesizer's clip, relative to
    its loudest 50 ms. The others are predicted listener ratings, 1 to 5: DNSMOS by ITU-T P.835 (whole, speech,
    background) and P.808, UTMOS, and DistillMOS.
    """

    loudness_lufs: float | None = None
    peak_dbfs: float | None = None
    clipped_share: float | None = None
    leading_silence_s: float | None = None
    trailing_silence_s: float | None = None
    bandwidth_hz: float | None = None
    end_level_db: float | None = None
    dnsmos_ovrl: float | None = None
    dnsmos_sig: float | None = None
    dnsmos_bak: float | None = None
    dnsmos_p808: float | None = None
    utmos: float | None = None
    distillmos: float | None = None


@dataclass(frozen=True, slots=True)
class AlignmentChunk:
    """Holds a run of words (or characters, where the metric is "cer") with the same edit operation.

    `meant` is its part of the text, `heard` its part of the transcript, both normalized, words with one space between
    them. They are equal for "equal" and have the same number of words for "substitute"; `meant` is empty for
    "insert" and `heard` for "delete".
    """

    kind: EditKind
    meant: str
    heard: str


@dataclass(frozen=True, slots=True)
class Score:
    """Says how far a transcript is from the intended text, with the alignment that shows it.

    `rate` is `edits / reference_length`, in words or characters as `metric` says; it exceeds 1 where much was
    inserted. `edge_error` is the larger error rate of the text's first and last 12 characters. Both are None where
    normalization leaves nothing of the text: no number describes that case. `normalizer` names the normalization of
    both texts and its version. The chunks of `alignment`, in order, give both texts whole. `syllable_rate` is
    `syllable_edits / reference_length`: edits of toned syllables, among which homophones are none, in Mandarin; None
    in other languages.
    """

    metric: Metric
    rate: float | None
    edits: int
    reference_length: int
    edge_error: float | None
    normalizer: str
    alignment: tuple[AlignmentChunk, ...]
    syllable_edits: int | None = None
    syllable_rate: float | None = None

    @property
    def is_empty_reference(self) -> bool:
        return self.reference_length == 0

    @property
    def reference(self) -> str:
        """The normalized intended text."""
        return self._joined(chunk.meant for chunk in self.alignment)

    @property
    def hypothesis(self) -> str:
        """The normalized transcript."""
        return self._joined(chunk.heard for chunk in self.alignment)

    @property
    def substitutions(self) -> int:
        return sum(self._length(chunk.meant) for chunk in self.alignment if chunk.kind == "substitute")

    @property
    def deletions(self) -> int:
        return sum(self._length(chunk.meant) for chunk in self.alignment if chunk.kind == "delete")

    @property
    def insertions(self) -> int:
        return sum(self._length(chunk.heard) for chunk in self.alignment if chunk.kind == "insert")

    def _joined(self, parts: Iterator[str]) -> str:
        return ("" if self.metric == "cer" else " ").join(part for part in parts if part)

    def _length(self, text: str) -> int:
        return len(text) if self.metric == "cer" else len(text.split())


@dataclass(frozen=True, slots=True)
class Hearing:
    """Holds what one recognizer heard in a take.

    `hypothesis` and `score` are None where the recognizer failed, and where the clip's length alone shows that it is
    not the text: such a clip is not given to the recognizer. `reason` says why a dialogue of this turn alone would be
    dropped after this hearing; None: the turn was understood.
    """

    recognizer: str
    hypothesis: str | None = None
    score: Score | None = None
    reason: str | None = None


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

    @property
    def score(self) -> Score | None:
        """The score of the hearing that decides."""
        return self.hearing.score if self.hearing else None


@dataclass(frozen=True, slots=True)
class Turn:
    """Holds one speaker's turn.

    `original_text` and `material` are the source's instruction and its separate input; `text` is what is spoken.
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
