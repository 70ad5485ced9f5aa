"""watermark: marks and encodes every new take, then decodes it and verifies the mark.

A watermarker that carries a message gives every clip the id of its corpus, the first bits of the recipe's digest. A
mark with an id other than the row's did not come from this corpus.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from manifests.reasons import Reason
from manifests.schema import Dialogue, Take, Watermark
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Detection, Failure, Watermarker
from pipeline.engines.watermark._message import bit_errors, message_of
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._takes import clip_of, find_takes, is_raw, put_takes, take_at
from pipeline.stages.contract import Context, EngineKey, Stage

Share = Annotated[float, Field(ge=0, le=1)]


class WatermarkSettings(Section):
    engine: str = Field(description="watermarker, or the name of a model")
    threshold: Share = Field(0.5, description="lowest allowed detection score in the delivered bytes")
    message_errors: int = Field(
        2, ge=0, description="most wrong bits allowed in the message found there, for a watermarker that carries one"
    )
    codec: Literal["flac", "wav"] = Field("flac", description="codec of the delivered bytes")


def watermark(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    places = find_takes(dialogues, is_raw)
    takes = [take_at(dialogues, place) for place in places]
    engine: Watermarker = context.engines["watermark", context.recipe.section(WatermarkSettings).engine]
    messages = [message_of(dialogues[place.dialogue_index].recipe, engine.bits) for place in places]
    return put_takes(dialogues, places, _mark(takes, messages, engine, context.recipe.section(WatermarkSettings)))


def _mark(
    takes: Sequence[Take], messages: Sequence[int], engine: Watermarker, settings: WatermarkSettings
) -> list[Take]:
    embedded = engine.embed([clip_of(take) for take in takes], messages)
    delivered = [_with_clip(take, clip, settings) for take, clip in zip(takes, embedded, strict=True)]
    detections = engine.detect([clip_of(take) for take in delivered])
    marked = []
    for take, clip, detection, message in zip(delivered, embedded, detections, messages, strict=True):
        found, reason = _judge(clip, detection, message, engine, settings)
        marked.append(replace(take, watermark=found, reason=reason.value if reason else None))
    return marked


def _with_clip(take: Take, clip: Clip | Failure, settings: WatermarkSettings) -> Take:
    """Put the delivered bytes into the take; a clip that could not be marked keeps its old bytes."""
    if isinstance(clip, Failure):
        return take
    return replace(take, audio=encode(clip.samples, clip.sample_rate, settings.codec))


def _judge(
    embedded: Clip | Failure,
    detection: Detection | Failure,
    message: int,
    engine: Watermarker,
    settings: WatermarkSettings,
) -> tuple[Watermark | None, Reason | None]:
    if isinstance(embedded, Failure):
        return None, embedded.reason
    if isinstance(detection, Failure):
        return None, detection.reason
    found = Watermark(engine.name, detection.message, detection.score)
    if detection.score < settings.threshold:
        return found, Reason.WATERMARK_MISSING
    foreign = bit_errors(detection.message, message, engine.bits) > settings.message_errors
    return found, Reason.WATERMARK_FOREIGN if foreign else None


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("watermark", recipe.section(WatermarkSettings).engine),)


WATERMARK = Stage(
    name="watermark",
    about="marks and encodes every new take, then decodes it and verifies the mark",
    settings=WatermarkSettings,
    apply=watermark,
    reads=frozenset({"take.audio"}),
    writes=frozenset({"take.audio", "take.watermark", "take.reason"}),
    spoils=frozenset({"take.hearing"}),
    pool="proof",
    after=("render", "synthesize"),
    engines=_engines,
)
