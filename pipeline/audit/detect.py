"""Run the recipe's watermarker on clips, with results that can be counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from manifests.errors import CorpusError
from manifests.schema import Dialogue, Take
from pipeline.audit.corpus_view import CorpusView
from pipeline.engines.contract import Clip, Failure, Watermarker
from pipeline.engines.watermark._message import message_of
from pipeline.stages._takes import clip_of
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
    """A clip of the corpus: its row, its number in the row, and the message that its mark should carry."""

    dialogue_id: str
    number: int
    take: Take
    message: int

    def clip(self) -> Clip:
        """Decode the clip."""
        return clip_of(self.take)


def delivered(dialogues: Sequence[Dialogue], view: CorpusView) -> list[Delivered]:
    """List the clips of the dialogues, those of rejected takes included.

    Raises CorpusError if the recipe of a row is not a digest.
    """
    bits = watermarker(view).bits
    return [
        Delivered(dialogue.dialogue_id, number, take, _message(dialogue, bits))
        for dialogue in dialogues
        for number, turn in enumerate(dialogue.turns)
        for take in (turn.take, *turn.rejected_clips)
        if take is not None and take.audio is not None
    ]


def watermarker(view: CorpusView) -> Watermarker:
    """Return the recipe's watermarker; the first call loads it."""
    engine: Watermarker = view.engines["watermark", view.recipe.section(WatermarkSettings).engine]
    return engine


def detect(clips: Sequence[Clip], view: CorpusView) -> list[MarkScore]:
    """Look for the mark in each clip."""
    found = watermarker(view).detect(clips) if clips else []
    return [
        MarkScore(0.0, failed=True) if isinstance(one, Failure) else MarkScore(one.score, one.message) for one in found
    ]


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
