"""Reads the layout of LibriSpeech and LibriTTS: trees of SPEAKER/CHAPTER, and a list of the speakers.

The corpus may be given as the directory that holds LibriSpeech/, as LibriSpeech/ itself, as one of its splits, or as
any part of one: the file name of a clip says everything about it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from manifests.storage import Place
from voicebank.layouts._files import AUDIO_MISSING, fitting, lines, tree, unusable
from voicebank.layouts.clip import SourceClip
from voicebank.voice import Gender

LANGUAGE = "en"

_LISTS = ("SPEAKERS.TXT", "SPEAKERS.txt", "speakers.tsv")
_HOMES = ("LibriSpeech", "LibriTTS", "LibriTTS_R")
_GENDERS: dict[str, Gender] = {"F": "female", "M": "male"}


@dataclass(frozen=True, slots=True)
class Tree:
    """How one of the corpora names its files. `clip_id` has the speaker as its first group.

    `transcripts` takes the files of one directory by name and returns the texts in it by clip id.
    """

    corpus: str
    suffix: str
    clip_id: re.Pattern[str]
    looked_for: str
    transcripts: Callable[[Mapping[str, Place]], Mapping[str, str | None]]


def read_tree(corpus: Place, names: Tree) -> Iterator[SourceClip]:
    """Yield the clips of a corpus. InputError where there is none."""
    return fitting(_clips(corpus, names), f"{corpus.name} is not {names.corpus}: it holds no {names.looked_for}")


def _clips(corpus: Place, names: Tree) -> Iterator[SourceClip]:
    genders = read_genders(corpus)
    for prefix, files in tree(corpus):
        yield from _clips_of_directory(prefix, files, names, genders)


def _clips_of_directory(
    prefix: str, files: Mapping[str, Place], names: Tree, genders: Mapping[str, Gender]
) -> Iterator[SourceClip]:
    texts = names.transcripts(files)
    there = {name.removesuffix(names.suffix) for name in files if name.endswith(names.suffix)}
    for stem in sorted(there | texts.keys()):
        path = f"{prefix}{stem}{names.suffix}"
        match = names.clip_id.fullmatch(stem)
        if match is None:
            yield unusable(f"{prefix}{stem}", LANGUAGE, path if stem in there else "")
            continue
        speaker = match[1]
        yield SourceClip(
            clip_id=stem,
            path=path,
            group=speaker,
            language=LANGUAGE,
            speaker=speaker,
            gender=genders.get(speaker),
            text=texts.get(stem),
            reason=None if stem in there else AUDIO_MISSING,
        )


def read_genders(corpus: Place) -> dict[str, Gender]:
    """Read each speaker's gender from the list beside the splits; empty where there is no list."""
    parent = Place(corpus.filesystem, corpus.path.rstrip("/").rpartition("/")[0])
    homes = [corpus, *(corpus / name for name in _HOMES), *([parent] if parent.path else [])]
    for file in (home / name for home in homes for name in _LISTS):
        if file.is_file():
            return dict(filter(None, map(_gender_of, lines(file))))
    return {}


def _gender_of(line: str) -> tuple[str, Gender] | None:
    """Read a line "14   | F | train-clean-360 | ...", or one with tabs; None for comments and headings."""
    speaker, *rest = line.split("|" if "|" in line else "\t")
    gender = _GENDERS.get(rest[0].strip()) if rest else None
    return (speaker.strip(), gender) if gender else None
