"""Decides whether a clip that a virtual voice spoke may stand for the voice: as the recording that other synthesizers
clone.

A clip is heard, and its text must be what was heard; and it is compared with the real people as a listener would, by
its sound. The vectors of the voice are not looked at: what is cloned is the clip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from manifests.errors import UserError
from manifests.meanings import Meaningful
from voicebank.audition import LEAK_SHARE
from voicebank.speaker_table import SpeakerTable
from voicebank.voice import Vector

SHORTEST_S, LONGEST_S = 3.0, 30.0
"""CosyVoice takes no prompt over 30 s; under 3 s there is too little of a voice."""


class PromptDrop(Meaningful):
    """Why a voice gets no clip, and is left out."""

    FAILED = "failed", "it could not be spoken with, heard or measured"
    BAD_DURATION = "bad_duration", f"its clip is shorter than {SHORTEST_S:g} s or longer than {LONGEST_S:g} s"
    UNCLEAR = "unclear", "the recognizer's error rate is above the limit"
    NEAR_REAL = "near_real", "its clip sounds as much like a real person as the leak limit, or more"


@dataclass(frozen=True, slots=True)
class PromptClip:
    """A clip that a voice spoke: its audio (a whole FLAC file), its text, and what was measured on it.

    `xvector` has length 1, and is None where nobody is compared. `problem` says why there is no clip.
    """

    take: int
    text: str = ""
    audio: bytes = b""
    seconds: float = 0.0
    error_rate: float | None = None
    xvector: Vector | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PromptRule:
    """Limits: `errors` by language, and `leak`, the cosine to a real person that no clip may reach; None: not yet
    measured, or nobody to compare with."""

    errors: Mapping[str, float]
    leak: float | None


@dataclass(frozen=True, slots=True)
class JudgedPrompt:
    """What became of a voice's clip. Cosines are to the nearest real person and to the voice's parents that are
    known."""

    drop: PromptDrop | None
    detail: str | None
    nearest_real: float | None = None
    nearest_id: str | None = None
    to_parents: tuple[float, ...] = ()


def judge_prompt(
    clip: PromptClip, language: str, parents: Sequence[int], real: SpeakerTable | None, rule: PromptRule
) -> JudgedPrompt:
    """Judge one clip. `parents` are the rows of the voice's parents in `real`."""
    if clip.problem is not None or clip.error_rate is None or (real is not None and clip.xvector is None):
        return JudgedPrompt(PromptDrop.FAILED, clip.problem or "the text cannot be compared")
    if not SHORTEST_S <= clip.seconds <= LONGEST_S:
        return JudgedPrompt(PromptDrop.BAD_DURATION, f"{clip.seconds:.2f} s")
    drop, detail = None, None
    if clip.error_rate > rule.errors[language]:
        drop, detail = PromptDrop.UNCLEAR, f"{clip.error_rate:.1%}"
    if real is None or clip.xvector is None:
        return JudgedPrompt(drop, detail)
    similarities = real.xvectors @ clip.xvector
    row = int(similarities.argmax())
    nearest = float(similarities[row])
    if rule.leak is not None and nearest >= rule.leak:  # a leak outweighs errors: another take is the same voice
        drop, detail = PromptDrop.NEAR_REAL, f"{nearest:.4f} to {real.ids[row]}"
    return JudgedPrompt(drop, detail, nearest, real.ids[row], tuple(float(similarities[parent]) for parent in parents))


def measured_limit(own_similarities: Sequence[float]) -> float:
    """Return the leak limit, to 0.001, that real voices give: what all but a twentieth of their clips reach with the
    person whose voice it is.

    Raises UserError where too few were heard.
    """
    if len(own_similarities) < _FEWEST:
        raise UserError(
            f"only {len(own_similarities)} real voices could be spoken with, too few to measure a leak limit: "
            "give --leak-limit"
        )
    return round(float(np.quantile(own_similarities, LEAK_SHARE)), 3)


_FEWEST = 3


def parent_rows(parents: Sequence[str], real: SpeakerTable, prefixes: Sequence[str]) -> list[int]:
    """Return the rows of the parents that are known, by their ids or by their own names without a data set's."""
    rows = {speaker_id: row for row, speaker_id in enumerate(real.ids)}
    rows |= {own_name(speaker_id, prefixes): row for speaker_id, row in list(rows.items())}
    return [rows[parent] for parent in parents if parent in rows]


def dataset_prefixes(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the ids of a bank's speakers begin with, before a synthesizer's own names; `sources` are the
    card's."""
    return [f"{source['dataset']}-" for source in sources if source.get("dataset")]


def own_name(speaker_id: str, prefixes: Sequence[str]) -> str:
    """Return a speaker's id without the name of its data set."""
    return next((speaker_id.removeprefix(one) for one in prefixes if speaker_id.startswith(one)), speaker_id)
