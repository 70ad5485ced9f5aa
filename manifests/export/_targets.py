"""The setting of exporters whose consumer trains on speech tokens of the agent, and what it demands."""

from dataclasses import dataclass, field
from typing import Literal

from manifests.export._clips import ClipSettings
from manifests.export._speech_tokens import all_have_codes
from manifests.export._turns import NO_TOKENS, floor_turns
from manifests.schema import Dialogue

Target = Literal["text", "speech"]

_TARGET = "what the agent's answers are: text, or text with speech tokens, which no row without them can give"

TEXT_NOTE = "The agent's answers are text alone: the rows hold no speech tokens."


@dataclass(frozen=True)
class TargetSettings(ClipSettings):
    target: Target = field(default="text", metadata={"description": _TARGET})


def token_problem(dialogue: Dialogue, target: Target, tokenizer: str) -> str | None:
    """Return the reason to refuse a dialogue whose answers lack tokens, where they are asked for."""
    answers = [turn for _, turn in floor_turns(dialogue) if turn.role == "agent"]
    return NO_TOKENS if target == "speech" and not all_have_codes(answers, tokenizer) else None
