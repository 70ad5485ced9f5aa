"""Keeps the keys and values of all pieces in flight: one slot for each, of the same length, so that shapes are few."""

from collections.abc import Sequence
from typing import Any

_GRAIN = 512
"""Slots grow by so many tokens: what was captured of a step holds as long as they stay where they are."""
_REACH = 256
"""A step looks at a multiple of so many tokens: a CUDA graph holds for one."""


class Slots:
    """Holds `keys[layer]` and `values[layer]`, [slots, heads, capacity, width], and how long each slot is filled."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.capacity = 0
        self.keys: list[Any] = []
        self.values: list[Any] = []
        self.lengths = [0] * count

    @property
    def reach(self) -> int:
        """How many tokens of the slots a step looks at: all that any of them holds, and the next one."""
        return min(self.capacity, _up_to(max(self.lengths) + 1, _REACH))

    def fill(self, slots: Sequence[int], lengths: Sequence[int], keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Begin slots with what their prompts gave: one tensor [slots, heads, tokens, width] for each layer.

        Of a slot's tokens the first `lengths` count; those after them are written over as it grows.
        """
        import torch

        tokens = keys[0].shape[2]
        self.reserve(tokens + 1, keys)
        rows = torch.tensor(slots, device=keys[0].device)
        for kept, new in zip((*self.keys, *self.values), (*keys, *values), strict=True):
            kept[rows, :, :tokens] = new
        for slot, length in zip(slots, lengths, strict=True):
            self.lengths[slot] = length

    def advance(self, slots: Sequence[int]) -> None:
        """Count one more token in these slots."""
        for slot in slots:
            self.lengths[slot] += 1

    def empty(self, slot: int) -> None:
        self.lengths[slot] = 0

    def reserve(self, tokens: int, like: Sequence[Any] = ()) -> None:
        """Make the slots at least `tokens` long, and keep what they hold.

        Where there is no slot yet, `like` has one tensor [slots, heads, tokens, width] for each layer.
        """
        if tokens <= self.capacity:
            return
        self.capacity = _up_to(tokens, _GRAIN)
        if not self.keys:
            self.keys, self.values = ([self._zeros(layer) for layer in like] for _ in range(2))
        self.keys = [self._longer(kept) for kept in self.keys]
        self.values = [self._longer(kept) for kept in self.values]

    def _zeros(self, like: Any) -> Any:
        return like.new_zeros((self.count, like.shape[1], self.capacity, like.shape[3]))

    def _longer(self, kept: Any) -> Any:
        if kept.shape[2] == self.capacity:
            return kept
        made = self._zeros(kept)
        made[:, :, : kept.shape[2]] = kept
        return made


def _up_to(tokens: int, grain: int) -> int:
    return -(-tokens // grain) * grain
