"""assess: what the delivered bytes of every new take sound like, and whether they keep to the recipe's limits.

Level, clipping and edge silence are always measured; predicted opinions and the similarity to the take's own voice
where the recipe names an engine for them. A measure that cannot be had of a clip (half a second is too short for most)
is None on the row, and crosses no limit. Takes that carry a reason already are not worth measuring.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

from manifests.reasons import Reason
from manifests.schema import Dialogue, Quality, Take
from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.samples import clipped_share, loud_span, peak_dbfs
from pipeline.engines.contract import Clip, Failure, QualityPredictor, SpeakerEncoder
from pipeline.recipe import Assess, Recipe
from pipeline.stages._turns import clip_of, find_takes, is_good_so_far, put_takes, take_at
from pipeline.stages.contract import Context, EngineKey, Stage

_NAMES = frozenset(field.name for field in fields(Quality))


def assess(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.assess or Assess()
    places = find_takes(dialogues, needs_measuring)
    takes = [take_at(dialogues, place) for place in places]
    clips = [clip_of(take) for take in takes]
    scores = _scores(clips, settings, context)
    similarities = _similarities(clips, [take.voice_id for take in takes], settings, context)
    measured = []
    for take, clip, scored, similarity in zip(takes, clips, scores, similarities, strict=True):
        quality = replace(_signal(clip, take.quality), **scored)
        reason = _reason(quality, similarity, settings)
        why = reason.value if reason else None
        measured.append(replace(take, quality=quality, speaker_similarity=similarity, reason=why))
    return put_takes(dialogues, places, measured)


def needs_measuring(take: Take) -> bool:
    """Whether a good take has not been here: the edges are what this stage alone measures, of every clip."""
    is_measured = take.quality is not None and take.quality.leading_silence_s is not None
    return is_good_so_far(take) and not is_measured


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


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    settings = recipe.assess or Assess()
    encoders = (("encoder", settings.speaker),) if settings.speaker else ()
    return (*(("quality", name) for name in settings.quality), *encoders)


ASSESS = Stage("assess", assess, frozenset({"take.quality", "take.speaker_similarity", "take.reason"}), _engines)
