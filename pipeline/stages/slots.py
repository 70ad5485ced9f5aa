"""slots: compares the values of tool calls with what was heard, after the normalization that scores use.

An error rate forgives one word in ten; a call with one wrong value is another call. A new take in which a value that
its turn says was not heard gets its reason, whatever its error rate is, and climbs gate's ladder as others do.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.reasons import Reason
from manifests.schema import Dialogue, Take, Turn
from pipeline.scoring.arguments import misheard_values
from pipeline.settings import Section
from pipeline.stages._takes import is_good_so_far
from pipeline.stages.contract import Context, Stage
from pipeline.stages.tools import values_of


class SlotsSettings(Section):
    """Compares the values of tool calls with what was heard; there is nothing to set."""


def slots(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_compared(dialogue) for dialogue in dialogues]


def _compared(dialogue: Dialogue) -> Dialogue:
    values = values_of(dialogue)
    if not values:
        return dialogue
    return replace(dialogue, turns=tuple(_judged(turn, values, dialogue.language) for turn in dialogue.turns))


def _judged(turn: Turn, values: Sequence[str], language: str) -> Turn:
    take = turn.take
    if take is None or not is_good_so_far(take) or turn.hypothesis is None:
        return turn
    misheard = misheard_values(values, turn.text or "", turn.hypothesis, language)
    return replace(turn, take=_at_fault(take)) if misheard else turn


def _at_fault(take: Take) -> Take:
    return replace(take, reason=Reason.ARGUMENT_MISHEARD.value)


SLOTS = Stage(
    name="slots",
    about="rejects takes in which a value of a tool call was not heard",
    settings=SlotsSettings,
    apply=slots,
    reads=frozenset({"turns.text", "turns.calls", "take.hearing"}),
    writes=frozenset({"take.reason"}),
    pool="proof",
    after=("transcribe",),
)
