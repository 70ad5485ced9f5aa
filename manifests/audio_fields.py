"""Defines the parts of a row that describe audio: clips, marks, measurements, word times, speech tokens."""

from dataclasses import dataclass
from typing import Literal

TimeUnit = Literal["word", "character"]
Derivation = Literal["wav2token", "text2token"]


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
    its loudest 50 ms. Then come predicted listener ratings, 1 to 5: DNSMOS by ITU-T P.835 (whole, speech, background)
    and P.808, UTMOS, and DistillMOS. `style_probability` is how likely a classifier of styles finds the one that the
    turn asks for, 0 to 1; None also where the turn asks for none that the classifier knows.
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
    style_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """Says when a word, or a character, is spoken: samples from the start of its clip, the end not included.

    Both are None where the aligner could not tell: times are never made up.
    """

    text: str
    start_sample: int | None
    end_sample: int | None


@dataclass(frozen=True, slots=True)
class WordTimes:
    """Holds the words of a clip, in order, at the clip's sample rate; `aligner` is the engine's name and version.

    `problem` says why the times must not be used, although there are some; None: nothing speaks against them.
    """

    aligner: str
    unit: TimeUnit
    words: tuple[Word, ...]
    problem: str | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether every word has times that may be used."""
        return self.problem is None and all(word.start_sample is not None for word in self.words)


@dataclass(frozen=True, slots=True)
class SpeechTokens:
    """Holds the discrete tokens of a clip, raw: never merged, shifted or offset.

    `books[b]` are the codes of codebook `b` in time, each in 0..codebook_size-1. A frame of the first book lasts
    `hop_length` samples at `sample_rate` Hz, the tokenizer's rate; the other books may have more frames (SNAC).
    `derivation` says whether the tokens were taken from the audio, or made from the text with the audio made from
    them. `license` is that of the tokenizer's weights. Tokens carry no watermark: a codec removes it.
    """

    tokenizer: str
    revision: str
    sample_rate: int
    hop_length: int
    codebook_size: int
    books: tuple[tuple[int, ...], ...]
    derivation: Derivation
    license: str | None = None

    @property
    def num_frames(self) -> int:
        """The frames of the first book."""
        return len(self.books[0]) if self.books else 0
