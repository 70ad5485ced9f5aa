"""Choose the split of a data set's folder, by the names that the Hugging Face hub gives to files and folders."""

import re
from collections import defaultdict
from collections.abc import Sequence

from manifests.errors import InputError

TRAIN = "train"
_SHARD = re.compile(r"^(?P<split>[A-Za-z0-9_.]+)-\d{4,6}-of-\d{4,6}(-[0-9a-f]+)?\.")
_WORDS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}
_WORD = re.compile(r"[A-Za-z]+")


def choose_split(word: str, names: Sequence[str]) -> tuple[list[str], str]:
    """Return the names of the files to read, sorted, and words for what is left out ("" if nothing is).

    A folder of one split is read whole, one of several only if one of them is called train. Raises InputError if it
    is not clear what to read: several splits and no train, or several folders with files of the same split.
    """
    splits: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        splits[_split_of(name)].append(name)
    chosen = TRAIN if TRAIN in splits else next(iter(splits))
    if len(splits) > 1 and TRAIN not in splits:
        named = ", ".join(f"{split or 'no split'} ({files[0]})" for split, files in sorted(splits.items()))
        raise InputError(f"{word} holds the splits {named}: name the files of one by a pattern")
    folders = sorted({_folder_of(name) for name in splits[chosen]})
    if len(folders) > 1:
        shown = ", ".join(repr(folder) for folder in folders[:8])
        raise InputError(f"{word} holds data in several folders ({shown}): name one of them")
    others = [f"{split or 'no split'} ({len(files)})" for split, files in sorted(splits.items()) if split != chosen]
    return splits[chosen], ", ".join(others)


def _split_of(name: str) -> str:
    """Return the split of a file: what stands before the numbers of a shard, or a known word in its path; else ""."""
    *folders, file = name.split("/")
    if shard := _SHARD.match(file):
        return _WORDS.get(shard["split"].lower(), shard["split"])
    for part in (file, *reversed(folders)):
        found = [_WORDS[word.lower()] for word in _WORD.findall(part) if word.lower() in _WORDS]
        if found:
            return found[0]
    return ""


def _folder_of(name: str) -> str:
    """Return the folder of a file, without the parts that name its split."""
    return "/".join(part for part in name.split("/")[:-1] if part.lower() not in _WORDS)
