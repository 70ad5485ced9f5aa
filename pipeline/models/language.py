"""Language models: behind a server, or in the worker's own process."""

from typing import Any, Literal

from pydantic import Field

from pipeline.models.base import Checkpoint, Section, Server


class Price(Section):
    """For the cost in the log; whatever currency the numbers are in."""

    prompt: float = Field(0, ge=0, description="of a million prompt tokens")
    cached: float | None = Field(None, ge=0, description="of a million cached prompt tokens; none: as other ones")
    completion: float = Field(0, ge=0, description="of a million completion tokens")


class OpenAIServing(Server):
    price: Price = Field(Price(), description="for the cost in the log")


class VllmServing(Section):
    tensor_parallel: int = Field(1, gt=0, description="GPUs that the model is spread over; its pool must claim them")
    gpu_memory: float = Field(0.9, gt=0, le=1, description="share of each GPU's memory")
    max_num_seqs: int = Field(256, gt=0, description="most sequences in one batch")
    enforce_eager: bool = Field(False, description="no CUDA graphs: quicker start, slower work")
    load_format: str = Field("auto", description="as vLLM's; `dummy` makes random weights")


class ChatSettings(Checkpoint):
    """What all language models have in common."""

    temperature: float = Field(0.7, ge=0, le=2, description="of the sampling")
    top_p: float = Field(1.0, gt=0, le=1, description="of the sampling")
    max_tokens: int = Field(512, gt=0, description="longest answer")
    guided: Literal["on_failure", "always", "never"] = Field(
        "on_failure", description="when answers are held to their JSON schema while they are written"
    )
    template_options: dict[str, Any] = Field({}, description="for the chat template, such as {enable_thinking: false}")


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
