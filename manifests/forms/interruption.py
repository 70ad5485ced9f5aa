"""Mini-Omni2's states: one for each frame of what the model hears, by which it learns when to be silent.

Up to the end of the phrase that interrupts, the phrase included, it goes on (`n-irq`); in the tail behind it, it is
interrupted (`irq`).
"""

from collections.abc import Sequence
from fractions import Fraction

GO_ON, INTERRUPTED = "n-irq", "irq"


def states(num_frames: int, frame_s: Fraction, end: Fraction) -> tuple[str, ...]:
    """Return the states of frames of `frame_s` seconds; `end` is where the phrase ends. A frame belongs to what its
    middle belongs to."""
    tail = max(0, min(num_frames, -((Fraction(1, 2) - end / frame_s) // 1)))
    return (GO_ON,) * tail + (INTERRUPTED,) * (num_frames - tail)


def tail_frame(found: Sequence[str]) -> int:
    """Return the first frame of the tail, which may be behind the last one; the inverse of `states`, to a frame.

    Raises ValueError for states in another order.
    """
    tail = list(found).index(INTERRUPTED) if INTERRUPTED in found else len(found)
    if tuple(found) != (GO_ON,) * tail + (INTERRUPTED,) * (len(found) - tail):
        raise ValueError("an interrupted state comes before one that goes on")
    return tail
