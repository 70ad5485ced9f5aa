"""Reads recipe files: YAML from a package or from the user, with overrides, validated by a pydantic model.

It reads both kinds of recipe, for corpora and for voice banks.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from manifests.errors import RecipeError

Model = TypeVar("Model", bound=BaseModel)

_DATA = {".jsonl", ".ndjson", ".parquet", ".gz", ".zst"}
"""Endings of input files, which a shell may put where the recipe is to stand."""


def shipped(package: str) -> list[str]:
    """Return the names of the recipes in the package, sorted."""
    files = resources.files(package).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def text_of(name: str, package: str, what: str) -> str:
    """Read the text of the recipe of that name or file; raises RecipeError."""
    if name in shipped(package):
        return resources.files(package).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    if Path(name).is_file() and Path(name).suffix.lower() not in _DATA:
        try:
            return Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"{Path(name).name}: cannot be read as a text file: {error}") from None
    if Path(name).suffix.lower() in _DATA:
        raise RecipeError(f"{name} is an input, not a {what}: put the {what} before --input, or the pattern in quotes")
    raise RecipeError(f"no {what} {name!r}; a YAML file, or one of: {', '.join(shipped(package))}")


def read(name: str, package: str, what: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read the content of the recipe of that name or file, with `key.path=value` overrides (values are YAML).

    `what` is the word for this kind of recipe in messages. Raises RecipeError.
    """
    try:
        data = yaml.safe_load(text_of(name, package, what))
    except yaml.YAMLError as error:
        raise RecipeError(f"{Path(name).name}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise RecipeError(f"{Path(name).name}: a recipe is a mapping of sections")
    for override in overrides:
        apply_override(data, override)
    return data


def parse(model: type[Model], data: Mapping[str, Any], name: str, problems: Sequence[str] = ()) -> Model:
    """Parse a recipe; raises RecipeError, with every problem in one message, including the earlier `problems`."""
    found = list(problems)
    recipe = collect(model, data, "", found)
    if recipe is None or found:
        raise RecipeError(f"{Path(name).name}: {'; '.join(found)}")
    return recipe


def collect(model: type[Model], data: object, path: str, problems: list[str]) -> Model | None:
    """Validate the data as an object of the model; if it is wrong, add each problem to `problems` and return None."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for problem in error.errors():
            keys = ".".join(filter(None, (path, *map(str, problem["loc"])))) or "recipe"
            message = "there is no such key" if problem["type"] == "extra_forbidden" else problem["msg"]
            problems.append(f"{keys}: {message}")
        return None


def apply_override(data: dict[str, Any], override: str, shown: str | None = None) -> None:
    """Set the value that `key.path=value` names (the value is YAML); raises RecipeError for any other text.

    `shown` is what the user wrote, if that is a different text.
    """
    path, equals, text = override.partition("=")
    shown = shown or override
    if not equals:
        raise RecipeError(f"--set {shown}: write it as key.path=value")
    *parents, key = path.strip().split(".")
    section: Any = data
    for parent in parents:
        section = section.setdefault(parent, {})
        if not isinstance(section, dict):
            raise RecipeError(f"--set {shown}: {parent} is not a section")
    try:
        section[key] = yaml.safe_load(text)
    except yaml.YAMLError:
        raise RecipeError(f"--set {shown}: the value is not valid YAML") from None
