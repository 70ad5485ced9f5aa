"""The row: a dialogue with nested turns. These dataclasses are the one definition; the Arrow schema is derived.

Integers are the truth of time (`num_samples`, `start_sample`, at `sample_rate` Hz); seconds are a view. Rates (`cer`,
`wer`, `edge_error`) are fractions. `None` means "not known (yet)".
"""

from dataclasses import dataclass
from typing import Literal

SCHEMA_VERSION = 1

Role = Literal["user", "agent"]
Status = Literal["live", "kept", "rejected", "failed"]


@dataclass(frozen=True, slots=True)
class Audio:
    """One encoded clip, mono.

    `bytes` is a whole file of the kind `codec` names ("wav" or "flac"); `path` is the clip's file relative to the
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
    """The mark found in the *delivered* bytes: `score` in 0..1, `message` where the method carries one."""

    method: str
    message: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured on a take; None: not asked for, or not to be had of this clip.

    `loudness_lufs` is the integrated loudness (ITU-R BS.1770), `peak_dbfs` the level of the largest sample. The
    silences last up to the first and from the last sample above -50 dB of the clip's peak. `clipped_share` is the
    share of the samples that lie in runs of three or more at full scale, in the delivered clip or as the synthesizer
    gave it, whichever is larger. The others are predicted opinions of listeners, 1 to 5: DNSMOS by ITU-T P.835 (whole,
    speech, background) and P.808, and UTMOS.
    """

    loudness_lufs: float | None = None
    peak_dbfs: float | None = None
    clipped_share: float | None = None
    leading_silence_s: float | None = None
    trailing_silence_s: float | None = None
    dnsmos_ovrl: float | None = None
    dnsmos_sig: float | None = None
    dnsmos_bak: float | None = None
    dnsmos_p808: float | None = None
    utmos: float | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one recognizer heard in a take that two were asked about.

    `error_rate` is the CER or WER, None where the recognizer failed. `reason` is why the turn would not pass the gate
    if it were a dialogue of its own and this hearing all that is known of it; None: it is heard well.
    """

    recognizer: str
    hypothesis: str | None
    error_rate: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One take of a turn, accepted (`reason` is None) or not. `recognizer` and `opinions` are as in `Turn`."""

    attempt: int
    voice_id: str
    seed: int
    rate: float
    num_samples: int | None
    hypothesis: str | None
    error_rate: float | None
    reason: str | None
    recognizer: str | None = None
    opinions: tuple[Opinion, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's stretch.

    `original_text` and `material` are the source's instruction and its separate input; `text` is what is spoken.
    The fields from `voice_id` on belong to the latest take; `attempts` lists every take. `error_rate` of an attempt is
    the `cer` or the `wer`, whichever scores the language. `speaker_similarity` is the cosine of the take to its own
    voice, by the recipe's speaker encoder. `reason` says why the latest take is not acceptable.

    `recognizer` decided, and `hypothesis` is what it heard. `opinions` is empty where no other was asked; else it
    holds the first recognizer's hearing, then the second's. If the second hears nothing wrong, the first was at fault;
    if it does, the voice was.
    """

    role: Role
    original_text: str
    material: str = ""
    text: str | None = None
    voice_id: str | None = None
    seed: int | None = None
    rate: float | None = None
    audio: Audio | None = None
    start_sample: int | None = None
    watermark: Watermark | None = None
    hypothesis: str | None = None
    recognizer: str | None = None
    cer: float | None = None
    wer: float | None = None
    edge_error: float | None = None
    quality: Quality | None = None
    speaker_similarity: float | None = None
    reason: str | None = None
    opinions: tuple[Opinion, ...] = ()
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where the row came from: data set name, the row's id or 0-based position in it, and the data's license."""

    dataset: str
    row: str
    license: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage did to the row, and with what."""

    stage: str
    engine: str | None
    version: str | None
    prompt: str | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One row of a corpus.

    `dialogue_id` is stable: it depends on the data set's name and the row's text. `ordinal` is the row's place, from
    0, among those of its language that were live after ingest; None for the others. `cer` or `wer` is pooled over the
    turns. A row is `live` while stages work on it; at the end it is kept, rejected or failed, the last two with a
    `reason` (see `manifests.reasons`) and a `detail` for people.
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
    status: Status = "live"
    reason: str | None = None
    detail: str | None = None
    provenance: tuple[Step, ...] = ()
