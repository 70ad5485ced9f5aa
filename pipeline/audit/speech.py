"""The sample heard and judged again, by the stages `transcribe` and `gate` themselves, without a ladder."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from manifests.schema import Dialogue, Score, Take
from pipeline.audit.corpus_view import CorpusView
from pipeline.audit.rates import Proportion, rate
from pipeline.stages.cast import CASTING
from pipeline.stages.contract import Context
from pipeline.stages.gate import GATE, GateSettings
from pipeline.stages.transcribe import TRANSCRIBE

TOLERANCE = 1e-9
_LISTED = 100

_FORGOTTEN: dict[str, Any] = {
    field.name: field.default for field in fields(Take) if f"take.{field.name}" in TRANSCRIBE.writes
}
"""What was heard of a take and said of it, as it was before it was heard."""


@dataclass(frozen=True, slots=True)
class Misheard:
    """A turn that stands in the way of its dialogue: its number, and how it was heard this time."""

    turn: int
    reason: str | None
    score: Score | None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A kept row that would not pass again. Rates are the dialogue's, recorded and heard now."""

    dialogue_id: str
    reason: str | None
    recorded: float | None
    heard: float | None
    turns: tuple[Misheard, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """`same_rate`: the row's rate to the last digit. Rates are fractions, CER or WER as the language has it."""

    dialogues: int
    clips: int
    same_hypothesis: Proportion
    same_rate: Proportion
    mean_recorded: float | None
    mean_heard: float | None
    largest_difference: float
    passing: Proportion
    dropped: tuple[Dropped, ...]


@dataclass
class _Tally:
    dialogues: int = 0
    clips: int = 0
    same_hypothesis: int = 0
    same_rate: int = 0
    recorded: float = 0.0
    heard: float = 0.0
    rated: int = 0
    largest: float = 0.0
    failing: int = 0


def audit_speech(source: CorpusView, portions: Iterable[Sequence[Dialogue]]) -> Heard:
    """Engines that cannot load raise EngineUnavailable."""
    tally = _Tally()
    dropped: list[Dropped] = []
    for dialogues in portions:
        for before, after in zip(dialogues, hear_again(source, dialogues), strict=True):
            _count(tally, before, after)
            if after.status != "kept" and len(dropped) < _LISTED:
                dropped.append(_dropped(before, after))
    return Heard(
        dialogues=tally.dialogues,
        clips=tally.clips,
        same_hypothesis=rate(tally.same_hypothesis, tally.clips),
        same_rate=rate(tally.same_rate, tally.dialogues),
        mean_recorded=tally.recorded / tally.rated if tally.rated else None,
        mean_heard=tally.heard / tally.rated if tally.rated else None,
        largest_difference=tally.largest,
        passing=rate(tally.dialogues - tally.failing, tally.dialogues),
        dropped=tuple(dropped),
    )


def _dropped(before: Dialogue, after: Dialogue) -> Dropped:
    at_fault = tuple(Misheard(i, turn.reason, turn.score) for i, turn in enumerate(after.turns) if turn.reason)
    return Dropped(before.dialogue_id, after.reason, _rate(before), _rate(after), at_fault)


def hear_again(source: CorpusView, dialogues: Sequence[Dialogue]) -> list[Dialogue]:
    """The dialogues after `transcribe` and `gate`, as if this were their only take."""
    gate = source.recipe.section(GateSettings).model_copy(update={"ladder": ()})
    context = Context(
        recipe=source.recipe.model_copy(update={"stages": {**source.recipe.stages, GATE.name: gate}}),
        seed=source.manifest.seed,
        engines=source.engines,
        prompts={},
        resources={CASTING.name: source.casting},
    )
    heard = TRANSCRIBE.apply([_unheard(dialogue) for dialogue in dialogues], context)
    return list(GATE.apply(heard, context))


def _unheard(dialogue: Dialogue) -> Dialogue:
    turns = [
        replace(turn, take=replace(turn.take, **_FORGOTTEN) if turn.take else None, attempts=())
        for turn in dialogue.turns
    ]
    unrated = replace(dialogue, turns=tuple(turns), cer=None, wer=None, syllable_rate=None)
    return replace(unrated, status="live", reason=None, detail=None)


def _count(tally: _Tally, before: Dialogue, after: Dialogue) -> None:
    tally.dialogues += 1
    spoken = [(old, new) for old, new in zip(before.turns, after.turns, strict=True) if old.audio is not None]
    tally.clips += len(spoken)
    tally.same_hypothesis += sum(old.hypothesis == new.hypothesis for old, new in spoken)
    tally.failing += after.status != "kept"
    recorded, heard = _rate(before), _rate(after)
    if recorded is None or heard is None:
        tally.same_rate += recorded is heard
        return
    tally.rated += 1
    tally.recorded += recorded
    tally.heard += heard
    tally.same_rate += abs(recorded - heard) <= TOLERANCE
    tally.largest = max(tally.largest, abs(recorded - heard))


def _rate(dialogue: Dialogue) -> float | None:
    return dialogue.wer if dialogue.cer is None else dialogue.cer
