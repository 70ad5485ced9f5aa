"""assess: measures the delivered bytes of every new take and applies the recipe's limits.

Level, clipping, edge silence, bandwidth and the level of the end are always measured; predicted listener ratings and
the similarity to the take's own voice only where the recipe names an engine for them. A measure that cannot be
computed for a clip (half a second is too short for most) is None on the row and never exceeds a limit. Takes that
already have a reason are not measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from manifests.errors import RecipeError
from manifests.reasons import Reason
from manifests.schema import Dialogue, Quality, Style, Take
from manifests.storage import Place
from pipeline.audio.bandwidth import bandwidth_hz
from pipeline.audio.levels import clipped_share, end_level_db, peak_dbfs
from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.samples import loud_span
from pipeline.engines.contract import Clip, Failure, QualityPredictor, Samples, SpeakerEncoder, StyleClassifier
from pipeline.recipe import Recipe
from pipeline.settings import EngineList, Section
from pipeline.stages._loudness import LOUDNESS
from pipeline.stages._reference_embeddings import load_reference_embeddings, reference_embeddings_version
from pipeline.stages._style_match import class_asked
from pipeline.stages._takes import clip_of, find_takes, is_good_so_far, put_takes, take_at
from pipeline.stages.contract import Context, EngineKey, Resource, Stage

_NAMES = frozenset(field.name for field in fields(Quality))


QualityScore = Literal["dnsmos_ovrl", "dnsmos_sig", "dnsmos_bak", "dnsmos_p808", "distillmos", "utmos"]


Share = Annotated[float, Field(ge=0, le=1)]


class AssessSettings(Section):
    """Measures the delivered bytes and limits the results. A measure that is missing for a clip exceeds no limit."""

    quality: EngineList = Field((), description="quality predictors: dnsmos, or models; the row stores their scores")
    speaker: str | None = Field(
        None, description="speaker encoder that compares each clip with its own voice; none: no comparison"
    )
    minimum: dict[QualityScore, float] = Field({}, description="lowest allowed scores, such as {dnsmos_ovrl: 3.0}")
    speaker_similarity: float | None = Field(
        None, ge=-1, le=1, description="lowest allowed cosine to the clip's own voice, by that encoder; none: no limit"
    )
    style: str | None = Field(
        None, description="style classifier that tells how likely each clip has its turn's style; none: no comparison"
    )
    style_labels: dict[str, str] = Field(
        {}, description="words of a turn's style to labels of the classifier: {cheerful: happy}"
    )
    style_probability: Share | None = Field(
        None, description="lowest allowed probability of the style that the turn asks for; none: no limit"
    )
    max_clipped_share: Share | None = Field(
        None, description="largest allowed share of samples cut off at full scale; none: no limit"
    )
    max_edge_silence_s: float | None = Field(
        None, ge=0, description="longest allowed silence before or after the speech, in seconds; none: no limit"
    )
    max_end_level_db: float | None = Field(
        None, le=0, description="loudest allowed end of the synthesizer's clip, in dB below its speech; none: no limit"
    )
    min_bandwidth_hz: float | None = Field(
        None, ge=0, description="lowest allowed bandwidth of the clip, in Hz (4000: no 8 kHz sound); none: no limit"
    )

    @model_validator(mode="after")
    def _limits_have_their_measure(self) -> "AssessSettings":
        if self.speaker_similarity is not None and self.speaker is None:
            raise ValueError("speaker_similarity needs a speaker encoder: speaker=NAME")
        if self.style_probability is not None and self.style is None:
            raise ValueError("style_probability needs a style classifier: style=NAME")
        if self.style is not None and not self.style_labels:
            raise ValueError("style needs style_labels: which words of a turn's style mean which of its labels")
        return self


def assess(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.section(AssessSettings)
    places = find_takes(dialogues, needs_measuring)
    takes = [take_at(dialogues, place) for place in places]
    clips = [clip_of(take) for take in takes]
    scores = _scores(clips, settings, context)
    similarities = _similarities(clips, [take.voice_id for take in takes], settings, context)
    styles = _styles(clips, [dialogues[i].turns[j].style for i, j in places], settings, context)
    measured = []
    for take, clip, scored, similarity, style in zip(takes, clips, scores, similarities, styles, strict=True):
        if settings.speaker is None:
            similarity = take.speaker_similarity  # perform has compared the turn with the recording of its voice
        quality = replace(_signal(clip, take.quality), style_probability=style, **scored)
        reason = _reason(quality, similarity, settings)
        why = reason.value if reason else None
        measured.append(replace(take, quality=quality, speaker_similarity=similarity, reason=why))
    return put_takes(dialogues, places, measured)


def needs_measuring(take: Take) -> bool:
    """Tell whether a good take is not measured yet: only this stage measures edge silence, and of every clip."""
    is_measured = take.quality is not None and take.quality.leading_silence_s is not None
    return is_good_so_far(take) and not is_measured


def _signal(clip: Clip, before: Quality | None) -> Quality:
    """Measure everything that needs no model. `before` has render's: clipping and end of the raw clip."""
    start, end = loud_span(clip.samples)
    raw = before.clipped_share if before and before.clipped_share is not None else 0.0
    raw_end = before.end_level_db if before else None
    return Quality(
        loudness_lufs=loudness_lufs(clip.samples, clip.sample_rate),
        peak_dbfs=peak_dbfs(clip.samples) if end else None,
        clipped_share=max(raw, clipped_share(clip.samples)),
        leading_silence_s=(start if end else len(clip.samples)) / clip.sample_rate,
        trailing_silence_s=(len(clip.samples) - end) / clip.sample_rate,
        bandwidth_hz=bandwidth_hz(clip.samples, clip.sample_rate),
        end_level_db=end_level_db(clip.samples, clip.sample_rate) if raw_end is None else raw_end,
    )


