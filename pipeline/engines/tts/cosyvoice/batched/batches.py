"""Cuts what goes through a network together into batches of like length."""

from collections.abc import Iterator, Sequence

_PADDED = 1.15
"""A batch may be so many times as long as its own frames."""


def batches(lengths: Sequence[int], most_frames: int) -> Iterator[list[int]]:
    """Yield the numbers of the pieces in batches of like length, longest first, each within `most_frames` frames."""
    batch: list[int] = []
    longest = total = 0
    for number in sorted(range(len(lengths)), key=lambda number: (-lengths[number], number)):
        frames = longest * (len(batch) + 1)
        if batch and (frames > most_frames or frames > _PADDED * (total + lengths[number])):
            yield batch
            batch, total = [], 0
        longest = longest if batch else lengths[number]
        batch.append(number)
        total += lengths[number]
    if batch:
        yield batch
