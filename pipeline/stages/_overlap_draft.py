"""A dialogue while things are added to it, and the draws that decide what.

What is added waits beside the dialogue until the end, so that all numbers of turns stay those of the dialogue that
came in; `woven` puts everything into its place and renumbers the cues.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from manifests.schema import Cue, Dialogue, Turn
from pipeline.stages.contract import Context

Item = TypeVar("Item")
_SEEDS = 2**63
_BEHIND_ALL = 10**9


@dataclass(frozen=True, slots=True)
class Draws:
    """Decides about one dialogue by its own seed; each decision has a name, so that none depends on another."""

    context: Context
    dialogue: Dialogue
    stage: str = "overlap"

    def happens(self, what: str, share: float) -> bool:
        """Tell whether this dialogue is one of the `share` of all."""
        return self._seed(what) < share * _SEEDS

    def pick(self, what: str, items: Sequence[Item]) -> Item:
        """Return one of the items, which must not be empty."""
        return items[self._seed(what) % len(items)]

    def shuffled(self, what: str, items: Sequence[Item]) -> list[Item]:
        """Return the items in a drawn order."""
        return [items[i] for i in sorted(range(len(items)), key=lambda i: self._seed(f"{what}-{i}"))]

    def _seed(self, what: str) -> int:
        return self.context.seed_for(self.stage, self.dialogue, what)


@dataclass(frozen=True, slots=True)
class Added:
    """Turns that are heard beside turn `host`, from its word `word` on, or follow it (`word` None)."""

    host: int
    word: int | None
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """The dialogue with its new texts, and what is going to be added to it."""

    dialogue: Dialogue
    added: tuple[Added, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        return self.dialogue.turns

    def with_turn(self, number: int, turn: Turn) -> "Draft":
        turns = self.turns
        return replace(self, dialogue=replace(self.dialogue, turns=(*turns[:number], turn, *turns[number + 1 :])))

    def beside(self, host: int, word: int, turn: Turn) -> "Draft":
        """Add a turn that is heard beside turn `host`, from behind its word `word` on."""
        return replace(self, added=(*self.added, Added(host, word, (replace(turn, cue=Cue(host, word)),))))

    def behind(self, host: int, *turns: Turn) -> "Draft":
        """Add turns that follow turn `host`."""
        return replace(self, added=(*self.added, Added(host, None, turns)))

    def cut_at(self, host: int) -> int | None:
        """Return the word behind which turn `host` is interrupted; None if it is not."""
        following = [turn for part in self.added if part.word is None and part.host == host for turn in part.turns[:1]]
        following += self.turns[host + 1 : host + 2]
        cues = (turn.cue for turn in following if turn.kind == "turn" and turn.cue is not None)
        return next((cue.word for cue in cues if cue.turn == host), None)

    def is_followed(self, host: int) -> bool:
        """Tell whether something has been put behind turn `host`."""
        return any(part.host == host and part.word is None for part in self.added)


def woven(draft: Draft) -> Dialogue:
    """Put what was added behind the turns that it belongs to, in the order of the places, and renumber the cues."""
    order = sorted(draft.added, key=lambda part: (part.host, _BEHIND_ALL if part.word is None else part.word))
    turns: list[Turn] = []
    place: dict[int, int] = {}
    for number, turn in enumerate(draft.turns):
        place[number] = len(turns)
        turns += [turn, *(new for part in order if part.host == number for new in part.turns)]
    cued = (
        turn if turn.cue is None else replace(turn, cue=replace(turn.cue, turn=place[turn.cue.turn])) for turn in turns
    )
    return replace(draft.dialogue, turns=tuple(cued))
