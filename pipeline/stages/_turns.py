"""Provides helpers for several stages: the exchanges of a dialogue, and the takes of many dialogues at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from manifests.audio import decode
from manifests.schema import Dialogue, Take, Turn
from pipeline.engines.contract import Clip


class Exchange(NamedTuple):
    """Holds a user turn and the agent's answer to it, with their positions in the dialogue."""

    user_index: int
    user: Turn
    agent_index: int
    agent: Turn


def exchange_at(dialogue: Dialogue, number: int) -> Exchange:
    """Return exchange `number`, from 0; ingest made sure that user and agent alternate, the user first."""
    first = 2 * number
    return Exchange(first, dialogue.turns[first], first + 1, dialogue.turns[first + 1])


def exchange_count(dialogue: Dialogue) -> int:
    return len(dialogue.turns) // 2


def all_exchanges(dialogue: Dialogue) -> range:
    return range(exchange_count(dialogue))


def with_texts(dialogue: Dialogue, number: int, question: str, answer: str | None = None) -> Dialogue:
    """Put these spoken texts into that exchange of the dialogue; None leaves the answer unchanged."""
    turns = list(dialogue.turns)
    pair = exchange_at(dialogue, number)
    turns[pair.user_index] = replace(pair.user, text=question)
    if answer is not None:
        turns[pair.agent_index] = replace(pair.agent, text=answer)
    return replace(dialogue, turns=tuple(turns))


def spoken_history(dialogue: Dialogue, number: int) -> tuple[tuple[str, str], ...]:
    """Return the spoken question and answer of each exchange before that one."""
    pairs = [exchange_at(dialogue, k) for k in range(number)]
    return tuple((pair.user.text or "", pair.agent.text or "") for pair in pairs)


def source_history(dialogue: Dialogue, number: int) -> tuple[tuple[str, str], ...]:
    """Return each earlier spoken question and the start of the source's answer, for stages before respond."""
    pairs = [exchange_at(dialogue, k) for k in range(number)]
    return tuple((p.user.text or "", beginning_of(p.agent.original_text, dialogue.language)) for p in pairs)


HISTORY_LENGTH = 60
"""This much of an answer tells what the next question is about; sources' answers may be pages long (our choice)."""
_CHARACTERS_PER_WORD = 12


def beginning_of(text: str, language: str, length: int = HISTORY_LENGTH) -> str:
    """Return about `length` words (characters of an unspaced script) from the start of the text, on one line."""
    if language == "zh":
        line = " ".join(text[: 4 * length].split())
        return line if len(line) <= length else f"{line[:length]}…"
    longest = _CHARACTERS_PER_WORD * length
    words = text[: longest + 1].split()
    cut = " ".join(words[:length])[:longest]
    return f"{cut}…" if len(words) > length or len(text) > longest else cut


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
