"""Lays tokens along a clip by the decoder's attention to the encoder, as OpenAI's Whisper does for its word times."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

_MEDIAN_WIDTH = 7


def token_path(attention: Matrix) -> list[tuple[int, int]]:
    """Return pairs (token, step) of the cheapest path through the attention, float32 [heads, tokens, steps].

    Each head's weights are made comparable over the tokens and smoothed over the steps; the mean of the heads is
    walked from the first token and step to the last ones, each a token or a step or both further.
    """
    weights = attention / attention.sum(axis=-1, keepdims=True)
    spread = weights.std(axis=-2, keepdims=True, ddof=1 if weights.shape[-2] > 1 else 0)
    weights = (weights - weights.mean(axis=-2, keepdims=True)) / np.maximum(spread, np.finfo(np.float32).tiny)
    return _cheapest_path(-_median_filtered(weights).mean(axis=0))


def _median_filtered(weights: Matrix) -> Matrix:
    half = _MEDIAN_WIDTH // 2
    if weights.shape[-1] <= half:
        return weights
    padded = np.pad(weights, ((0, 0), (0, 0), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN_WIDTH, axis=-1)
    filtered: Matrix = np.median(windows, axis=-1)
    return filtered


def _cheapest_path(cost: Matrix) -> list[tuple[int, int]]:
    """Walk a matrix [tokens, steps] by dynamic time warping, a diagonal of the sums at a time."""
    rows, columns = cost.shape
    sums = np.full((rows + 1, columns + 1), np.inf)
    moves = np.zeros((rows + 1, columns + 1), np.int8)
    sums[0, 0] = 0
    for diagonal in range(2, rows + columns + 1):
        row = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        column = diagonal - row
        before = np.stack([sums[row - 1, column - 1], sums[row - 1, column], sums[row, column - 1]])
        best = np.where((before[0] < before[1]) & (before[0] < before[2]), 0, np.where(before[1] < before[2], 1, 2))
        moves[row, column] = best
        sums[row, column] = cost[row - 1, column - 1] + np.take_along_axis(before, best[None], axis=0)[0]
    path, row_at, column_at = [], rows, columns
    while row_at and column_at:
        path.append((int(row_at) - 1, int(column_at) - 1))
        move = moves[row_at, column_at]
        row_at, column_at = row_at - (move != 2), column_at - (move != 1)
    return path[::-1]
