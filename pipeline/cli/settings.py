"""The settings of an engine, as a model of a recipe gives them: one row for each key."""

import json
from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel

from pipeline.models import Model

REQUIRED = "(must be given)"


def settings_of(engine: str) -> type[BaseModel] | None:
    """Return the settings of the engine, or None for an engine that takes none."""
    kinds: tuple[type[BaseModel], ...] = get_args(get_args(Model)[0])
    return next((kind for kind in kinds if engine in get_args(kind.model_fields["engine"].annotation)), None)


def setting_rows(settings: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the dotted key, the default as JSON and the meaning of each setting; sections are entered."""
    for name, field in settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from setting_rows(section, f"{path}{name}.")
        elif path or name != "engine":
            default = REQUIRED if field.is_required() else json.dumps(field.get_default(), ensure_ascii=False)
            yield f"{path}{name}", default, field.description or ""
