"""Reads recipe files: YAML from a package or from the user, with overrides, validated by a pydantic model.

It reads both kinds of recipe, for corpora and for voice banks.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from manifests.errors import RecipeError
from pipeline.settings import nearest, sections_in
from pipeline.yaml_text import load_yaml

Model = TypeVar("Model", bound=BaseModel)

_DATA = {".jsonl", ".ndjson", ".parquet", ".gz", ".zst"}
"""Endings of input files, which a shell may put where the recipe is to stand."""
_SEVERAL = (dict, list, tuple, Mapping, Sequence)
"""Kinds of values whose parts have a name or a number in the path of a key."""
_SHOWN = 200
"""Characters of what the user wrote that a message repeats."""


def shipped(package: str) -> list[str]:
    """Return the names of the recipes in the package, sorted."""
    files = resources.files(package).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def text_of(name: str, package: str, what: str) -> str:
    """Read the text of the recipe of that name or file; raises RecipeError."""
    if name in shipped(package):
        return resources.files(package).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    data = Path(name).suffix.lower() in _DATA
    try:
        if not data and Path(name).is_file():
            return Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a name with NUL
        raise RecipeError(f"{short(Path(name).name)}: cannot be read as a text file: {error}") from None
    if data:
        raise RecipeError(
            f"{short(name)} is an input, not a {what}: put the {what} before --input, or the pattern in quotes"
        )
    names = shipped(package)
    raise RecipeError(f"no {what} {short(name)!r}{nearest(name, names)}; a YAML file, or one of: {', '.join(names)}")


def read(name: str, package: str, what: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read the content of the recipe of that name or file, with `key.path=value` overrides (values are YAML).

    `what` is the word for this kind of recipe in messages. Raises RecipeError.
    """
    try:
        data = load_yaml(text_of(name, package, what))
    except ValueError as error:
        raise RecipeError(f"{Path(name).name}: not valid YAML: {error}") from None
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
            problems.append(f"{keys}: {_message(model, problem)}")
        return None


def _message(model: type[BaseModel], problem: Mapping[str, Any]) -> str:
    if problem["type"] != "extra_forbidden":
        return str(problem["msg"])
    *sections, key = map(str, problem["loc"])
    return f"there is no such key{nearest(key, _keys_of(model, sections))}"


def _keys_of(model: type[BaseModel], sections: Sequence[str]) -> list[str]:
    """Return the keys of the section of `model` that lies at this path; none where the path leads through a value."""
    found: Any = model
    path = iter(sections)
    for name in path:
        field = found.model_fields.get(name)
        found = next(sections_in(field.annotation), None) if field else None
        if field is None or found is None:
            return []
        if get_origin(field.annotation) in _SEVERAL:
            next(path, None)  # the name of a pool, the number of a rung
    return list(found.model_fields)


def apply_override(data: dict[str, Any], override: str, shown: str | None = None) -> None:
    """Set the value that `key.path=value` names (the value is YAML); raises RecipeError for any other text.

    `shown` is what the user wrote, if that is a different text.
    """
    path, equals, text = override.partition("=")
    shown = shown or override
    if not equals:
        raise RecipeError(f"--set {short(shown)}: write it as key.path=value")
    *parents, key = path.strip().split(".")
    section: Any = data
    for parent in parents:
        section = section.setdefault(parent, {})
        if not isinstance(section, dict):
            raise RecipeError(f"--set {short(shown)}: {parent} is not a section")
    try:
        section[key] = load_yaml(text)
    except ValueError as error:
        raise RecipeError(f"--set {short(shown)}: the value is not valid YAML: {error}") from None


def short(text: str) -> str:
    """Shorten what the user wrote, for a message."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
