"""The language models that a recipe names: what they are, and where they run.

A stage's `engine` may be the name of a model, so that each step can have its own. What is under `serving` says where
the model runs and how hard it is driven; it does not change the corpus and stands in no manifest.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer


class Section(BaseModel):
    """Base of all parts of a recipe: immutable, unknown keys forbidden."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(Section):
    """For the cost in the log; whatever currency the numbers are in."""

    prompt: float = Field(0, ge=0, description="of a million prompt tokens")
    cached: float | None = Field(None, ge=0, description="of a million cached prompt tokens; none: as other ones")
    completion: float = Field(0, ge=0, description="of a million completion tokens")


class OpenAIServing(Section):
    base_url: str | None = Field(None, description="none: OPENAI_BASE_URL, else OpenAI's own")
    api_key_env: str = Field("OPENAI_API_KEY", description="the environment variable that holds the key")
    concurrency: int = Field(64, gt=0, description="most requests in flight from one worker; adapts below this")
    timeout_s: float = Field(120, gt=0, description="for one request")
    attempts: int = Field(6, gt=0, description="of one request, where the server is busy or the line breaks")
    patience_s: float = Field(300, gt=0, description="so long without any answer, and the server counts as dead")
    price: Price = Field(Price(), description="for the cost in the log")


class VllmServing(Section):
    tensor_parallel: int = Field(1, gt=0, description="GPUs that the model is spread over; its pool must claim them")
    gpu_memory: float = Field(0.9, gt=0, le=1, description="share of each GPU's memory")
    max_num_seqs: int = Field(256, gt=0, description="most sequences in one batch")
    enforce_eager: bool = Field(False, description="no CUDA graphs: quicker start, slower work")
    load_format: str = Field("auto", description="as vLLM's; `dummy` makes random weights")


class ChatSettings(Section):
    """What all language models have in common."""

    model: str = Field(description="name that the server knows, hub id, or directory of a checkpoint")
    revision: str | None = Field(None, description="of the checkpoint; goes into every row's provenance")
    temperature: float = Field(0.7, ge=0, le=2, description="of the sampling")
    top_p: float = Field(1.0, gt=0, le=1, description="of the sampling")
    max_tokens: int = Field(512, gt=0, description="longest answer")
    guided: Literal["on_failure", "always", "never"] = Field(
        "on_failure", description="when answers are held to their JSON schema while they are written"
    )
    template_options: dict[str, Any] = Field({}, description="for the chat template, such as {enable_thinking: false}")

    @field_serializer("model")
    def _no_private_path(self, model: str) -> str:
        """Recipes stand in manifests: of a local directory only the last name does."""
        return Path(model).name if Path(model).is_absolute() or model.startswith((".", "~")) else model


class OpenAIModel(ChatSettings):
    """Any server of the OpenAI chat kind."""

    engine: Literal["openai"]
    extra_body: dict[str, Any] = Field({}, description="further fields of every request, for this server")
    serving: OpenAIServing = Field(OpenAIServing(), description="where it runs")


class VllmModel(ChatSettings):
    """vLLM in the worker's own process."""

    engine: Literal["vllm"]
    dtype: str = Field("auto", description="of the weights, as vLLM's")
    quantization: str | None = Field(None, description="as vLLM's")
    max_model_len: int | None = Field(None, gt=0, description="longest prompt and answer together, tokens")
    serving: VllmServing = Field(VllmServing(), description="where it runs")


Model = Annotated[OpenAIModel | VllmModel, Field(discriminator="engine")]
"""A language model of a recipe; `engine` says which."""
