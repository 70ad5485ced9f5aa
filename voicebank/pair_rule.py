"""The pair rule: whether clips that may be one person's are, told from the similarity of every pair of them.

Ke-SpeechChat takes n clips of one long recording for one person where at least floor(n/2) of their n(n-1)/2 pairs have
a similarity above 0.97. That is a weak test by design, and weaker the larger n is: clips of two people, half each,
still have almost half of all pairs within one of them. A share of all pairs ("0.6*pairs") does not weaken with n.
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
    return n * (n - 1) // 2


def similar_pairs(xvectors: Vectors, threshold: float) -> int:
    """How many of all pairs of the rows of [n, D], each of length 1, have a cosine above the threshold.

    Memory does not grow with the square of n. Computed in float64, so that the count does not hang on rounding.
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
    """Why `min_pairs` cannot read the rule; None: it can."""
    share = _SHARE.fullmatch(rule)
    if share and Fraction(share[1]) > 1:
        return "a share of the pairs is at most 1"
    if rule == HALF or share or (rule.isascii() and rule.isdigit()):
        return None
    return f'a rule is "{HALF}", a number of pairs, or a share of all of them such as "0.6*pairs"'


def min_pairs(rule: str, n: int) -> int:
    """How many of the pairs among n clips must be similar, by a rule as `rule_problem` describes it.

    A share is rounded up. ValueError for anything else.
    """
    if problem := rule_problem(rule):
        raise ValueError(problem)
    if rule == HALF:
        return n // 2
    if share := _SHARE.fullmatch(rule):
        return ceil(Fraction(share[1]) * all_pairs(n))
    return int(rule)


def is_one_person(similar: int, n: int, rule: str) -> bool:
    """Whether n clips of which `similar` pairs are alike are taken for one person. One clip proves nothing."""
    return n > 1 and similar >= min_pairs(rule, n)
