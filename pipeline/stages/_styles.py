"""The styles that a language model writes for the turns of an exchange: checked, and put into the turns."""

from collections.abc import Mapping
from dataclasses import replace

from manifests.reasons import Reason
from manifests.schema import Dialogue, Style, Turn
from pipeline.engines.contract import Complaint
from pipeline.stages._exchanges import exchange_at

FIELDS = ("question_style", "answer_style")
LONGEST = 200
"""Characters of an instruction. Servers allow more; what is longer is no style any more, but a text to be spoken."""


def check_styles(fields: Mapping[str, str]) -> Complaint | None:
    """Say what is wrong with the styles of an answer, if it has any."""
    for name in FIELDS:
        text = " ".join(fields.get(name, "").split())
        if len(text) > LONGEST:
            values = {"field": name, "length": str(len(text)), "limit": str(LONGEST)}
            return Complaint(Reason.TEXT_ENGINE_FAILED, "too_long", values)
    return None


def with_styles(dialogue: Dialogue, number: int, fields: Mapping[str, str]) -> Dialogue:
    """Put the styles into the turns of that exchange; an answer without the keys changes nothing."""
    turns, pair = list(dialogue.turns), exchange_at(dialogue, number)
    turns[pair.user_index] = _styled(turns[pair.user_index], fields.get(FIELDS[0]))
    turns[pair.agent_index] = _styled(turns[pair.agent_index], fields.get(FIELDS[1]))
    return replace(dialogue, turns=tuple(turns))


def _styled(turn: Turn, text: str | None) -> Turn:
    if text is None:
        return turn
    words = " ".join(text.split())
    label = turn.style.label if turn.style else None
    return replace(turn, style=Style(words or None, label) if words or label else None)
