"""Checks cues and labels, and sorts the turns of a dialogue: who takes the floor, and who is heard beside whom."""

from dataclasses import dataclass

from manifests.schema import Dialogue, Turn
from manifests.words import words_of


@dataclass(frozen=True, slots=True)
class Order:
    """Holds the numbers of turns: `floor` are those that take the floor, in order; `beside` the others, by the turn
    beside which each is heard; None: the dialogue begins with it."""

    floor: tuple[int, ...]
    beside: dict[int | None, tuple[int, ...]]


def order_of(dialogue: Dialogue) -> Order:
    """Return who takes the floor, and what is heard beside it. The cues are sound, as `cue_problem` says."""
    floor: list[int] = []
    beside: dict[int | None, list[int]] = {}
    for number, turn in enumerate(dialogue.turns):
        if turn.kind == "turn":
            floor.append(number)
        else:
            host = turn.cue.turn if turn.cue else floor[-1] if floor else None
            beside.setdefault(host, []).append(number)
    words = {n: (cue.word if (cue := turn.cue) else -1) for n, turn in enumerate(dialogue.turns)}
    # Those with a cue come in the order of its words; those without one, when the turn has ended.
    ordered = {
        host: tuple(sorted(numbers, key=lambda n: (dialogue.turns[n].cue is None, words[n], n)))
        for host, numbers in beside.items()
    }
    return Order(tuple(floor), ordered)


def cue_problem(dialogue: Dialogue) -> str | None:
    """Say which cue or label names what is not there; None: all are sound."""
    before: int | None = None
    for number, turn in enumerate(dialogue.turns):
        if problem := _label_problem(turn, dialogue.language) or _cue_problem(dialogue, turn, before):
            return f"turn {number}: {problem}"
        if turn.kind == "turn":
            before = number
    return None


def _label_problem(turn: Turn, language: str) -> str | None:
    if not turn.labels:
        return None
    number = len(words_of(turn.whole_text or "", language))
    for label in turn.labels:
        if not 0 <= label.first_word <= label.last_word < number:
            return f"a {label.kind} of words {label.first_word} to {label.last_word}, but it has {number} words"
    return None


def _cue_problem(dialogue: Dialogue, turn: Turn, before: int | None) -> str | None:
    """Say what is wrong with the cue of a turn; `before` is the last turn before it that takes the floor."""
    if turn.cue is None:
        return None
    host = dialogue.turns[turn.cue.turn] if 0 <= turn.cue.turn < len(dialogue.turns) else None
    if host is None or host.kind != "turn" or host is turn:
        return f"its cue names turn {turn.cue.turn}, which is no turn that takes the floor"
    number = len(words_of(host.whole_text or "", dialogue.language))
    if not 0 <= turn.cue.word < number:
        return f"its cue names word {turn.cue.word} of turn {turn.cue.turn}, which has {number} words"
    if turn.kind == "turn" and (turn.cue.turn != before or host.role == turn.role):
        return f"it interrupts turn {turn.cue.turn}, which is not what the other speaker says before it"
    return None
