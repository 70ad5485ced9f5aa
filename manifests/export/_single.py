"""The setting of exporters whose consumer reads one exchange of a dialogue."""

from dataclasses import dataclass, field, replace

from manifests.schema import Dialogue


@dataclass(frozen=True)
class SingleSettings:
    """To be inherited beside the settings of clips."""

    first_exchange: bool = field(
        default=False,
        metadata={"description": "take the first exchange of a longer dialogue, which is refused otherwise"},
    )


def taken(dialogue: Dialogue, first_exchange: bool) -> Dialogue:
    """Return what will be written of the dialogue."""
    return replace(dialogue, turns=dialogue.turns[:2]) if first_exchange else dialogue
