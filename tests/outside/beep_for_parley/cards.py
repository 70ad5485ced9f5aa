"""An input format: flash cards with a front and a back."""

from pipeline.readers.formats import Format, Row
from pipeline.readers.rows import SourceTurn
from pipeline.readers.turns import Parsed


def parse(row: Row) -> Parsed:
    return Parsed((SourceTurn("user", str(row["front"])), SourceTurn("agent", str(row["back"]))))


CARDS = Format("cards", "flash cards: front, back", frozenset({"front", "back"}), parse)
