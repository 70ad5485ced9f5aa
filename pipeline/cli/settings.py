"""Lists the keys of settings with default and meaning, for the command and for the reference pages."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

REQUIRED = "required"


def setting_rows(settings: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield dotted key, default as JSON and meaning of each setting, including those in sections and lists."""
    for name, field in settings.model_fields.items():
        inner = list(_models_in(field.annotation))
        is_section = any(not mark for _, mark in inner)
        if (not is_section or field.default is None) and (path or name != "engine"):
            yield f"{path}{name}", _default(field), field.description or ""
        for model, mark in inner:
            yield from setting_rows(model, f"{path}{name}{mark}.")


def field_rows(settings: type) -> Iterator[tuple[str, str, str]]:
    """Yield name, default as JSON and meaning of each field of a dataclass whose fields all have a default."""
    for field in dataclasses.fields(settings):
        yield field.name, json.dumps(field.default, ensure_ascii=False), field.metadata.get("description", "")


def _models_in(annotation: Any, mark: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """Yield the settings classes in a value of the annotation, and the path step into them: "[]" for lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, mark
    into = "[]" if get_origin(annotation) in (tuple, list) else ".NAME" if get_origin(annotation) is dict else mark
    for argument in get_args(annotation):
        yield from _models_in(argument, into)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return REQUIRED
    value = field.get_default()
    return json.dumps(value.model_dump(mode="json") if isinstance(value, BaseModel) else value, ensure_ascii=False)
