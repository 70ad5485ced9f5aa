"""The settings of exporters whose consumer trains on speech tokens of the agent, and what it demands."""

from dataclasses import dataclass, field
from typing import Literal

from manifests.export._clips import ClipSettings
from manifests.export._speech_tokens import Codes, TokenNeed, codes_of, codes_problem
from manifests.export._turns import floor_turns
from manifests.schema import Dialogue, Turn

Target = Literal["text", "speech"]

_TARGET = "what the agent's answers are: text, or text with speech tokens, which no row without them can give"
_SPEECH_TOKENS = "tokenizer whose tokens are taken, as the rows name it; empty: the one that the consumer reads"

TEXT_NOTE = "The agent's answers are text alone: target=speech writes speech tokens, where the rows hold some."


@dataclass(frozen=True)
class TokenSettings:
    """To be inherited beside other settings. `speech_tokens` counts only where the target is speech."""

    target: Target = field(default="text", metadata={"description": _TARGET})
    speech_tokens: str = field(default="", metadata={"description": _SPEECH_TOKENS})


@dataclass(frozen=True)
class TargetSettings(TokenSettings, ClipSettings):
    pass


@dataclass(frozen=True)
class SpeechTarget:
    """Says which tokens of the agent a consumer gets: none, or those of `need`."""

    target: Target
    need: TokenNeed
    tokenizer: str = ""

    def problem(self, dialogue: Dialogue) -> str | None:
        """Return the reason to refuse a dialogue whose answers lack tokens, where they are asked for."""
        if self.target == "text":
            return None
        answers = [turn for _, turn in floor_turns(dialogue) if turn.role == "agent"]
        return codes_problem(answers, self.need, self.tokenizer)

    def codes(self, turn: Turn) -> Codes | None:
        """Return the tokens of a turn, where they are asked for."""
        return None if self.target == "text" else codes_of(turn, self.need, self.tokenizer)


def speech_target(settings: TokenSettings, need: TokenNeed) -> SpeechTarget:
    return SpeechTarget(settings.target, need, settings.speech_tokens)
