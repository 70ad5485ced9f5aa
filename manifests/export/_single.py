"""The setting of exporters whose consumer reads one exchange of a dialogue."""

from dataclasses import dataclass, field, replace

from manifests.export._turns import floor_turns
from manifests.schema import Dialogue


@dataclass(frozen=True)
class SingleSettings:
    """To be inherited beside the settings of clips."""

    first_exchange: bool = field(
        default=False,
        metadata={"description": "take the first exchange of a longer dialogue, which is refused otherwise"},
    )


def taken(dialogue: Dialogue, first_exchange: bool) -> Dialogue:
    """Return what will be written of the dialogue; places of turns stay what they are."""
    if not first_exchange or len(floor := floor_turns(dialogue)) < 2:
        return dialogue
    return replace(dialogue, turns=dialogue.turns[: floor[1][0] + 1])
