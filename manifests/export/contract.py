"""What an exporter is: a name, settings, and a writer that turns dialogues into another program's files.

A corpus is written in pieces, each of consecutive dialogues of one split, into files of its own, so that pieces can be
written side by side and a killed export continues with the piece that was not finished. A writer refuses a dialogue
that its consumer would lose or spoil without a word. The same corpus and settings give the same bytes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from manifests.corpus import Corpus
from manifests.schema import Dialogue
from manifests.storage import Place


@dataclass(frozen=True)
class Piece:
    """Names consecutive dialogues that are written at once. `number` counts the pieces of the split from 0."""

    split: str
    number: int

    @property
    def stem(self) -> str:
        """The piece's name, for names of files: "train-00003"."""
        return f"{self.split}-{self.number:05d}"


@dataclass(frozen=True)
class ExportSettings:
    """Base class of the settings of exporters: frozen dataclasses whose fields have a default, and a `description` in
    their `metadata`. This class is for exporters that have none."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "allow_inf_nan": False}


class PieceWriter(ABC):
    """Writes one export. It is pickled into every process that writes pieces, and keeps nothing between them."""

    def problem(self, dialogue: Dialogue) -> str | None:
        """Return the reason why the dialogue must not be written, as people read it in a count; None: it can be."""
        return None

    @abstractmethod
    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> Any:
        """Write the dialogues, none of which has a problem, into files of this piece in the directory `out`.

        Returns whatever `finish` needs of the piece, ready for JSON. A piece that was interrupted is written again.
        """

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        """Write what stands once for all pieces, such as an index; return sentences that the user should read.

        `pieces` are those that hold something, in order, with what `write` returned; they may be gone through again.
        """
        return ()


@dataclass(frozen=True)
class Exporter:
    """The declaration of an exporter, a value of its module.

    `open(corpus, settings)` makes the writer of an export; `corpus` holds all that will be exported. `read_by` names
    the program that reads the files, with the version that was seen to.
    """

    name: str
    about: str
    open: Callable[[Corpus, Any], PieceWriter]
    settings: type[ExportSettings] = ExportSettings
    read_by: str = ""


@dataclass(frozen=True)
class Export:
    """What an export did: the number of dialogues written, of those refused by reason, and sentences for the user."""

    written: int
    refused: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
