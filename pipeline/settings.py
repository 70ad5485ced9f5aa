"""Defines what the sections of a recipe and the settings of its models share."""

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_serializer, field_validator

from manifests.credentials import without_secrets

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_LONGEST_NAME = 100
"""Characters of a mistyped name that are compared: the comparison takes quadratic time."""


class Section(BaseModel):
    """Base class of all parts of a recipe: immutable, unknown keys forbidden."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the classes of settings in the annotation of a field."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from sections_in(argument)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the words that offer the nearest of the names to one who mistyped it; "" if none is near."""
    close = difflib.get_close_matches(name[:_LONGEST_NAME], list(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_mapping(value: object) -> object:
    return {"*": value} if isinstance(value, str) else value


EngineList = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""Names of engines or models; a single one needs no list."""
EngineByLanguage = Annotated[dict[str, str], BeforeValidator(_as_mapping)]
"""Names of engines or models by language ("*": all others); a single one needs no mapping."""


def public_name(model: str) -> str:
    """Return the model's name for manifests and messages: only the last part of a local path."""
    return Path(model).name if Path(model).is_absolute() or model.startswith((".", "~")) else model


class Checkpoint(Section):
    """Names a model: by its name on a server, a hub id, or a local directory or file."""

    model: str = Field(description="model name on the server, hub id, or local checkpoint")
    revision: str | None = Field(None, description="revision of the checkpoint; recorded in every row's provenance")

    @field_serializer("model")
    def _no_private_path(self, model: str) -> str:
        """Shorten a private path: the recipe is copied into manifests."""
        return public_name(model)

    @property
    def label(self) -> str:
        """Return name and revision, as in every row's provenance."""
        return f"{public_name(self.model)}@{self.revision or 'unpinned'}"


class Server(Section):
    """Says where an OpenAI-compatible server is, and how much load to put on it."""

    base_url: str | None = Field(
        None, description="address of the server; none: OPENAI_BASE_URL, or else OpenAI's own"
    )
    api_key_env: str = Field("OPENAI_API_KEY", description="environment variable that holds the key")
    concurrency: int = Field(
        64, gt=0, le=100_000, description="most requests in flight from one worker; adapts below this number"
    )
    timeout_s: float = Field(120, gt=0, le=86_400, description="time limit of one request, in seconds")
    attempts: int = Field(
        6, gt=0, le=1000, description="most attempts at one request, if the server is busy or the connection breaks"
    )
    patience_s: float = Field(
        300, gt=0, le=604_800, description="seconds without any answer after which the server counts as dead"
    )
    gpus: float = Field(
        0, ge=0, le=100_000, description="GPUs that the server runs on, for the account of GPU hours; 0: none of ours"
    )

    @field_validator("api_key_env")
    @classmethod
    def _is_name(cls, value: str) -> str:
        """Refuse a key in the place of the variable's name, without showing it."""
        if not _VARIABLE.fullmatch(value) or without_secrets(value) != value:
            raise ValueError("write the name of an environment variable here, not the key itself")
        return value


class SpeechServer(Server):
    """A server that is asked, before a job's first row, whether it obeys what it is sent."""

    check: bool = Field(
        True, description="before the first row, see by a few clips whether the server obeys voice, seed, speed, ..."
    )


class Local(Section):
    """Says where a model in the worker's own process runs."""

    device: str = Field("auto", description="PyTorch device (cuda, cuda:1, cpu); auto: a GPU if there is one")
    batch_s: float = Field(240, gt=0, description="most audio in one batch, in seconds, padding included")
