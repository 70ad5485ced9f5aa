"""Chooses the rows of a corpus that a user names by views, split by split."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.storage import Place
from manifests.views import load_view, part_numbers, view_names
from pipeline.views.splits import REST

SPLITS, SUBSETS = "splits", "subsets"

DEFAULT, OTHERS = "default", "others"
"""The config with all rows, as hubs call the one that is loaded if none is named; rows that are in no subset."""


Configs = Mapping[str, Mapping[str, Sequence[str]]]
"""For each config that a user may load, its splits, and for each split the parts whose rows it has."""


def chosen_splits(place: Place, status: str, split: str | None, **views: Any) -> dict[str, Corpus]:
    """Return the chosen rows by split: those of `split`, or of every split of the corpus that has a row.

    A corpus without splits is one, named "train". `views` are `subset`, `view` and `tokens`, as `Corpus` takes them.
    Raises UserError, as `Corpus` does, and where rows are in no split at all and would be lost without a word.
    """
    whole = Corpus(place, status, **views)  # type: ignore[arg-type]
    if split is not None:
        return {split: Corpus(place, status, split=split, **views)}  # type: ignore[arg-type]
    if status != "kept" or SPLITS not in view_names(place):
        return {REST: whole}
    names = load_view(place, SPLITS).parts
    splits = {name: Corpus(place, status, split=name, **views) for name in names}  # type: ignore[arg-type]
    inside = sum(len(corpus) for corpus in splits.values())
    if inside < len(whole):
        outside = np.setdiff1d(whole.row_numbers, np.concatenate([corpus.row_numbers for corpus in splits.values()]))
        raise UserError(f"{len(outside)} of the chosen rows are in no split: name one with --split")
    return {name: corpus for name, corpus in splits.items() if len(corpus)}


def parts_and_configs(
    place: Place, split: str | None, subset: str | None, view: Sequence[str]
) -> tuple[dict[str, Corpus], Configs | None]:
    """Return the chosen kept rows in disjoint parts, and the configs that share them; None: each part is a split.

    Each subset becomes a config, which holds its own rows and those of the subsets before it, so that rows that are
    in several are stored once. The config "default" has all rows. Raises UserError for a subset that is called as
    that one, or as the rows in no subset.
    """
    splits = chosen_splits(place, "kept", split, subset=subset, view=view)
    if subset is not None or SUBSETS not in view_names(place):
        return splits, None
    subsets = load_view(place, SUBSETS)
    if taken := {DEFAULT, OTHERS} & set(subsets.parts):
        raise UserError(f"a subset cannot be published as {min(taken)!r}: make the subsets again with another name")
    numbers = part_numbers(place, subsets)
    names = {**dict(enumerate(subsets.parts)), -1: OTHERS}
    parts: dict[str, Corpus] = {}
    configs: dict[str, dict[str, list[str]]] = {DEFAULT: {}, **{name: {} for name in subsets.parts}}
    for called, corpus in splits.items():
        inside = numbers[corpus.row_numbers]
        for number, name in names.items():
            rows = np.flatnonzero(inside == number)
            if len(rows):
                part = f"{called}.{name}"
                parts[part] = corpus.rows(rows)
                holding = [DEFAULT, *(subsets.parts[number:] if number >= 0 else ())]
                for config in holding:
                    configs[config].setdefault(called, []).append(part)
    return parts, {config: named for config, named in configs.items() if named}
