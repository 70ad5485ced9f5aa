"""How a bank of virtual voices is to be blended, and the rule that follows for its speakers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from manifests.errors import UserError
from voicebank.balance import Balance
from voicebank.random_draws import check_weights
from voicebank.selection import Rule

LEAK_QUANTILE = "q05"
"""Of the real speakers' half similarities: the default leak limit. A voice above it is as near to a person as a mean
of that person's own clips is to another such mean, for all but the loosest twentieth of the bank's speakers."""


@dataclass(frozen=True)
class BlendOptions:
    """How many users to make, and how. A leak limit of None is measured on the bank's own speakers
    (`LEAK_QUANTILE`), a twin limit of None is the leak limit.

    `languages` gives shares of languages; None: as the speakers have them. `agents` voices, 2 or 0, come on top.
    """

    count: int
    seed: int = 0
    parents: int = 2
    weights: tuple[float, float] = (0.3, 0.7)
    engine: str = "cosyvoice"
    leak_limit: float | None = None
    twin_limit: float | None = None
    agents: int = 2
    languages: Mapping[str, float] | None = None
    balance: Balance = "gender"
    patience: int = 20_000


def rule_of(card: Mapping[str, Any], options: BlendOptions) -> Rule:
    """Return the rule for the speakers of a bank with that card.

    Raises UserError for weights, limits or counts that are out of range, and for a leak limit that nobody gave.
    """
    check_weights(*options.weights, options.parents)
    if options.count < 1:
        raise UserError("--count: at least one voice")
    measured = (card.get("half_similarity") or {}).get(LEAK_QUANTILE)
    leak = options.leak_limit if options.leak_limit is not None else measured
    if leak is None:
        raise UserError(f"the bank's card has no half_similarity.{LEAK_QUANTILE}: give --leak-limit")
    twin = options.twin_limit if options.twin_limit is not None else leak
    for name, limit in (("leak", leak), ("twin", twin)):
        if not 0 < limit <= 1:
            raise UserError(f"--{name}-limit {limit:g}: a cosine similarity above 0 and up to 1")
    return Rule(options.seed, options.parents, options.weights, float(leak), float(twin), options.patience)
