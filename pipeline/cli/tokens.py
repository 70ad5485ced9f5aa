"""Implements the commands that make and list token sets of a corpus."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

from manifests.errors import RecipeError
from manifests.storage import open_place
from manifests.token_sets import TokenSet, load_token_set, token_set_names
from pipeline import recipe_file
from pipeline.cli.progress import Progress
from pipeline.engines.registry import Models, find_engine
from pipeline.job.runner.tasks import Runner
from pipeline.recipe import Pool
from pipeline.recipes.models import name_problems, parse_models
from pipeline.show.text import Fact, fact_lines
from pipeline.tokens.make import make_token_set
from pipeline.tokens.work import KIND, TokenOrder


def tokenize(
    directory: str,
    overrides: Sequence[str],
    engine: str,
    name: str | None,
    of: str,
    role: str,
    workers: int,
    gpus: float,
    runner: Runner,
) -> str:
    """Make the token set, and return what it holds."""
    models = models_of(overrides)
    find_engine(KIND, engine, models)  # an unknown name is told before anything is read
    pool = Pool(stages=(KIND,), workers=workers, gpus=gpus)
    order = TokenOrder(engine, models, cast(Any, of), cast(Any, role), pool)
    with Progress(outcome=lambda done: "") as progress:
        made = make_token_set(open_place(directory), name or engine, order, runner, progress)
    return _text(made)


def models_of(overrides: Sequence[str]) -> Models:
    """Return the models that `models.NAME.KEY=VALUE` describe. Raises RecipeError for anything else."""
    data: dict[str, Any] = {"models": {}}
    for override in overrides:
        if not override.strip().startswith("models."):
            raise RecipeError(f"--set {recipe_file.short(override)}: here it describes models, models.NAME.KEY=VALUE")
        recipe_file.apply_override(data, override)
    problems: list[str] = []
    models = parse_models(data["models"], problems)
    if problems := [*problems, *name_problems(models)]:
        raise RecipeError("; ".join(problems))
    return models


def list_sets(directory: str, as_json: bool) -> str:
    """Return the token sets of a corpus with what they hold."""
    place = open_place(directory)
    found = [load_token_set(place, name) for name in token_set_names(place)]
    if as_json:
        return json.dumps({each.name: asdict(each) for each in found}, ensure_ascii=False, indent=2)
    return "\n\n".join(map(_text, found)) or "no token sets: see `parley corpus tokenize --help`"


def _text(token_set: TokenSet) -> str:
    without = [(count, problem) for problem, count in token_set.without.items()]
    rate = token_set.sample_rate / token_set.hop_length
    facts = [
        Fact("token set", token_set.name),
        Fact("tokenizer", f"{token_set.tokenizer}, {token_set.revision}"),
        Fact("license", token_set.license or "unknown"),
        Fact(
            "codes", f"{token_set.codebook_size:,} in a book, {rate:g} frames a second at {token_set.sample_rate} Hz"
        ),
        Fact("of", f"{token_set.about.get('of')}, role {token_set.about.get('role')}"),
        Fact("clips", f"{token_set.clips:,}, {token_set.frames:,} frames"),
        Fact("without tokens", f"{sum(token_set.without.values()):,}", without),
    ]
    return "\n".join(fact_lines(facts))
