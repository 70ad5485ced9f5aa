"""Makes damaged blocks of a job again: blocks that are missing, cut short, changed, swapped or copied."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from manifests.errors import BlockDamaged
from manifests.storage import Place
from pipeline.job.commits import delete_block
from pipeline.job.listener import Listener

Made = TypeVar("Made")


def repairing(
    make: Callable[[], Made],
    source: Place,
    targets: Sequence[Place],
    cut_again: Callable[[], None],
    listener: Listener,
) -> Made:
    """Call `make` until it meets no damaged block, and return its result.

    `cut_again` makes the blocks of `source` again, which come from the input. Those of the `targets`, the directories
    of the passes in their order, are deleted there and in all later passes, so that `make` makes them again. A block
    that is damaged twice stops the job with the error: then the storage is at fault.
    """
    seen = set[tuple[str, int]]()
    while True:
        try:
            return make()
        except BlockDamaged as damaged:
            names, found = [target.name for target in targets], (damaged.directory, damaged.block)
            if found in seen or damaged.directory not in (source.name, *names):
                raise
            seen.add(found)
            listener.noted(f"block {damaged.block} in {damaged.directory} was damaged: it is made again")
            if damaged.directory == source.name:
                cut_again()
                continue
            for target in reversed(targets[names.index(damaged.directory) :]):
                delete_block(target, damaged.block)
