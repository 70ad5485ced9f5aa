"""Chooses voices by what they sound like: by a clip of each that was heard, judged, and compared with everybody.

The leak test of blending compares vectors. A synthesizer need not follow a vector, and one that averages its own
styles has no vector that a speaker encoder knows. So each voice speaks a sentence, and so do the real voices that it
comes from (`pipeline.bank.audition`). What is decided here, from the figures alone, is which voices stay.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from manifests.errors import UserError
from manifests.meanings import Meaningful
from voicebank.speaker_table import SpeakerTable
from voicebank.voice import Vector, Voice

LEAK_SHARE = 0.05
"""The leak limit is what all but this share of the real voices' clips reach with their own voice: a clip above it is
as near to a person as that person's own clips are."""


class AuditionDrop(Meaningful):
    """Why a voice that was heard does not stay."""

    FAILED = "failed", "it could not be spoken with, heard or measured"
    UNCLEAR = "unclear", "the recognizer's error rate is above its worst parent's by more than the margin"
    POOR = "poor", "the predicted quality is below its worst parent's by more than the margin"
    NEAR_REAL = "near_real", "sounds as much like a real voice as the leak limit, or more"
    TWIN = "twin", "sounds as much like an earlier voice as the twin limit, or more"
    SPARE = "spare", "enough voices of its language and gender stay already"


@dataclass(frozen=True, slots=True)
class VoiceClip:
    """What was measured on the sentences that a voice spoke; `xvector` has length 1, `own` is the mean cosine between
    the sentences. `problem` says why there is nothing."""

    voice: Voice
    error_rate: float | None = None
    quality: float | None = None
    xvector: Vector | None = None
    problem: str | None = None
    own: float | None = None


@dataclass(frozen=True)
class RealVoices:
    """The real voices of one language: their speakers, and by speaker_id the clip that each spoke."""

    speakers: SpeakerTable
    clips: Mapping[str, VoiceClip]

    def own_similarities(self) -> list[float]:
        """Return how near each real voice's clip is to that voice, as measured on other clips."""
        rows = {speaker_id: row for row, speaker_id in enumerate(self.speakers.ids)}
        return [
            float(self.speakers.xvectors[rows[speaker_id]] @ clip.xvector)
            for speaker_id, clip in sorted(self.clips.items())
            if clip.xvector is not None
        ]


@dataclass(frozen=True, slots=True)
class AuditionRule:
    """How much worse than its worst parent a voice may be (`error_margin`, `quality_margin`), and the cosines `leak`
    to real voices and `twin` to kept voices. `count` voices stay of each language and gender."""

    count: int
    error_margin: float
    quality_margin: float
    leak: float
    twin: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A voice with its figures; `drop` is None for those that stay."""

    clip: VoiceClip
    drop: AuditionDrop | None
    nearest_real: float | None = None
    nearest_id: str | None = None
    nearest_earlier: float | None = None


@dataclass
class _Kept:
    counts: Counter[str] = field(default_factory=Counter)
    xvectors: list[Vector] = field(default_factory=list)


def measured_leak_limit(real: Mapping[str, RealVoices]) -> float:
    """Return the leak limit that the real voices themselves give, to 0.001. Raises UserError where none was heard."""
    similarities = [value for voices in real.values() for value in voices.own_similarities()]
    if not similarities:
        raise UserError("no real voice could be heard, so there is no leak limit")
    return round(float(np.quantile(similarities, LEAK_SHARE)), 3)


def judge(
    clips: Sequence[VoiceClip], real: Mapping[str, RealVoices], rule: AuditionRule, known: int = 0
) -> list[Judged]:
    """Judge voices in their order: each against all real voices of its language, and those kept before it.

    The first `known` are of a bank that is extended: however many they are, none is spare, and they are no twins of
    each other. That was judged when they came into it, by other clips: a pair just below the limit may be above it in
    these.
    """
    kept: dict[str, _Kept] = {}
    judged = []
    for number, clip in enumerate(clips):
        of_language = kept.setdefault(clip.voice.language, _Kept())
        result = _judge_one(clip, real[clip.voice.language], of_language, rule)
        if number < known and result.drop is AuditionDrop.TWIN:
            result = replace(result, drop=None)
        if number >= known and result.drop is None and of_language.counts[clip.voice.gender] >= rule.count:
            result = replace(result, drop=AuditionDrop.SPARE)
        if result.drop is None and clip.xvector is not None:
            of_language.counts[clip.voice.gender] += 1
            of_language.xvectors.append(clip.xvector)
        judged.append(result)
    return judged


def _judge_one(clip: VoiceClip, real: RealVoices, kept: _Kept, rule: AuditionRule) -> Judged:
    parents = [real.clips[parent] for parent in clip.voice.parents if parent in real.clips]
    rates = [parent.error_rate for parent in parents if parent.error_rate is not None]
    scores = [parent.quality for parent in parents if parent.quality is not None]
    if clip.xvector is None or clip.error_rate is None or clip.quality is None or not rates or not scores:
        return Judged(clip, AuditionDrop.FAILED)
    similarities = real.speakers.xvectors @ clip.xvector
    row = int(similarities.argmax())
    nearest = float(similarities[row])
    earlier = float((np.stack(kept.xvectors) @ clip.xvector).max()) if kept.xvectors else None
    drop = None
    if clip.error_rate > max(rates) + rule.error_margin:
        drop = AuditionDrop.UNCLEAR
    elif clip.quality < min(scores) - rule.quality_margin:
        drop = AuditionDrop.POOR
    elif nearest >= rule.leak:
        drop = AuditionDrop.NEAR_REAL
    elif earlier is not None and earlier >= rule.twin:
        drop = AuditionDrop.TWIN
    return Judged(clip, drop, nearest, real.speakers.ids[row], earlier)
