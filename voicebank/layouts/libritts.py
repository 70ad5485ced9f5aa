"""LibriTTS and LibriTTS-R: SPLIT/SPEAKER/CHAPTER/*.wav, each with its normalized text in a file of its own.

The genders are in SPEAKERS.txt or speakers.tsv.
"""

import re
from collections.abc import Iterator, Mapping

from manifests.storage import Place
from voicebank.layouts._files import lines, text_of
from voicebank.layouts._libri import Tree, read_tree
from voicebank.layouts.clip import SourceClip

_TEXT = ".normalized.txt"


def read(corpus: Place) -> Iterator[SourceClip]:
    return read_tree(corpus, _TREE)


def _transcripts(files: Mapping[str, Place]) -> dict[str, str | None]:
    return {
        name.removesuffix(_TEXT): text_of(" ".join(lines(file)))
        for name, file in files.items()
        if name.endswith(_TEXT)
    }


_TREE = Tree(
    "LibriTTS",
    ".wav",
    re.compile(r"([0-9]+)_[0-9]+_[0-9]+_[0-9]+"),
    "SPEAKER/CHAPTER/*.wav or *.normalized.txt",
    _transcripts,
)
