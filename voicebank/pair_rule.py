"""The pair rule: decides from the similarity of every pair of clips whether they are all one person's.

Ke-SpeechChat takes n clips of one long recording for one person's where at least floor(n/2) of their n(n-1)/2 pairs
have a similarity above 0.97. That is a weak test by design, and weaker the larger n is: of clips of two people, half
each, almost half of all pairs are still within one person's. A share of all pairs ("0.6*pairs") does not weaken as n
grows.
"""

import re
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.floating[Any]]

HALF = "floor(n/2)"
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\*pairs")

# A block of similarities is 2048 x 2048 float64: 32 MB.
_BLOCK = 2048


def all_pairs(n: int) -> int:
    """Return the number of pairs among n clips."""
    return n * (n - 1) // 2


def similar_pairs(xvectors: Vectors, threshold: float) -> int:
    """Count the pairs of rows of [n, D], each of length 1, whose cosine is above the threshold.

    Memory does not grow with the square of n. Computed in float64, so that the count does not depend on rounding.
    """
    vectors = np.asarray(xvectors, np.float64)
    count = 0
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        count += int(np.count_nonzero(np.triu(block @ block.T > threshold, k=1)))
        for later in range(start + _BLOCK, len(vectors), _BLOCK):
            count += int(np.count_nonzero(block @ vectors[later : later + _BLOCK].T > threshold))
    return count


def rule_problem(rule: str) -> str | None:
    """Say why `min_pairs` cannot read a rule; None where it can."""
    share = _SHARE.fullmatch(rule)
    if share and Fraction(share[1]) > 1:
        return "a share of the pairs is at most 1"
    if rule == HALF or share or (rule.isascii() and rule.isdigit()):
        return None
    return f'a rule is "{HALF}", a number of pairs, or a share of all of them such as "0.6*pairs"'


def min_pairs(rule: str, n: int) -> int:
    """Return the number of pairs among n clips that must be similar, by a rule of the forms that `rule_problem`
    describes.

    A share is rounded up. ValueError for any other text.
    """
    if problem := rule_problem(rule):
        raise ValueError(problem)
    if rule == HALF:
        return n // 2
    if share := _SHARE.fullmatch(rule):
        return ceil(Fraction(share[1]) * all_pairs(n))
    return int(rule)


def is_one_person(similar: int, n: int, rule: str) -> bool:
    """Whether n clips with `similar` similar pairs are taken for one person's. A single clip proves nothing."""
    return n > 1 and similar >= min_pairs(rule, n)
