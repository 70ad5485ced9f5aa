"""What one program's files are to a bank: how voices are read from them, which they can hold, how they are written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from manifests.storage import Place
from voicebank.exchange.entry import FoundVoices
from voicebank.voice import Voice


@dataclass(frozen=True, slots=True)
class ExchangeFormat:
    """One program's files.

    `read` takes the file or directory and the name of the engine that is to speak with its voices, where the format
    leaves that open. `write` puts the voices, all of which `can_hold` accepts, there, and returns notes for people.
    `origin` completes "Voices imported from ...", `requires` completes "it takes voices ...". A format that is a
    directory keeps the side table inside it; for a single file the side table lies beside it.
    """

    origin: str
    requires: str
    can_hold: Callable[[Voice], bool]
    read: Callable[[Place, str], FoundVoices]
    write: Callable[[Place, Sequence[Voice]], Sequence[str]]
    is_directory: bool = False
