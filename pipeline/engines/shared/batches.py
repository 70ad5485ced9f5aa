"""Cuts batches by audio seconds, with clips of similar length together.

A batch costs its number of clips times its longest one, whatever the others are, so clips of one length belong in one
batch (NeMo Curator and Lhotse do the same).
"""

from collections.abc import Sequence


def cut_batches(seconds: Sequence[float], batch_s: float) -> list[list[int]]:
    """Cut indices into `seconds` into batches of at most `batch_s` with padding; the longest clips come first.

    A clip that is longer than `batch_s` is a batch of its own. Clips of equal length keep their order.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(seconds)), key=lambda i: -seconds[i]):
        if batches and (len(batches[-1]) + 1) * seconds[batches[-1][0]] <= batch_s:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
