"""What consumers that read one clip for each turn demand of a dialogue.

They pair the turns by position, count marks in texts against clips, and cut long clips, mostly without a word. What
they would spoil is refused here, with the reason. Turns that take the floor from nobody (backchannels, asides, speech
in the background) are no part of an exchange: they are left out. An answer that is cut off by an interruption would be
learned as a whole one: it is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from manifests.clips import is_safe_id
from manifests.schema import Dialogue, Role, Turn

WHISPER_S = 30.0
"""A Whisper encoder hears so many seconds of a clip; what reads clips with its `pad_or_trim` drops the rest."""

_TOKENIZER_MARK = "<|"
"""Begins the special tokens of most tokenizers, which take them for marks of the chat in any text."""


@dataclass(frozen=True)
class SpokenExchange:
    """Holds a user's turn and the agent's answer. `number` counts the dialogue's exchanges from 0; `user_turn` and
    `agent_turn` are the places of the turns in the dialogue."""

    number: int
    user: Turn
    agent: Turn
    user_turn: int
    agent_turn: int

    @property
    def question(self) -> str:
        """What the user says; empty if that is not known."""
        return self.user.text or ""

    @property
    def answer(self) -> str:
        """What the agent says; empty if that is not known."""
        return self.agent.text or ""


def floor_turns(dialogue: Dialogue) -> list[tuple[int, Turn]]:
    """Return the turns that take the floor, each with its place in the dialogue."""
    return [(place, turn) for place, turn in enumerate(dialogue.turns) if turn.kind == "turn"]


def exchanges(dialogue: Dialogue) -> list[SpokenExchange]:
    """Return the exchanges of a dialogue whose turns alternate, from the user to the agent."""
    turns = floor_turns(dialogue)
    pairs = enumerate(zip(turns[::2], turns[1::2], strict=True))
    return [SpokenExchange(number, user, agent, first, second) for number, ((first, user), (second, agent)) in pairs]


@dataclass(frozen=True)
class Demands:
    """What a consumer demands of a dialogue, beyond turns that alternate from the user to the agent.

    `texts` and `clips` name the speakers whose texts and clips are written. `marks` are what none of these texts may
    contain, since the consumer takes it for its own. A user's clip has `min_s` to `max_s` seconds; 0: any length.
    """

    texts: tuple[Role, ...] = ("agent",)
    clips: tuple[Role, ...] = ("user",)
    marks: tuple[str, ...] = ()
    min_s: float = 0.0
    max_s: float = 0.0
    one_exchange: bool = False

    def problem(self, dialogue: Dialogue) -> str | None:
        """Return the first demand that the dialogue does not meet, as a reason to refuse it."""
        turns = [turn for _, turn in floor_turns(dialogue)]
        if not is_safe_id(dialogue.dialogue_id):
            return "its id is no safe name for a file"
        if not turns or len(turns) % 2 or any(turn.role != _role(place) for place, turn in enumerate(turns)):
            return "its turns do not alternate, from the user to the agent"
        if self.one_exchange and len(turns) > 2:
            return "it has more than one exchange"
        if any(dialogue.leaves_out(turn) for turn in turns):
            return "a turn was left out of its timeline"
        if any(turn.role == "agent" and turn.unsaid for turn in turns):
            return "an answer is cut off by an interruption"
        return self._text_problem(turns) or self._clip_problem(turns)

    def _text_problem(self, turns: Sequence[Turn]) -> str | None:
        texts = [turn.text or "" for turn in turns if turn.role in self.texts]
        if not all(text.strip() for text in texts):
            return "a turn has no text"
        marks = (mark for mark in (*self.marks, _TOKENIZER_MARK) if any(mark in text for text in texts))
        mark = next(marks, None)
        return f"a text contains {mark}" if mark else None

    def _clip_problem(self, turns: Sequence[Turn]) -> str | None:
        if any(turn.audio is None for turn in turns if turn.role in self.clips):
            return "a turn has no audio"
        lengths = [turn.audio.duration_s for turn in turns if turn.role == "user" and turn.audio]
        if self.max_s and max(lengths, default=0.0) > self.max_s:
            return f"a user's clip is longer than {self.max_s:g} s"
        if self.min_s and min(lengths, default=self.min_s) < self.min_s:
            return f"a user's clip is shorter than {self.min_s:g} s"
        return None


def _role(place: int) -> Role:
    return "agent" if place % 2 else "user"
