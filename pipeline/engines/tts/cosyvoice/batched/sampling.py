"""Chooses the next speech token of each row, as upstream's repetition-aware sampling does for one.

A token is drawn from the most likely ones (nucleus). Where the last tokens hold it too often already, another is drawn
from all the others. Upstream draws from the generator of the process, and in a loop over candidates; here the random
numbers are given, two for each row, and all rows are treated at once. The distribution is the same.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

_DRAWS_AT_ONCE = 256
_NAME = "ras_sampling"
_DEFAULTS = {"top_p": 0.8, "top_k": 25, "win_size": 10, "tau_r": 0.1}
"""Those of upstream's function."""


@dataclass(frozen=True)
class RepetitionAware:
    """Holds the parameters: the nucleus is the most likely tokens up to `top_p` together, `top_k` of them at most.

    A token that is among the last `window` ones `window * share` times or more is replaced.
    """

    top_p: float
    top_k: int
    window: int
    share: float

    def choose(self, scores: Any, recent: Any, uniform: Any) -> Any:
        """Return the chosen tokens, int64 [B].

        `scores` are log-probabilities [B, V], with -inf for what must not come; `recent` the last tokens of each row,
        int64 [B, window], -1 where there are fewer; `uniform` float64 [B, 2] in 0..1.
        """
        import torch

        ordered, tokens = scores.softmax(dim=-1).sort(dim=-1, descending=True, stable=True)
        ordered, tokens = ordered[:, : self.top_k], tokens[:, : self.top_k]
        before = ordered.cumsum(dim=-1) - ordered
        first = _pick(ordered.masked_fill(before >= self.top_p, 0.0), uniform[:, 0])
        chosen = tokens.gather(1, first[:, None])[:, 0]
        repeated = (recent == chosen[:, None]).sum(dim=-1) >= self.window * self.share
        others = scores.scatter(1, chosen[:, None], -torch.inf).softmax(dim=-1)
        return torch.where(repeated, _pick(others, uniform[:, 1]), chosen)


def parameters_of(sampling: Any) -> RepetitionAware | None:
    """Return the parameters of a model's sampling function; None for a function that is not upstream's."""
    function, given = (sampling.func, sampling.keywords) if isinstance(sampling, partial) else (sampling, {})
    if getattr(function, "__name__", "") != _NAME or set(given) - set(_DEFAULTS) or getattr(sampling, "args", ()):
        return None
    told = {**_DEFAULTS, **given}
    return RepetitionAware(float(told["top_p"]), int(told["top_k"]), int(told["win_size"]), float(told["tau_r"]))


class TokenDraws:
    """Gives the random numbers of one piece, two at a time, from its seed alone."""

    def __init__(self, *seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._waiting: npt.NDArray[np.float64] = np.zeros((0, 2))
        self._next = 0

    def two(self) -> npt.NDArray[np.float64]:
        """Return two numbers in 0..1."""
        if self._next == len(self._waiting):
            self._waiting, self._next = self._generator.random((_DRAWS_AT_ONCE, 2)), 0
        self._next += 1
        drawn: npt.NDArray[np.float64] = self._waiting[self._next - 1]
        return drawn


def _pick(weights: Any, uniform: Any) -> Any:
    """Return for each row the first index at which the weights [B, N] add up to more than `uniform` [B] of their sum.

    In double precision, since thousands of small weights are added up. An index of weight 0 is never returned.
    """
    import torch

    total = weights.double().cumsum(dim=-1)
    wanted = uniform.clamp(max=1 - 2.0**-53) * total[:, -1]
    index = torch.searchsorted(total, wanted[:, None], right=True)[:, 0]
    last = weights.shape[-1] - 1 - (weights.flip(-1) > 0).to(torch.uint8).argmax(dim=-1)
    return torch.minimum(index, last)
