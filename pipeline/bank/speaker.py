"""Turns the examined clips of a group into a speaker, or into the reason why not. All functions are pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.bank.clips import Unusable
from pipeline.bank.recipe import BankRecipe
from pipeline.engines.contract import GenderGuess, Samples
from voicebank.layouts.clip import SourceClip
from voicebank.pair_rule import all_pairs, is_one_person, min_pairs, similar_pairs
from voicebank.rate import count_characters, ms_bucket
from voicebank.reasons import BankReason
from voicebank.voice import Gender, Speaker, Vector

# One clip's odds are capped at 999 to 1; otherwise a single overconfident guess would outvote all others.
_SUREST = 0.999


@dataclass(frozen=True, slots=True)
class HeardClip:
    """Holds a good clip and the engines' results for it.

    `xvector` is float32 [Dx], `embedding` float32 [De] if the recipe asks for one; `guess` is None if the corpus
    names the gender or the predictor failed.
    """

    source: SourceClip
    quality: float | None
    speech_s: float
    xvector: Samples
    embedding: Samples | None = None
    guess: GenderGuess | None = None


def make_speaker(
    speaker_id: str, clips: Sequence[HeardClip], recipe: BankRecipe, license: str | None, raw: bool = False
) -> Speaker | Unusable:
    """Make the speaker of these clips, at least two, or return the reason why they give none.

    `raw`: the embeddings have lengths of their own, which are kept.
    """
    rule = recipe.pair_rule
    similar = similar_pairs(np.stack([clip.xvector for clip in clips]), rule.threshold)
    if not is_one_person(similar, len(clips), rule.min_pairs):
        needed, total = min_pairs(rule.min_pairs, len(clips)), all_pairs(len(clips))
        return Unusable(BankReason.MIXED_SPEAKERS, f"{similar} of {total} pairs alike, {needed} needed")
    gender = _gender_of(clips, recipe.gender.min_confidence)
    if isinstance(gender, Unusable):
        return gender
    rate = _rate_of(clips)
    if isinstance(rate, Unusable):
        return rate
    scores = [clip.quality for clip in clips if clip.quality is not None]
    embeddings = [clip.embedding for clip in clips if clip.embedding is not None]
    return Speaker(
        speaker_id=speaker_id,
        language=clips[0].source.language,
        gender=gender[0],
        gender_confidence=gender[1],
        clips=len(clips),
        speech_s=math.fsum(clip.speech_s for clip in clips),
        similar_pairs=similar,
        half_similarity=half_similarity([clip.xvector for clip in clips]),
        seconds_per_character=rate,
        ms_per_character=ms_bucket(rate),
        quality=math.fsum(scores) / len(scores) if scores else None,
        license=license,
        xvector=mean_direction([clip.xvector for clip in clips]),
        embedding=mean_embedding(embeddings, raw) if embeddings else None,
    )


def mean_direction(vectors: Sequence[Samples]) -> Vector:
    """Return the mean of the vectors, each scaled to length 1, and itself of length 1: float32 [D].

    Without scaling first, clips with longer vectors would have more weight.
    """
    matrix = np.stack(vectors).astype(np.float64)
    mean = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).mean(axis=0)
    direction: Vector = (mean / np.linalg.norm(mean)).astype(np.float32)
    return direction


def mean_embedding(vectors: Sequence[Samples], raw: bool) -> Vector:
    """Return the mean direction of the vectors and, if they are `raw`, with the mean of their lengths: float32 [D]."""
    direction = mean_direction(vectors)
    if not raw:
        return direction
    norms = np.linalg.norm(np.stack(vectors).astype(np.float64), axis=1)
    mean: Vector = (direction * norms.mean()).astype(np.float32)
    return mean


def half_similarity(vectors: Sequence[Samples]) -> float:
    """Return the cosine between the mean directions of the even and of the odd vectors; needs at least two."""
    return float(np.dot(mean_direction(vectors[::2]), mean_direction(vectors[1::2])))


def combined_gender(guesses: Sequence[GenderGuess]) -> GenderGuess:
    """Combine at least one guess into one by the mean of their log-odds, so that unsure clips count for little."""
    mean = math.fsum(map(_log_odds, guesses)) / len(guesses)
    return GenderGuess("female" if mean > 0 else "male", 1 / (1 + math.exp(-abs(mean))))


def contradiction(clips: Sequence[SourceClip]) -> str | None:
    """Say what the clips of one group disagree on; None if they agree."""
    languages = sorted({clip.language for clip in clips})
    genders = sorted({clip.gender for clip in clips if clip.gender is not None})
    for named in (languages, genders):
        if len(named) > 1:
            return " and ".join(named)
    return None


def _log_odds(guess: GenderGuess) -> float:
    """Return the log-odds of "female"."""
    confidence = min(max(guess.confidence, 0.5), _SUREST)
    odds = math.log(confidence / (1 - confidence))
    return odds if guess.gender == "female" else -odds


def _gender_of(clips: Sequence[HeardClip], min_confidence: float) -> tuple[Gender, float | None] | Unusable:
    """Return gender and confidence; the confidence is None if the corpus names the gender."""
    for clip in clips:
        if clip.source.gender is not None:
            return clip.source.gender, None
    guesses = [clip.guess for clip in clips if clip.guess is not None]
    if not guesses:
        return Unusable(BankReason.GENDER_UNCLEAR, "nothing was predicted")
    guess = combined_gender(guesses)
    if guess.confidence < min_confidence:
        return Unusable(BankReason.GENDER_UNCLEAR, f"{guess.gender} with {guess.confidence:.2f}")
    return guess.gender, guess.confidence


def _rate_of(clips: Sequence[HeardClip]) -> float | Unusable:
    """Return the seconds of speech per character or letter, over the clips that have a text."""
    pairs = [(clip.speech_s, count_characters(clip.source.text, clip.source.language)) for clip in clips]
    spoken = [(speech_s, blocks) for speech_s, blocks in pairs if blocks > 0]
    if not spoken:
        return Unusable(BankReason.RATE_UNKNOWN, "no clip has a text")
    rate = math.fsum(speech_s for speech_s, _ in spoken) / sum(blocks for _, blocks in spoken)
    if ms_bucket(rate) <= 0:
        return Unusable(BankReason.RATE_UNKNOWN, f"{rate * 1000:.2f} ms for each unit: the texts are not what is said")
    return rate
