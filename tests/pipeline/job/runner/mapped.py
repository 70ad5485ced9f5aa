"""Functions for the `map` of runners; workers must be able to import them."""

from manifests.errors import CorpusError


def shifted(item: int, by: int) -> int:
    return item + by


def refuses_five(item: int) -> int:
    if item == 5:
        raise CorpusError("five is broken")
    return item
