"""watermark: marks and encodes every new take, then decodes it and verifies the mark.

A watermarker that carries a message gives every clip the id of its corpus, the first bits of the recipe's digest. A
mark with an id other than the row's did not come from this corpus.

Where a dialogue is mixed, its channels are marked instead, and each turn's clip is cut out of its channel as that was
decoded: what is heard, measured and exported is what is delivered, sample by sample. Marks come after mixing, since
channels that are added up afterwards weaken each other's marks.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from manifests.audio import decode
from manifests.changes import replace
from manifests.reasons import Reason
from manifests.schema import Dialogue, Take, Track, Turn, Watermark
from manifests.timeline import TrackKind
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, Detection, Failure, Watermarker
from pipeline.engines.watermark._message import bit_errors, message_of
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._marking import detect_channels, mark_channels
from pipeline.stages._takes import clip_of, find_takes, is_placed, is_raw, put_takes, take_at
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
    settings = context.recipe.section(WatermarkSettings)
    engine: Watermarker = context.engines["watermark", settings.engine]
    delivered = [_with_marked_tracks(dialogue, engine, settings) for dialogue in dialogues]
    places = find_takes(delivered, is_raw)
    takes = [take_at(delivered, place) for place in places]
    messages = [message_of(delivered[place.dialogue_index].recipe, engine.bits) for place in places]
    return put_takes(delivered, places, _mark(takes, messages, engine, settings))


def _with_marked_tracks(dialogue: Dialogue, engine: Watermarker, settings: WatermarkSettings) -> Dialogue:
    """Mark the tracks of a mixed dialogue, and cut the clips of its turns; one dialogue at a time is in memory."""
    timeline = dialogue.timeline
    if timeline is None or not timeline.tracks or any(track.watermark for track in timeline.tracks):
        return dialogue
    message = message_of(dialogue.recipe, engine.bits)
    embedded = mark_channels(engine, [Clip(*decode(track.audio)) for track in timeline.tracks], message)
    tracks = [_delivered(track, clip, settings) for track, clip in zip(timeline.tracks, embedded, strict=True)]
    decoded = [Clip(*decode(track.audio)) for track in tracks]
    reasons: dict[str, Reason] = {}
    for i, found in enumerate(detect_channels(engine, decoded)):
        mark, reason = _judge(embedded[i], found, message, engine, settings)
        tracks[i] = replace(tracks[i], watermark=mark)
        if reason is not None:
            for role in ("user", "agent") if tracks[i].kind == "mono" else (tracks[i].kind,):
                reasons.setdefault(role, reason)
    marked = replace(dialogue, timeline=replace(timeline, tracks=tuple(tracks)))
    channels = {track.kind: clip for track, clip in zip(tracks, decoded, strict=True) if not track.is_clean}
    return _with_cut_takes(marked, channels, reasons, message, engine, settings)


def _delivered(track: Track, clip: Clip | Failure, settings: WatermarkSettings) -> Track:
    """Put the delivered bytes into the track; one that could not be marked keeps its old bytes."""
    if isinstance(clip, Failure):
        return track
    return replace(track, audio=encode(clip.samples, clip.sample_rate, settings.codec))


def _with_cut_takes(
    dialogue: Dialogue,
    channels: Mapping[TrackKind, Clip],
    reasons: Mapping[str, Reason],
    message: int,
    engine: Watermarker,
    settings: WatermarkSettings,
) -> Dialogue:
    """Cut the clip of each placed turn out of its channel, and look for the mark in it."""
    cut = {i: _cut(turn, channels[turn.role]) for i, turn in enumerate(dialogue.turns) if is_placed(turn)}
    found = engine.detect(list(cut.values())) if cut else []
    turns = list(dialogue.turns)
    for (i, clip), detection in zip(cut.items(), found, strict=True):
        take, role = turns[i].take, turns[i].role
        assert take is not None
        mark, reason = _judge(clip, detection, message, engine, settings)
        why = reasons.get(role) or reason
        audio = encode(clip.samples, clip.sample_rate, settings.codec)
        marked = replace(take, audio=audio, watermark=mark, reason=take.reason or (why.value if why else None))
        turns[i] = replace(turns[i], take=marked)
    return replace(dialogue, turns=tuple(turns))


def _cut(turn: Turn, channel: Clip) -> Clip:
    """Return the turn's stretch of its channel, which `mix` has found long enough."""
    start, audio = turn.start_sample or 0, turn.audio
    assert audio is not None
    return Clip(channel.samples[start : start + audio.num_samples], channel.sample_rate)


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
    detection: Detection | Failure | None,
    message: int,
    engine: Watermarker,
    settings: WatermarkSettings,
) -> tuple[Watermark | None, Reason | None]:
    if isinstance(embedded, Failure):
        return None, embedded.reason
    if isinstance(detection, Failure):
        return None, detection.reason
    if detection is None:  # digital silence: nothing can be marked, and nothing is to be protected
        return None, None
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
    writes=frozenset({"take.audio", "take.watermark", "take.reason", "timeline"}),
    spoils=frozenset({"take.hearing"}),
    pool="proof",
    after=("mix", "arrange", "align", "render", "synthesize", "perform"),
    engines=_engines,
)
