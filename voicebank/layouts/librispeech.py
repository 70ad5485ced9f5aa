"""LibriSpeech: SPLIT/SPEAKER/CHAPTER/SPEAKER-CHAPTER-NNNN.flac, the texts of a chapter in one *.trans.txt.

Texts are upper-case, without punctuation. The genders are in SPEAKERS.TXT.
"""

import re
from collections.abc import Iterator, Mapping

from manifests.storage import Place
from voicebank.layouts._files import lines, text_of
from voicebank.layouts._libri import Tree, read_tree
from voicebank.layouts.clip import SourceClip


def read(corpus: Place) -> Iterator[SourceClip]:
    return read_tree(corpus, _TREE)


def _transcripts(files: Mapping[str, Place]) -> dict[str, str | None]:
    rows = (line.strip().partition(" ") for name, file in files.items() if _is_list(name) for line in lines(file))
    return {clip_id: text_of(text) for clip_id, _, text in rows if clip_id}


def _is_list(name: str) -> bool:
    return name.endswith(".trans.txt")


_TREE = Tree(
    "LibriSpeech",
    ".flac",
    re.compile(r"([0-9]+)-[0-9]+-[0-9]+"),
    "SPEAKER/CHAPTER/*.flac or *.trans.txt",
    _transcripts,
)
