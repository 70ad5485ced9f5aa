"""watermark: every new take is marked, encoded, decoded again, and the mark looked for in the decoded bytes.

A watermarker that carries a message gives every clip the id of its corpus, the first bits of the recipe's digest. A
mark that is found with another id than the row's own did not come from here.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from manifests.audio import decode
from manifests.reasons import Reason
from manifests.schema import Audio, Dialogue, Turn, Watermark
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Detection, Failure, Watermarker
from pipeline.engines.watermark._message import bit_errors, message_of
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._turns import find_turns, replace_turns
from pipeline.stages.contract import Context, EngineKey, Stage

Share = Annotated[float, Field(ge=0, le=1)]

Marked = tuple[Audio, Watermark | None, Reason | None]
"""Delivered bytes, the mark found in them, and why the take is not acceptable."""


class WatermarkSettings(Section):
    engine: str = Field(description="watermarker, or the name of a model")
    threshold: Share = Field(0.5, description="lowest detection score of the delivered bytes")
    message_errors: int = Field(
        2, ge=0, description="most wrong bits of the message found there, for a watermarker that carries one"
    )
    codec: Literal["flac", "wav"] = Field("flac", description="of the delivered bytes")


def watermark(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    places = find_turns(dialogues, lambda t: t.audio is not None and t.reason is None and t.watermark is None)
    audios = [audio for i, j in places if (audio := dialogues[i].turns[j].audio) is not None]
    engine: Watermarker = context.engines["watermark", context.recipe.section(WatermarkSettings).engine]
    messages = [message_of(dialogues[place.dialogue_index].recipe, engine.bits) for place in places]
    return replace_turns(
        dialogues, places, _mark(audios, messages, engine, context.recipe.section(WatermarkSettings)), _take
    )


def _mark(
    audios: Sequence[Audio], messages: Sequence[int], engine: Watermarker, settings: WatermarkSettings
) -> list[Marked]:
    embedded = engine.embed([Clip(*decode(audio)) for audio in audios], messages)
    delivered = [
        audio if isinstance(clip, Failure) else encode(clip.samples, clip.sample_rate, settings.codec)
        for audio, clip in zip(audios, embedded, strict=True)
    ]
    detections = engine.detect([Clip(*decode(audio)) for audio in delivered])
    return [
        (audio, *_judge(embed, detection, message, engine, settings))
        for audio, embed, detection, message in zip(delivered, embedded, detections, messages, strict=True)
    ]


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


def _take(turn: Turn, marked: Marked) -> Turn:
    audio, found, reason = marked
    return replace(turn, audio=audio, watermark=found, reason=reason.value if reason else None)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("watermark", recipe.section(WatermarkSettings).engine),)


WATERMARK = Stage(
    name="watermark",
    about="every new take is marked, encoded, decoded again, and the mark looked for in the decoded bytes",
    settings=WatermarkSettings,
    apply=watermark,
    reads=frozenset({"turns.audio"}),
    writes=frozenset({"turns.audio", "turns.watermark", "turns.reason"}),
    spoils=frozenset({"turns.hypothesis"}),
    pool="proof",
    after=("render", "synthesize"),
    engines=_engines,
)
