"""Accounts for a block's cost: seconds per stage, tokens per language model. Stored beside the rows, not in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from manifests.storage import Place
from pipeline.engines.contract import NO_TOKENS, Tokens
from pipeline.engines.registry import Models
from pipeline.engines.text.openai import OpenAIModel, Price
from pipeline.job.commits import read_reports
from pipeline.settings import Section

_MILLION = 1_000_000


@dataclass(frozen=True)
class Effort:
    """Holds the cost of work: `seconds` of workers by stage, `tokens` by the model's name in the recipe."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, Tokens] = field(default_factory=dict)

    def __add__(self, other: "Effort") -> "Effort":
        seconds = dict(self.seconds)
        for stage, spent in other.seconds.items():
            seconds[stage] = seconds.get(stage, 0.0) + spent
        return Effort(seconds, add_tokens((self.tokens, other.tokens)))


def add_tokens(several: Iterable[Mapping[str, Tokens]]) -> dict[str, Tokens]:
    total: dict[str, Tokens] = {}
    for tokens in several:
        for name, spent in tokens.items():
            total[name] = total.get(name, NO_TOKENS) + spent
    return total


def tokens_of_commits(directories: Iterable[Place]) -> dict[str, Tokens]:
    """Add up the tokens of all finished blocks in the directories of a job's passes."""
    reports = (report for directory in directories for report in read_reports(directory))
    return add_tokens(
        {name: Tokens(**tokens) for name, tokens in report.get("tokens", {}).items()} for report in reports
    )


def cost(tokens: Tokens, price: Price) -> float:
    """Return the cost in the currency of the price."""
    cached_price = price.prompt if price.cached is None else price.cached
    prompt = (tokens.prompt - tokens.cached) * price.prompt + tokens.cached * cached_price
    return (prompt + tokens.completion * price.completion) / _MILLION


def describe(tokens: Mapping[str, Tokens], models: Models) -> list[str]:
    """Return a line for each model: requests, tokens, and the cost if the recipe gives a price."""
    return [_line(name, spent, models.get(name)) for name, spent in sorted(tokens.items())]


def _line(name: str, spent: Tokens, model: Section | None) -> str:
    reused = f", {_counted(spent.reused, 'answer')} reused" if spent.reused else ""
    cached = f" ({spent.cached} cached)" if spent.cached else ""
    price = model.serving.price if isinstance(model, OpenAIModel) else Price()
    money = f", cost {cost(spent, price):.2f}" if price != Price() else ""
    counts = f"{_counted(spent.requests, 'request')}, {spent.prompt}{cached} + {spent.completion} tokens"
    return f"{name}: {counts}{reused}{money}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
