"""Voices, which may be cast, and speakers: the real people from whose recordings virtual voices are averaged."""

import math
import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from manifests.table import Vector as Vector

Gender = Literal["female", "male"]

ANY_LANGUAGE = "mul"
"""Language of a voice that speaks every language (ISO 639-2: multiple languages)."""

GENDERS: tuple[Gender, ...] = get_args(Gender)

_VOICE_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Voice:
    """One entry of a voice bank: a timbre that an engine can speak with, and the facts that casting needs.

    `engine` names the synthesizer and `speaker` the voice inside it. `rate` multiplies the engine's normal speaking
    rate, `pitch` the speaker's normal mean pitch. `agent` marks the voices that may speak as the agent; all others
    are users' voices. `license` is the license of the underlying voice.

    A virtual voice has an `embedding` (float32 [D], on which the synthesizer is conditioned; of length 1, unless its
    bank says that embeddings are raw), the speakers from which it was averaged (`parents`) with their `weights`, and
    the rate bucket that they share (`ms_per_character`: milliseconds of speech per character or, of spaced scripts,
    per letter). A voice given by a recording, or one that is to be cloned, has `prompt_audio` (a whole WAV or FLAC
    file) and `prompt_text`, the words spoken in it.
    """

    voice_id: str
    engine: str
    speaker: str
    language: str
    gender: Gender
    rate: float = 1.0
    pitch: float = 1.0
    agent: bool = False
    license: str | None = None
    parents: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    ms_per_character: int | None = None
    prompt_text: str | None = None
    prompt_audio: bytes | None = field(default=None, repr=False)
    embedding: Vector | None = field(default=None, compare=False, repr=False)

    @property
    def is_recorded(self) -> bool:
        """Whether there is a recording: to ask does not read it."""
        return self.prompt_audio is not None


@dataclass(frozen=True, slots=True)
class Speaker:
    """A real person, as heard in `clips` good clips of one recording (or under one speaker label).

    `xvector` (float32 [Dx], length 1) tells people apart; `embedding` (float32 [De], length 1 or raw) conditions a
    synthesizer, where the bank was built for one. `similar_pairs` is the number of pairs of clips above the bank's
    threshold. `half_similarity` is the cosine between the mean x-vectors of every other clip and of the rest: how near
    one mean of this person comes to another mean of the same person. `seconds_per_character` is the time of speech,
    without silence, per character (or letter); `ms_per_character` is that in steps of 10 ms. `gender_confidence` is
    None where the corpus's own metadata give the gender. `quality` is the mean score of the clips. Speakers are never
    cast.
    """

    speaker_id: str
    language: str
    gender: Gender
    gender_confidence: float | None
    clips: int
    speech_s: float
    similar_pairs: int
    half_similarity: float
    seconds_per_character: float
    ms_per_character: int
    quality: float | None
    license: str | None
    xvector: Vector = field(compare=False, repr=False)
    embedding: Vector | None = field(default=None, compare=False, repr=False)


def is_voice_id(text: str) -> bool:
    """Whether a text consists of lower-case ASCII letters, digits, - and _.

    Such a text is safe as a file name and in other programs' lists.
    """
    return _VOICE_ID.fullmatch(text) is not None


def voice_problem(voice: Voice) -> str | None:
    """Say in a few words what is wrong with a voice's values; None where nothing is. Does not look at vectors."""
    if not is_voice_id(voice.voice_id):
        return f"bad voice_id {voice.voice_id!r}: lower-case letters, digits, - and _"
    if voice.gender not in GENDERS:
        return f"bad gender {voice.gender!r}"
    for name in ("engine", "speaker", "language"):
        if not getattr(voice, name):
            return f"bad {name} {getattr(voice, name)!r}"
    for name in ("rate", "pitch"):
        if not _is_factor(getattr(voice, name)):
            return f"bad {name} {getattr(voice, name)!r}"
    return _optional_problem(voice)


def speaker_problem(speaker: Speaker) -> str | None:
    """Say in a few words what is wrong with a speaker's values; None where nothing is. Does not look at vectors."""
    if not speaker.speaker_id:
        return f"bad speaker_id {speaker.speaker_id!r}"
    if speaker.gender not in GENDERS:
        return f"bad gender {speaker.gender!r}"
    if not speaker.language:
        return f"bad language {speaker.language!r}"
    for name in ("gender_confidence", "quality"):
        value = getattr(speaker, name)
        if value is not None and not math.isfinite(value):
            return f"bad {name} {value!r}"
    for name in ("clips", "speech_s", "seconds_per_character", "ms_per_character"):
        if not _is_factor(getattr(speaker, name)):
            return f"bad {name} {getattr(speaker, name)!r}"
    if not -1.001 <= speaker.half_similarity <= 1.001:
        return f"bad half_similarity {speaker.half_similarity!r}"
    return f"bad similar_pairs {speaker.similar_pairs!r}" if speaker.similar_pairs < 0 else None


def _optional_problem(voice: Voice) -> str | None:
    for name in ("license", "prompt_text", "prompt_audio"):
        if getattr(voice, name) in ("", b""):
            return f"bad {name}: empty"
    if len(voice.weights) != len(voice.parents):
        return f"{len(voice.weights)} weights for {len(voice.parents)} parents"
    if not all(map(_is_factor, voice.weights)):
        return f"bad weights {voice.weights!r}"
    if voice.ms_per_character is not None and voice.ms_per_character <= 0:
        return f"bad ms_per_character {voice.ms_per_character!r}"
    return None


def _is_factor(value: float) -> bool:
    return math.isfinite(value) and value > 0
