"""Finds the takes of many dialogues, and puts new ones in their places."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from manifests.audio import decode
from manifests.schema import Dialogue, Take, Turn
from pipeline.engines.contract import Clip


class TurnPosition(NamedTuple):
    """Locates one turn in a batch of dialogues."""

    dialogue_index: int
    turn_index: int


def find_turns(dialogues: Sequence[Dialogue], wanted: Callable[[Turn], bool]) -> list[TurnPosition]:
    return [
        TurnPosition(i, j)
        for i, dialogue in enumerate(dialogues)
        for j, turn in enumerate(dialogue.turns)
        if wanted(turn)
    ]


def find_takes(dialogues: Sequence[Dialogue], wanted: Callable[[Take], bool]) -> list[TurnPosition]:
    """Return the positions of the turns whose take is `wanted`."""
    return find_turns(dialogues, lambda turn: turn.take is not None and wanted(turn.take))


def is_good_so_far(take: Take) -> bool:
    """Tell whether the take has a clip and no known fault: only such takes are worth more work."""
    return take.audio is not None and take.reason is None


def is_raw(take: Take) -> bool:
    """Tell whether a good take's clip still lacks its watermark."""
    return is_good_so_far(take) and take.watermark is None


def is_placed(turn: Turn) -> bool:
    """Tell whether the turn's clip lies in the dialogue's timeline."""
    return turn.start_sample is not None and turn.audio is not None


def take_at(dialogues: Sequence[Dialogue], place: TurnPosition) -> Take:
    """Return the take at that position; raises ValueError if the turn has none, which `find_takes` never selects."""
    take = dialogues[place.dialogue_index].turns[place.turn_index].take
    if take is None:
        raise ValueError("a turn without a take was chosen")
    return take


def clip_of(take: Take) -> Clip:
    """Decode the take's clip; raises ValueError if it has none, which a good take never lacks."""
    if take.audio is None:
        raise ValueError("a take without audio was chosen")
    return Clip(*decode(take.audio))


def put_takes(dialogues: Sequence[Dialogue], places: Sequence[TurnPosition], takes: Sequence[Take]) -> list[Dialogue]:
    """Put these takes at these positions of the dialogues."""
    turns = [list(dialogue.turns) for dialogue in dialogues]
    for (i, j), take in zip(places, takes, strict=True):
        turns[i][j] = replace(turns[i][j], take=take)
    return [replace(d, turns=tuple(t)) if d.turns != tuple(t) else d for d, t in zip(dialogues, turns, strict=True)]
