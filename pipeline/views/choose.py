"""Chooses the rows of a corpus that a user names by views, split by split."""

from typing import Any

import numpy as np

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.storage import Place
from manifests.views import load_view, view_names
from pipeline.views.splits import REST

SPLITS = "splits"


def chosen_splits(place: Place, status: str, split: str | None, **views: Any) -> dict[str, Corpus]:
    """Return the chosen rows by split: those of `split`, or of every split of the corpus that has a row.

    A corpus without splits is one, named "train". `views` are `subset` and `view`, as `Corpus` takes them. Raises
    UserError, as `Corpus` does, and where rows are in no split at all and would be lost without a word.
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
