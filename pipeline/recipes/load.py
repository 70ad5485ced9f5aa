"""Loads recipes by name or file, with overrides, and checks that stages, models and pools fit together.

Unknown keys and wrong values are refused, all in one message.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from manifests.errors import RecipeError
from pipeline import recipe_file
from pipeline.recipe import Recipe
from pipeline.recipes.models import name_problems, parse_models
from pipeline.recipes.pools import pool_problems
from pipeline.settings import Section, nearest
from pipeline.stages._order import order_problems
from pipeline.stages.registry import STAGES, find_stage

_PACKAGE = "pipeline.recipes"


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that Parley ships, sorted."""
    return recipe_file.shipped(_PACKAGE)


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Load the recipe of that name or file, with `key.path=value` overrides (values are YAML).

    Raises RecipeError, with every problem in one message.
    """
    data = recipe_file.read(name, _PACKAGE, "recipe")
    data["stages"] = stage_sections(data.get("stages"))
    problems = []
    for override in overrides:
        try:
            override_recipe(data, override)
        except RecipeError as error:
            problems.append(str(error))
    return parse_recipe(data, name, problems)


def parse_recipe(data: Mapping[str, Any], name: str = "recipe", problems: Sequence[str] = ()) -> Recipe:
    """Parse a recipe's content (from a file, or from `Recipe.content`).

    Raises RecipeError, with every problem in one message, including the earlier `problems`.
    """
    problems = list(problems)
    values = {key: value for key, value in data.items() if key != "order"}
    values["models"] = parse_models(data.get("models") or {}, problems)
    sections = stage_sections(data.get("stages"))
    order = data.get("order", list(sections))
    if not isinstance(order, list) or not all(isinstance(stage, str) for stage in order):
        raise RecipeError(f"{Path(name).name}: order: a list of the names of stages")
    ordered = {stage: sections[stage] for stage in order if stage in sections}
    values["stages"] = _parsed_stages(ordered | sections, problems)
    recipe = recipe_file.parse(Recipe, values, name, problems)
    if problems := _misfits(recipe):
        raise RecipeError(f"{Path(name).name}: {'; '.join(problems)}")
    return recipe


def _misfits(recipe: Recipe) -> list[str]:
    """Return what does not fit together in a recipe whose single values are valid."""
    problems = name_problems(recipe.models)
    declared = [find_stage(name) for name in recipe.stages]
    problems += [f"stages: {problem}" for problem in order_problems(declared)]
    for stage in declared:
        try:
            stage.check(recipe)
        except ValueError as error:
            problems.append(str(error))
    return problems + pool_problems(recipe)


def stage_sections(stages: object) -> dict[str, Any]:
    """Return the sections by the stage's name, in order; `stages` is as in a file: names, or names with settings."""
    if isinstance(stages, Mapping):
        return dict(stages)
    sections: dict[str, Any] = {}
    for entry in stages if isinstance(stages, list) else []:
        pairs = [(entry, {})] if isinstance(entry, str) else list(entry.items()) if isinstance(entry, dict) else []
        if len(pairs) != 1:
            raise RecipeError(f"stages: write each as a name, or as `- name: {{settings}}`, not {str(entry)[:60]}")
        name, settings = pairs[0]
        if name in sections:
            raise RecipeError(f"stages: {name} is listed twice")
        sections[name] = settings if settings is not None else {}
    return sections


def override_recipe(data: dict[str, Any], override: str) -> None:
    """Apply one `key.path=value` to a recipe's content, whose stages are sections by name.

    The name of a stage stands for its section: `gate.wer_limit=0.05`. This also switches on a stage that the
    recipe does not list, at the position that it declares; `NAME=null` switches a stage off. Raises RecipeError.
    """
    key = override.partition("=")[0].strip().partition(".")[0]
    sections = data["stages"] = stage_sections(data.get("stages"))
    names = list(sections)
    if key in Recipe.model_fields or "=" not in override:
        recipe_file.apply_override(data, override)
        return
    if key not in names and key not in STAGES.names():
        near = nearest(key, (*Recipe.model_fields, *names, *STAGES.names()))
        raise RecipeError(f"--set {recipe_file.short(override)}: a recipe has no key {recipe_file.short(key)!r}{near}")
    recipe_file.apply_override(data, f"stages.{override.strip()}", shown=override)
    if sections[key] is None:
        del sections[key]
    elif key not in names:
        data["stages"] = {name: sections[name] for name in _with_stage(names, key)}


def _with_stage(names: Sequence[str], new: str) -> list[str]:
    """Return the names with a new stage at the position that it declares."""
    stage = find_stage(new)
    behind = [i for i, name in enumerate(names) if name in stage.after]
    if behind:
        place = behind[-1] + 1
    elif stage.treats_takes:
        place = max(len(names) - 1, 0)
    else:
        place = next((i for i, name in enumerate(names) if find_stage(name).treats_takes), len(names))
    return [*names[:place], new, *names[place:]]


def _parsed_stages(sections: Mapping[str, Any], problems: list[str]) -> dict[str, Section]:
    parsed = {}
    for name, data in sections.items():
        try:
            stage = find_stage(name)
        except RecipeError as error:
            problems.append(f"stages: {error}")
            continue
        if (settings := recipe_file.collect(stage.settings, data or {}, name, problems)) is not None:
            parsed[name] = settings
    if not sections:
        problems.append("stages: list at least one")
    return parsed
