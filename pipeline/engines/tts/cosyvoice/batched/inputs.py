"""What a step is told of each slot, in one row of numbers, so that one copy takes all of it to the device."""

from collections.abc import Sequence
from typing import Any

_TOKEN, _POSITION, _EARLY, _DRAWS, _RECENT = 0, 1, 2, slice(3, 5), slice(5, None)
"""Places in a row of float64, which holds integers below 2**53 as they are."""


def width_of(window: int) -> int:
    return _RECENT.start + window


def row_of(tokens: Sequence[int], position: int, is_early: bool, draws: Sequence[float], window: int) -> list[float]:
    """Return the row of a piece that has said `tokens` and whose next token stands at `position`.

    `is_early` keeps the end out; `draws` are its two random numbers; the last `window` tokens may be repeated too
    often, -1 stands for one that is not there.
    """
    recent = tokens[-window:] if window else ()
    return [tokens[-1] if tokens else 0, position, is_early, *draws, *[-1] * (window - len(recent)), *recent]


def tokens_and_positions(told: Any) -> tuple[Any, Any]:
    """Return both of rows [B, width]: int64 [B]."""
    return told[:, _TOKEN].long(), told[:, _POSITION].long()


def is_early(told: Any) -> Any:
    """Return bool [B] of rows [B, width]."""
    return told[:, _EARLY] > 0


def draws_and_recent(told: Any) -> tuple[Any, Any]:
    """Return the random numbers, float64 [B, 2], and the last tokens, int64 [B, window], of rows [B, width]."""
    return told[:, _DRAWS], told[:, _RECENT].long()
