"""The recipe's watermarker on clips, with results that can be counted."""

from collections.abc import Sequence
from dataclasses import dataclass

from manifests.errors import CorpusError
from manifests.schema import Dialogue, Take
from pipeline.audit.corpus_view import Source
from pipeline.engines.contract import Clip, Failure, Watermarker
from pipeline.engines.watermark._message import message_of
from pipeline.stages._turns import clip_of
from pipeline.stages.watermark import WatermarkSettings


@dataclass(frozen=True, slots=True)
class Found:
    """`score` is 0 where the detector could not work on the clip: no mark is found there."""

    score: float
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """A clip of the corpus: its row, its number there, and the message that its mark is to carry."""

    dialogue_id: str
    number: int
    take: Take
    message: int

    def clip(self) -> Clip:
        return clip_of(self.take)


def delivered(dialogues: Sequence[Dialogue], source: Source) -> list[Delivered]:
    """Every clip of the dialogues. A CorpusError where a row's recipe digest is none."""
    bits = watermarker(source).bits
    return [
        Delivered(dialogue.dialogue_id, number, turn.take, _message(dialogue, bits))
        for dialogue in dialogues
        for number, turn in enumerate(dialogue.turns)
        if turn.take is not None and turn.take.audio is not None
    ]


def watermarker(source: Source) -> Watermarker:
    engine: Watermarker = source.engines["watermark", source.recipe.section(WatermarkSettings).engine]
    return engine


def detect(clips: Sequence[Clip], source: Source) -> list[Found]:
    found = watermarker(source).detect(clips) if clips else []
    return [Found(0.0) if isinstance(one, Failure) else Found(one.score, one.message) for one in found]


def _message(dialogue: Dialogue, bits: int) -> int:
    try:
        return message_of(dialogue.recipe, bits)
    except ValueError as error:
        raise CorpusError(f"{dialogue.dialogue_id}: its recipe is no digest: {error}") from error
