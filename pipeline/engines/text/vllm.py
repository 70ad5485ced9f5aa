"""vLLM in the worker's own process: its settings, and how it opens. The rest is in `pipeline.engines.text._chat`."""

from typing import Literal

from pydantic import Field

from manifests.storage import Place
from pipeline.engines.contract import Engine, TextGenerator
from pipeline.engines.text._settings import ChatSettings
from pipeline.settings import Section


class VllmServing(Section):
    tensor_parallel: int = Field(1, gt=0, description="GPUs that the model is spread over; its pool must claim them")
    gpu_memory: float = Field(0.9, gt=0, le=1, description="share of each GPU's memory")
    max_num_seqs: int = Field(256, gt=0, description="most sequences in one batch")
    enforce_eager: bool = Field(False, description="no CUDA graphs: quicker start, slower work")
    load_format: str = Field("auto", description="as vLLM's; `dummy` makes random weights")


class VllmModel(ChatSettings):
    """vLLM in the worker's own process."""

    engine: Literal["vllm"]
    dtype: str = Field("auto", description="of the weights, as vLLM's")
    quantization: str | None = Field(None, description="as vLLM's")
    max_model_len: int | None = Field(None, gt=0, description="longest prompt and answer together, tokens")
    serving: VllmServing = Field(VllmServing(), description="where it runs")


def version(model: VllmModel | None = None) -> str:
    """Version of vLLM, after the model's name and revision where one is given. Raises EngineUnavailable."""
    from pipeline.engines.text._chat import vllm_model

    return vllm_model.version(model)


def open_generator(model: VllmModel, answers: Place | None = None) -> TextGenerator:
    """The model, loaded. Answers are stored at `answers`. Raises EngineUnavailable where it cannot load."""
    from pipeline.engines.text._chat import vllm_model

    return vllm_model.open_generator(model, answers)


ENGINE = Engine(
    "text",
    "vllm",
    "vLLM in the worker's own process",
    open=open_generator,
    version=version,
    settings=VllmModel,
    stores_answers=True,
)
