"""watermark: every new take is marked, encoded, decoded again, and the mark looked for in the decoded bytes."""

from collections.abc import Sequence
from dataclasses import replace

from manifests.audio import decode
from manifests.reasons import Reason
from manifests.schema import Audio, Dialogue, Turn, Watermark
from pipeline.audio import encode
from pipeline.engines.protocols import Clip, Detection, Failure, Watermarker
from pipeline.recipe import Recipe
from pipeline.stage import Context, EngineKey, Stage
from pipeline.stages.dialogue import find_turns, replace_turns

Marked = tuple[Audio, Watermark | None, Reason | None]
"""Delivered bytes, the mark found in them, and why the take is not acceptable."""


def watermark(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    places = find_turns(dialogues, lambda t: t.audio is not None and t.reason is None and t.watermark is None)
    audios = [audio for i, j in places if (audio := dialogues[i].turns[j].audio) is not None]
    return replace_turns(dialogues, places, _mark(audios, context), _take)


def _mark(audios: Sequence[Audio], context: Context) -> list[Marked]:
    settings = context.recipe.watermark
    engine: Watermarker = context.engines["watermark", settings.engine]
    embedded = engine.embed([Clip(*decode(audio)) for audio in audios])
    delivered = [
        audio if isinstance(clip, Failure) else encode(clip.samples, clip.sample_rate, settings.codec)
        for audio, clip in zip(audios, embedded, strict=True)
    ]
    detections = engine.detect([Clip(*decode(audio)) for audio in delivered])
    return [
        (audio, *_judge(embed, detection, engine.name, settings.threshold))
        for audio, embed, detection in zip(delivered, embedded, detections, strict=True)
    ]


def _judge(
    embedded: Clip | Failure, detection: Detection | Failure, method: str, threshold: float
) -> tuple[Watermark | None, Reason | None]:
    if isinstance(embedded, Failure):
        return None, embedded.reason
    if isinstance(detection, Failure):
        return None, detection.reason
    found = Watermark(method, detection.message, detection.score)
    return found, None if detection.score >= threshold else Reason.WATERMARK_MISSING


def _take(turn: Turn, marked: Marked) -> Turn:
    audio, found, reason = marked
    return replace(turn, audio=audio, watermark=found, reason=reason.value if reason else None)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("watermark", recipe.watermark.engine),)


WATERMARK = Stage("watermark", watermark, frozenset({"turns.audio", "turns.watermark", "turns.reason"}), _engines)