def _scores(clips: Sequence[Clip], settings: AssessSettings, context: Context) -> list[dict[str, float]]:
    """Return the scores of all predictors for each clip; a predictor that fails on a clip gives none for it."""
    scores: list[dict[str, float]] = [{} for _ in clips]
    for name in settings.quality:
        predictor: QualityPredictor = context.engines["quality", name]
        for mine, result in zip(scores, predictor.predict(clips), strict=True):
            if not isinstance(result, Failure):
                mine.update({score: value for score, value in result.items() if score in _NAMES})
    return scores


def _similarities(
    clips: Sequence[Clip], voices: Sequence[str], settings: AssessSettings, context: Context
) -> list[float | None]:
    if settings.speaker is None:
        return [None] * len(clips)
    encoder: SpeakerEncoder = context.engines["encoder", settings.speaker]
    vectors = encoder.encode(clips)
    return [
        None if isinstance(vector, Failure) else float(vector @ context.resource(REFERENCES)[voice])
        for vector, voice in zip(vectors, voices, strict=True)
    ]


def _styles(
    clips: Sequence[Clip], styles: Sequence[Style | None], settings: AssessSettings, context: Context
) -> list[float | None]:
    """Return how likely each clip has the style that its turn asks for; clips of which nothing is asked are not
    classified."""
    found: list[float | None] = [None] * len(clips)
    labels = _lower(settings.style_labels)
    asked = {i: label for i, style in enumerate(styles) if (label := class_asked(style, labels))}
    if settings.style is None or not asked:
        return found
    classifier: StyleClassifier = context.engines["style", settings.style]
    if unknown := sorted(set(labels.values()) - set(classifier.labels)):
        known = ", ".join(classifier.labels)
        raise RecipeError(f"assess.style_labels: {settings.style} has no label {unknown[0]!r}; it has {known}")
    for (i, label), result in zip(asked.items(), classifier.classify([clips[i] for i in asked]), strict=True):
        found[i] = None if isinstance(result, Failure) else result[label]
    return found


def _lower(labels: Mapping[str, str]) -> dict[str, str]:
    return {word.strip().casefold(): label.strip().casefold() for word, label in labels.items()}


def _reason(quality: Quality, similarity: float | None, settings: AssessSettings) -> Reason | None:
    """Return the first limit that is exceeded, the signal's first: a fault in the signal explains the others."""
    if _above(quality.clipped_share, settings.max_clipped_share):
        return Reason.CLIPPED
    edges = (quality.leading_silence_s, quality.trailing_silence_s)
    if any(_above(edge, settings.max_edge_silence_s) for edge in edges):
        return Reason.LONG_SILENCE
    if _above(quality.end_level_db, settings.max_end_level_db):
        return Reason.CUT_OFF
    if _above(settings.min_bandwidth_hz, quality.bandwidth_hz):
        return Reason.NARROW_BAND
    if _above(settings.speaker_similarity, similarity):
        return Reason.VOICE_DRIFT
    if _above(settings.style_probability, quality.style_probability):
        return Reason.OFF_STYLE
    if any(_above(limit, getattr(quality, score)) for score, limit in settings.minimum.items()):
        return Reason.LOW_QUALITY
    return None


def _above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    settings = recipe.section(AssessSettings)
    encoders = (("encoder", settings.speaker),) if settings.speaker else ()
    styles = (("style", settings.style),) if settings.style else ()
    return (*(("quality", name) for name in settings.quality), *encoders, *styles)


def _references(recipe: Recipe, work: Place | None) -> Mapping[str, Samples]:
    return load_reference_embeddings(recipe, recipe.section(AssessSettings).speaker or "")


def _references_version(recipe: Recipe) -> str:
    return reference_embeddings_version(recipe, recipe.section(AssessSettings).speaker or "")


REFERENCES: Resource[Mapping[str, Samples]] = Resource("reference embeddings", _references, _references_version)
"""The embedding of each voice by the recipe's speaker encoder, by voice_id: float32 [D], length 1."""


def _resources(recipe: Recipe) -> tuple[Resource[Any], ...]:
    return (LOUDNESS, REFERENCES) if recipe.section(AssessSettings).speaker else (LOUDNESS,)


def _check_recipe(recipe: Recipe) -> None:
    settings = recipe.section(AssessSettings)
    predictors = [recipe.engine_of(name) for name in settings.quality]
    if len(set(predictors)) < len(predictors):
        raise ValueError("assess.quality: two predictors of one engine would write the same scores; name only one")
    for score in settings.minimum:
        if score.partition("_")[0] not in predictors:
            raise ValueError(f"assess.minimum: no predictor of assess.quality gives {score}")


ASSESS = Stage(
    name="assess",
    about="measures the delivered bytes of every new take and applies the recipe's limits",
    settings=AssessSettings,
    apply=assess,
    reads=frozenset({"take.audio"}),
    writes=frozenset({"take.quality", "take.speaker_similarity", "take.reason"}),
    pool="proof",
    after=("transcribe", "watermark", "render"),
    engines=_engines,
    resources=_resources,
    check=_check_recipe,
)
