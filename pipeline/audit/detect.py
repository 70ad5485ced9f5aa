"""Run the recipe's watermarker on clips, with results that can be counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from manifests.audio import decode
from manifests.errors import CorpusError
from manifests.parts import PartKey, track_name
from manifests.schema import Audio, Dialogue, Watermark
from pipeline.audit.corpus_view import CorpusView
from pipeline.engines.contract import Clip, Detection, Failure, Watermarker
from pipeline.engines.watermark._message import message_of
from pipeline.stages._marking import detect_channels
from pipeline.stages.watermark import WatermarkSettings

Item = TypeVar("Item")

_BATCH = 32


@dataclass(frozen=True, slots=True)
class MarkScore:
    """The detector's result for a clip. `score` is 0 if the detector `failed` on the clip: it found no mark."""

    score: float
    message: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """A clip or a track of the corpus: its row, what it is in the row, its mark by the row, and the message that the
    mark should carry."""

    dialogue_id: str
    part: PartKey
    audio: Audio
    watermark: Watermark | None
    message: int

    def clip(self) -> Clip:
        """Decode the clip."""
        return Clip(*decode(self.audio))


def delivered(dialogues: Sequence[Dialogue], view: CorpusView) -> list[Delivered]:
    """List the clips of the dialogues, those of rejected takes included.

    Raises CorpusError if the recipe of a row is not a digest.
    """
    bits = watermarker(view).bits
    return [
        Delivered(dialogue.dialogue_id, number, take.audio, take.watermark, _message(dialogue, bits))
        for dialogue in dialogues
        for number, turn in enumerate(dialogue.turns)
        for take in (turn.take, *turn.rejected_clips)
        if take is not None and take.audio is not None
    ]


def delivered_tracks(dialogue: Dialogue, view: CorpusView) -> list[Delivered]:
    """List the tracks of a dialogue that is mixed."""
    message = _message(dialogue, watermarker(view).bits)
    tracks = dialogue.timeline.tracks if dialogue.timeline else ()
    return [Delivered(dialogue.dialogue_id, track_name(one), one.audio, one.watermark, message) for one in tracks]


def watermarker(view: CorpusView) -> Watermarker:
    """Return the recipe's watermarker; the first call loads it."""
    engine: Watermarker = view.engines["watermark", view.recipe.section(WatermarkSettings).engine]
    return engine


def detect(clips: Sequence[Clip], view: CorpusView) -> list[MarkScore]:
    """Look for the mark in each clip."""
    found = watermarker(view).detect(clips) if clips else []
    return [_mark_score(one) for one in found]


def detect_tracks(tracks: Sequence[Clip], view: CorpusView) -> list[MarkScore | None]:
    """Look for the mark in each track, piece by piece as it was marked; None for digital silence, which has none."""
    return [None if one is None else _mark_score(one) for one in detect_channels(watermarker(view), tracks)]


def _mark_score(found: Detection | Failure) -> MarkScore:
    return MarkScore(0.0, failed=True) if isinstance(found, Failure) else MarkScore(found.score, found.message)


def in_batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items in lists of as many as the detector gets at once."""
    waiting = iter(items)
    while some := list(islice(waiting, _BATCH)):
        yield some


def _message(dialogue: Dialogue, bits: int) -> int:
    try:
        return message_of(dialogue.recipe, bits)
    except ValueError as error:
        raise CorpusError(f"{dialogue.dialogue_id}: its recipe is not a digest: {error}") from error
