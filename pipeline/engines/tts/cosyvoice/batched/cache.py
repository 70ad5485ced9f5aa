"""Keeps the keys and values of all pieces in flight: one slot for each, of the same length, so that shapes are few."""

from collections.abc import Sequence
from typing import Any

_GRAIN = 512
"""Slots grow by so many tokens: a CUDA graph holds for one length of the slots."""


class Slots:
    """Holds `keys[layer]` and `values[layer]`, [slots, heads, capacity, width], and how long each slot is filled."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.capacity = 0
        self.keys: list[Any] = []
        self.values: list[Any] = []
        self.lengths = [0] * count

    def fill(self, slot: int, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Begin a slot with what its prompt gave: one tensor [1, heads, tokens, width] for each layer."""
        tokens = keys[0].shape[2]
        self.reserve(tokens + 1, keys)
        for kept, new in zip((*self.keys, *self.values), (*keys, *values), strict=True):
            kept[slot, :, :tokens] = new[0]
        self.lengths[slot] = tokens

    def advance(self, slots: Sequence[int]) -> None:
        """Count one more token in these slots, and make room for it."""
        for slot in slots:
            self.lengths[slot] += 1
        self.reserve(max(self.lengths) + 1)

    def empty(self, slot: int) -> None:
        self.lengths[slot] = 0

    def reserve(self, tokens: int, like: Sequence[Any] = ()) -> None:
        """Make the slots at least `tokens` long, and keep what they hold.

        Where there is no slot yet, `like` has one tensor [1, heads, tokens, width] for each layer.
        """
        if tokens <= self.capacity:
            return
        self.capacity = -(-tokens // _GRAIN) * _GRAIN
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
