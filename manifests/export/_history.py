"""What was said before, as SLAM-Omni's loader wants it in the question of an exchange.

It takes all that stands before the last `<USER>:` for the history and puts it into the prompt; a first question has
nothing there.
"""

from collections.abc import Sequence

from manifests.export._turns import SpokenExchange

HISTORY_MARKS = ("USER:", "<USER>:", "ASSISTANT:")
"""In a text these would make turns that nobody spoke, or cut the history at the wrong place."""


def question_with_history(rounds: Sequence[SpokenExchange], number: int) -> str:
    """Return the question of that exchange after all that was said before it."""
    said = "".join(f"USER: {each.question} ASSISTANT: {each.answer} " for each in rounds[:number])
    return f"{said}<USER>: {rounds[number].question}"
