"""Small steps that several stages share: pairing turns, asking and changing many dialogues in one engine batch."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from manifests.schema import Dialogue, Turn
from pipeline.engines.protocols import Failure, TextAnswer, TextGenerator, TextRequest

Result = TypeVar("Result")


class Exchange(NamedTuple):
    """A user turn and the agent's answer to it, with their positions in the dialogue."""

    user_index: int
    user: Turn
    agent_index: int
    agent: Turn


def exchanges(dialogue: Dialogue) -> list[Exchange]:
    """The dialogue as exchanges; ingest made sure that user and agent alternate, the user first."""
    turns = dialogue.turns
    return [Exchange(i, turns[i], i + 1, turns[i + 1]) for i in range(0, len(turns), 2)]


def ask_engine(
    engine: TextGenerator, dialogues: Sequence[Dialogue], request: Callable[[Dialogue, Exchange], TextRequest]
) -> list[list[TextAnswer | Failure]]:
    """One request for each exchange, all in one batch; the answers of each dialogue, in the order of its exchanges."""
    requests = [[request(dialogue, pair) for pair in exchanges(dialogue)] for dialogue in dialogues]
    answers = iter(engine.generate([one for group in requests for one in group]))
    return [[next(answers) for _ in group] for group in requests]


class Place(NamedTuple):
    """One turn among a batch of dialogues."""

    dialogue_index: int
    turn_index: int


def find_turns(dialogues: Sequence[Dialogue], wanted: Callable[[Turn], bool]) -> list[Place]:
    return [
        Place(i, j) for i, dialogue in enumerate(dialogues) for j, turn in enumerate(dialogue.turns) if wanted(turn)
    ]


def replace_turns(
    dialogues: Sequence[Dialogue],
    places: Sequence[Place],
    results: Sequence[Result],
    change: Callable[[Turn, Result], Turn],
) -> list[Dialogue]:
    """The dialogues with `change(turn, result)` in the given places."""
    turns = [list(dialogue.turns) for dialogue in dialogues]
    for (i, j), result in zip(places, results, strict=True):
        turns[i][j] = change(turns[i][j], result)
    return [replace(d, turns=tuple(t)) if d.turns != tuple(t) else d for d, t in zip(dialogues, turns, strict=True)]
