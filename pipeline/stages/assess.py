"""assess: what the delivered bytes of every new take sound like, and whether they keep to the recipe's limits.

Level, clipping and edge silence are always measured; predicted opinions and the similarity to the take's own voice
where the recipe names an engine for them. A measure that cannot be had of a clip (half a second is too short for most)
is None on the row, and crosses no limit. Takes that carry a reason already are not worth measuring.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from manifests.audio import decode
from manifests.reasons import Reason
from manifests.schema import Dialogue, Quality, Turn
from pipeline.audio.levels import clipped_share, peak_dbfs
from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.samples import loud_span
from pipeline.engines.contract import Clip, Failure, QualityPredictor, SpeakerEncoder
from pipeline.recipe import Assess, Recipe
from pipeline.stages._turns import find_turns, replace_turns
from pipeline.stages.contract import Context, EngineKey, Stage

_NAMES = frozenset(field.name for field in fields(Quality))


@dataclass(frozen=True, slots=True)
class Measured:
    quality: Quality
    similarity: float | None
    reason: Reason | None


def assess(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.assess or Assess()
    places = find_turns(dialogues, _is_new)
    turns = [dialogues[i].turns[j] for i, j in places]
    clips = [Clip(*decode(turn.audio)) for turn in turns if turn.audio is not None]
    scores = _scores(clips, settings, context)
    similarities = _similarities(clips, [turn.voice_id or "" for turn in turns], settings, context)
    measured = []
    for turn, clip, scored, similarity in zip(turns, clips, scores, similarities, strict=True):
        quality = replace(_signal(clip, turn.quality), **scored)
        measured.append(Measured(quality, similarity, _reason(quality, similarity, settings)))
    return replace_turns(dialogues, places, measured, _take)


def _is_new(turn: Turn) -> bool:
    """The edges are what this stage alone measures, of every clip."""
    is_measured = turn.quality is not None and turn.quality.leading_silence_s is not None
    return turn.audio is not None and turn.reason is None and not is_measured


def _signal(clip: Clip, before: Quality | None) -> Quality:
    """What needs no model. `before` is what render saw: the synthesizer's own clipping."""
    start, end = loud_span(clip.samples)
    raw = before.clipped_share if before and before.clipped_share is not None else 0.0
    return Quality(
        loudness_lufs=loudness_lufs(clip.samples, clip.sample_rate),
        peak_dbfs=peak_dbfs(clip.samples) if end else None,
        clipped_share=max(raw, clipped_share(clip.samples)),
        leading_silence_s=(start if end else len(clip.samples)) / clip.sample_rate,
        trailing_silence_s=(len(clip.samples) - end) / clip.sample_rate,
    )


def _scores(clips: Sequence[Clip], settings: Assess, context: Context) -> list[dict[str, float]]:
    """Of each clip the scores of all predictors; those that fail on it give none."""
    scores: list[dict[str, float]] = [{} for _ in clips]
    for name in settings.quality:
        predictor: QualityPredictor = context.engines["quality", name]
        for mine, result in zip(scores, predictor.predict(clips), strict=True):
            if not isinstance(result, Failure):
                mine.update({score: value for score, value in result.items() if score in _NAMES})
    return scores


def _similarities(
    clips: Sequence[Clip], voices: Sequence[str], settings: Assess, context: Context
) -> list[float | None]:
    if settings.speaker is None:
        return [None] * len(clips)
    encoder: SpeakerEncoder = context.engines["encoder", settings.speaker]
    vectors = encoder.encode(clips)
    return [
        None if isinstance(vector, Failure) else float(vector @ context.reference_embeddings[voice])
        for vector, voice in zip(vectors, voices, strict=True)
    ]


def _reason(quality: Quality, similarity: float | None, settings: Assess) -> Reason | None:
    """The first limit that is crossed; what is wrong with the signal explains the rest."""
    if _above(quality.clipped_share, settings.max_clipped_share):
        return Reason.CLIPPED
    edges = (quality.leading_silence_s, quality.trailing_silence_s)
    if any(_above(edge, settings.max_edge_silence_s) for edge in edges):
        return Reason.LONG_SILENCE
    if _above(settings.speaker_similarity, similarity):
        return Reason.VOICE_DRIFT
    if any(_above(limit, getattr(quality, score)) for score, limit in settings.minimum.items()):
        return Reason.LOW_QUALITY
    return None


def _above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


def _take(turn: Turn, measured: Measured) -> Turn:
    reason = measured.reason.value if measured.reason else None
    return replace(turn, quality=measured.quality, speaker_similarity=measured.similarity, reason=reason)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    settings = recipe.assess or Assess()
    encoders = (("encoder", settings.speaker),) if settings.speaker else ()
    return (*(("quality", name) for name in settings.quality), *encoders)


ASSESS = Stage("assess", assess, frozenset({"turns.quality", "turns.speaker_similarity", "turns.reason"}), _engines)
