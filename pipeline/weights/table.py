"""The table of models: `models.yaml` beside this file, and the user's own file of the same form."""

import hashlib
import os
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from manifests.errors import RecipeError
from pipeline import recipe_file
from pipeline.settings import Section
from pipeline.yaml_text import load_yaml

OWN_TABLE = "PARLEY_MODELS"
"""Environment variable that names the user's own table; without it, `parley/models.yaml` of the user's configuration
directory."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")


def _as_parts(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        raise ValueError(f"{path!r} is not a path inside the model's directory")
    return path


Parts = Annotated[tuple[str, ...], BeforeValidator(_as_parts)]
"""Locators (see `pipeline.weights.origins`) of the parts of a file, in order; a single one needs no list."""


class ModelFile(Section):
    """One file. `from` lists places that hold it, the best first; without it, the model's places do."""

    size: int = Field(gt=0, description="bytes")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the whole file")
    places: tuple[Parts, ...] = Field((), alias="from", description="locators, or lists of locators of its parts")


class ModelEntry(Section):
    """What is known of a model. A file without places of its own lies at PLACE/PATH of the model's places."""

    about: str = Field(description="one line for people")
    license: str = Field(description="SPDX name of the license of the weights")
    origin: str = Field(description="whose model it is, and which release")
    revision: str = Field(description="which version of the release the files are")
    places: tuple[str, ...] = Field((), alias="from", description="locators of directories that hold the files")
    files: dict[Annotated[str, AfterValidator(_inside)], ModelFile] = Field(min_length=1, description="by path")

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(file.size for file in self.files.values())

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the files' paths and hashes: another content is another model."""
        lines = "".join(f"{path} {file.sha256}\n" for path, file in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def places_of(self, path: str) -> tuple[tuple[str, ...], ...]:
        """Return the places of a file, the best first, each as the locators of its parts."""
        return self.files[path].places or tuple((f"{place.rstrip('/')}/{path}",) for place in self.places)


def load_table(own: Path | None = None) -> dict[str, ModelEntry]:
    """Return all models by name: those of the user's own table hide Parley's of the same name.

    Raises RecipeError, with every problem in one message.
    """
    shipped = resources.files(__package__).joinpath("models.yaml").read_text(encoding="utf-8")
    table = parse_table(shipped, "models.yaml")
    path = own or own_table()
    if path is not None:
        try:
            table |= parse_table(path.read_text(encoding="utf-8"), path.name)
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"the table of models {path.name} cannot be read: {error}") from None
    return table


def own_table() -> Path | None:
    """Return the user's own table; None where there is none. A table that the environment names must exist."""
    if named := os.environ.get(OWN_TABLE):
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    found = home / "parley" / "models.yaml"
    return found if found.is_file() else None


def parse_table(text: str, name: str) -> dict[str, ModelEntry]:
    """Parse the text of a table. Raises RecipeError, with every problem in one message."""
    try:
        data: Any = load_yaml(text) or {}
    except ValueError as error:
        raise RecipeError(f"{name}: not valid YAML: {error}") from None
    if not isinstance(data, Mapping):
        raise RecipeError(f"{name}: a table of models is a mapping of names to entries")
    problems: list[str] = []
    table = {}
    for model, entry in data.items():
        if not _NAME.fullmatch(str(model)):
            problems.append(f"{model}: a model's name has lower-case letters, digits, dots and hyphens")
        elif (parsed := recipe_file.collect(ModelEntry, entry, str(model), problems)) is not None:
            problems += _placeless(str(model), parsed)
            table[str(model)] = parsed
    if problems:
        raise RecipeError(f"{name}: {'; '.join(problems)}")
    return table


def _placeless(name: str, entry: ModelEntry) -> list[str]:
    lost = [path for path in entry.files if not entry.places_of(path)]
    return [f"{name}: no place is given for {', '.join(lost)}"] if lost else []
