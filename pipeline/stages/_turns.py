"""Small steps that several stages share: the exchanges of a dialogue, and the takes of many dialogues at once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from manifests.audio import decode
from manifests.schema import Dialogue, Take, Turn
from pipeline.engines.contract import Clip


class Exchange(NamedTuple):
    """A user turn and the agent's answer to it, with their positions in the dialogue."""

    user_index: int
    user: Turn
    agent_index: int
    agent: Turn


def exchange_at(dialogue: Dialogue, number: int) -> Exchange:
    """The exchange of that number, from 0; ingest made sure that user and agent alternate, the user first."""
    first = 2 * number
    return Exchange(first, dialogue.turns[first], first + 1, dialogue.turns[first + 1])


def exchange_count(dialogue: Dialogue) -> int:
    return len(dialogue.turns) // 2


def all_exchanges(dialogue: Dialogue) -> range:
    return range(exchange_count(dialogue))


def with_texts(dialogue: Dialogue, number: int, question: str, answer: str | None = None) -> Dialogue:
    """The dialogue with these spoken texts in that exchange; None leaves the answer as it is."""
    turns = list(dialogue.turns)
    pair = exchange_at(dialogue, number)
    turns[pair.user_index] = replace(pair.user, text=question)
    if answer is not None:
        turns[pair.agent_index] = replace(pair.agent, text=answer)
    return replace(dialogue, turns=tuple(turns))


def spoken_history(dialogue: Dialogue, number: int) -> tuple[tuple[str, str], ...]:
    """Spoken question and answer of each exchange before that one."""
    pairs = [exchange_at(dialogue, k) for k in range(number)]
    return tuple((pair.user.text or "", pair.agent.text or "") for pair in pairs)


def source_history(dialogue: Dialogue, number: int) -> tuple[tuple[str, str], ...]:
    """Spoken question and beginning of the source's own answer, for stages that run before there is another."""
    pairs = [exchange_at(dialogue, k) for k in range(number)]
    return tuple((p.user.text or "", beginning_of(p.agent.original_text, dialogue.language)) for p in pairs)


HISTORY_LENGTH = 60
"""So much of an answer says what the next question is about; the sources' own answers may be pages (ours)."""
_CHARACTERS_PER_WORD = 12


def beginning_of(text: str, language: str, length: int = HISTORY_LENGTH) -> str:
    """About so many words (characters of an unspaced script) from the text's start, on one line."""
    if language == "zh":
        line = " ".join(text[: 4 * length].split())
        return line if len(line) <= length else f"{line[:length]}…"
    longest = _CHARACTERS_PER_WORD * length
    words = text[: longest + 1].split()
    cut = " ".join(words[:length])[:longest]
    return f"{cut}…" if len(words) > length or len(text) > longest else cut


class TurnPosition(NamedTuple):
    """One turn among a batch of dialogues."""

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
    """The turns whose take is `wanted`."""
    return find_turns(dialogues, lambda turn: turn.take is not None and wanted(turn.take))


def is_good_so_far(take: Take) -> bool:
    """Whether the take has a clip and nothing is known against it: only such takes are worth more work."""
    return take.audio is not None and take.reason is None


def is_raw(take: Take) -> bool:
    """Whether the clip of a good take is still to be marked for delivery."""
    return is_good_so_far(take) and take.watermark is None


def take_at(dialogues: Sequence[Dialogue], place: TurnPosition) -> Take:
    """The take in that place. A ValueError where the turn has none: `find_takes` does not give such a place."""
    take = dialogues[place.dialogue_index].turns[place.turn_index].take
    if take is None:
        raise ValueError("a turn without a take was chosen")
    return take


def clip_of(take: Take) -> Clip:
    """The take's clip, decoded. A ValueError where there is none: a good take has one."""
    if take.audio is None:
        raise ValueError("a take without audio was chosen")
    return Clip(*decode(take.audio))


def put_takes(dialogues: Sequence[Dialogue], places: Sequence[TurnPosition], takes: Sequence[Take]) -> list[Dialogue]:
    """The dialogues with these takes in these places."""
    turns = [list(dialogue.turns) for dialogue in dialogues]
    for (i, j), take in zip(places, takes, strict=True):
        turns[i][j] = replace(turns[i][j], take=take)
    return [replace(d, turns=tuple(t)) if d.turns != tuple(t) else d for d, t in zip(dialogues, turns, strict=True)]
