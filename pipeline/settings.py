"""What the sections of a recipe and the settings of its models have in common."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_serializer


class Section(BaseModel):
    """Base of all parts of a recipe: immutable, unknown keys forbidden."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_mapping(value: object) -> object:
    return {"*": value} if isinstance(value, str) else value


EngineList = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""Names of engines or models; one may stand without a list."""
EngineByLanguage = Annotated[dict[str, str], BeforeValidator(_as_mapping)]
"""Names of engines or models by language ("*": any other); one may stand without a mapping."""


def public_name(model: str) -> str:
    """The model's name as it may stand in manifests and messages: of a local path only the last part."""
    return Path(model).name if Path(model).is_absolute() or model.startswith((".", "~")) else model


class Checkpoint(Section):
    """A model that is named: a server's name for it, a hub id, or a local directory or file."""

    model: str = Field(description="name that the server knows, hub id, or local checkpoint")
    revision: str | None = Field(None, description="of the checkpoint; goes into every row's provenance")

    @field_serializer("model")
    def _no_private_path(self, model: str) -> str:
        """Recipes stand in manifests."""
        return public_name(model)

    @property
    def label(self) -> str:
        """Name and revision, as they stand in every row's provenance."""
        return f"{public_name(self.model)}@{self.revision or 'unpinned'}"


class Server(Section):
    """Where a server of the OpenAI kind is, and how hard it is driven."""

    base_url: str | None = Field(None, description="none: OPENAI_BASE_URL, else OpenAI's own")
    api_key_env: str = Field("OPENAI_API_KEY", description="the environment variable that holds the key")
    concurrency: int = Field(64, gt=0, description="most requests in flight from one worker; adapts below this")
    timeout_s: float = Field(120, gt=0, description="for one request")
    attempts: int = Field(6, gt=0, description="of one request, where the server is busy or the line breaks")
    patience_s: float = Field(300, gt=0, description="so long without any answer, and the server counts as dead")


class Local(Section):
    """Where a model in the worker's own process runs."""

    device: str = Field("auto", description="as PyTorch's (cuda, cuda:1, cpu); auto: a GPU where there is one")
    batch_s: float = Field(240, gt=0, description="most audio in one batch, seconds, padding included")
