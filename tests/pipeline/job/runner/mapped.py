"""Functions for the `map` of runners; workers must be able to import them."""

import os

from manifests.errors import CorpusError


def shifted(item: int, by: int) -> int:
    return item + by


def refuses_five(item: int) -> int:
    if item == 5:
        raise CorpusError("five is broken")
    return item


def ends_its_process_at_five(number: int) -> int:
    if number == 5:
        os._exit(139)
    return number
