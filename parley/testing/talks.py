"""Dialogues of several turns, for exports."""

from dataclasses import replace

from manifests.schema import Dialogue, Role
from parley.testing.corpora import RATE, make_kept, make_turn

BREAD = ("is rye bread healthy", "mostly yes", "how should i store it", "in a paper bag")
"""Two exchanges."""
PATH = ("附近有跑步的地方吗", "河边那条步道就不错")
"""One exchange."""


def make_talk(number: int, *texts: str, seconds: float = 0.5, language: str = "en") -> Dialogue:
    """Make a kept dialogue of these texts, which the user and the agent say in turn; a turn lasts `seconds`, and each
    has a tone of its own."""
    roles: tuple[Role, Role] = ("user", "agent")
    length = round(seconds * RATE)
    turns = [make_turn(roles[place % 2], text, 10 * number + place, length) for place, text in enumerate(texts)]
    return replace(make_kept(number), turns=tuple(turns), language=language)


def make_talks() -> list[Dialogue]:
    """Make an English dialogue of two exchanges and a Chinese one of one."""
    return [make_talk(0, *BREAD), make_talk(1, *PATH, language="zh")]
