"""Any server of the OpenAI chat kind: its settings, and how it opens. The rest is in `pipeline.engines.text._chat`."""

from typing import Any, Literal

from pydantic import Field

from manifests.storage import Place
from pipeline.engines.contract import Engine, TextGenerator
from pipeline.engines.text._settings import ChatSettings
from pipeline.settings import Section, Server


class Price(Section):
    """For the cost in the log; whatever currency the numbers are in."""

    prompt: float = Field(0, ge=0, description="of a million prompt tokens")
    cached: float | None = Field(None, ge=0, description="of a million cached prompt tokens; none: as other ones")
    completion: float = Field(0, ge=0, description="of a million completion tokens")


class OpenAIServing(Server):
    price: Price = Field(Price(), description="for the cost in the log")


class OpenAIModel(ChatSettings):
    """Any server of the OpenAI chat kind."""

    engine: Literal["openai"]
    extra_body: dict[str, Any] = Field({}, description="further fields of every request, for this server")
    serving: OpenAIServing = Field(OpenAIServing(), description="where it runs")


def version(model: OpenAIModel | None = None) -> str:
    """Version of the client library, after the model's name and revision where one is given."""
    from pipeline.engines.text._chat import openai_model

    return openai_model.version(model)


def open_generator(model: OpenAIModel, answers: Place | None = None) -> TextGenerator:
    """The server, ready to be asked. Answers are stored at `answers`. Raises EngineUnavailable."""
    from pipeline.engines.text._chat import openai_model

    return openai_model.open_generator(model, answers)


ENGINE = Engine(
    "text",
    "openai",
    "any server of the OpenAI chat kind",
    open=open_generator,
    version=version,
    settings=OpenAIModel,
    stores_answers=True,
)
