"""What an exporter is: a name, and one function from a corpus to another program's files.

An exporter refuses a dialogue that its consumer would lose or spoil without a word, and counts what it refused, by
reason. The same corpus gives the same bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from manifests.corpus import Corpus
from manifests.storage import Place


@dataclass(frozen=True)
class Export:
    """What an exporter did: the number of dialogues written, and of those refused, by reason."""

    written: int
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Exporter:
    """The declaration of an exporter, a value of its module.

    `write(corpus, out, progress)` writes the corpus's dialogues into the directory `out`, which holds nothing yet, and
    calls `progress` with the number of dialogues that are done since the last call.
    """

    name: str
    about: str
    write: Callable[[Corpus, Place, Callable[[int], None]], Export]
