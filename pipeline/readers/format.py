"""What one input format is: how its rows are recognized, and the function that reads a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.readers.turns import Parsed

Row = Mapping[str, object]

ASKED, ANSWERED = "Why is the sky blue?", "Because air scatters blue light the most."
ASKED_NEXT, ANSWERED_NEXT = "And at sunset?", "Then the light crosses more air."
"""What the examples of the formats say."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    `parse` raises pydantic's ValidationError if fields are missing or have the wrong type. A row of the format has all
    of `keys`, and `sign` is true of it. `also_reads` are the formats whose rows `parse` reads just as well. A `loose`
    format has keys that rows of other formats may have too: it is taken only where no other format fits. `example` is
    a row of the format, to be shown to people.
    """

    name: str
    about: str
    keys: frozenset[str]
    parse: Callable[[Row], Parsed]
    example: Row
    sign: Callable[[Row], bool] | None = None
    also_reads: frozenset[str] = frozenset()
    loose: bool = False

    def fits(self, row: Row) -> bool:
        """Whether the row has the keys and the sign of the format."""
        return self.keys <= row.keys() and (self.sign is None or self.sign(row))


def keys(names: str) -> frozenset[str]:
    """Return the words of `names` as the keys of a format."""
    return frozenset(names.split())
