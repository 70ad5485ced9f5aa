"""Random draws that depend on (seed, stream, number) alone, never on how many were drawn before.

They come from Philox, a counter-based generator (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"):
draw k of a stream is a function of its key and k, so any block of draws can be made alone, in any order.
"""

import hashlib

import numpy as np
import numpy.typing as npt

from manifests.errors import UserError
from voicebank.speaker_table import Weights

_WORDS = 4  # 64-bit words that one step of Philox's counter gives
_ROUND = 6  # decimals of a weight: what is stored is what was averaged


def uniforms(seed: int, stream: str, start: int, count: int, width: int) -> npt.NDArray[np.float64]:
    """Draws `start` to `start + count` of a stream, each of `width` numbers in [0, 1): float64 [count, width]."""
    steps = -(-width // _WORDS)
    key = int.from_bytes(hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=16).digest(), "little")
    words = np.random.Philox(key=key, counter=start * steps).random_raw(count * steps * _WORDS)
    mantissas = (words >> np.uint64(11)).astype(np.float64)  # 53 bits, as a float64 has
    return (mantissas * 2.0**-53).reshape(count, steps * _WORDS)[:, :width]


def check_weights(low: float, high: float, parents: int) -> None:
    """Raise UserError where no `parents` weights within the range can add up to 1."""
    if parents < 2:
        raise UserError("a virtual voice needs two parents or more")
    if not 0 < low <= high < 1:
        raise UserError(f"weights {low:g} to {high:g}: expected 0 < lowest <= highest < 1")
    if parents * low > 1 + 1e-9 or parents * high < 1 - 1e-9:
        raise UserError(f"{parents} weights between {low:g} and {high:g} cannot add up to 1")


def draw_weights(draws: npt.NDArray[np.float64], low: float, high: float) -> Weights:
    """Turn uniform numbers [N, K - 1] into weights [N, K] within the range that add up to 1.

    Each weight is uniform in what the earlier ones leave possible; for two parents, uniform in the range.
    """
    count, others = draws.shape
    weights = np.empty((count, others + 1))
    rest = np.ones(count)
    for index in range(others):
        left = others - index
        least, most = np.maximum(low, rest - left * high), np.minimum(high, rest - left * low)
        weights[:, index] = np.round(least + draws[:, index] * np.maximum(most - least, 0), _ROUND)
        rest = rest - weights[:, index]
    weights[:, others] = np.round(rest, _ROUND)
    return weights
