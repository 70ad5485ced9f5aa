"""Turns a recipe's `VllmModel` into arguments of vLLM: plain values only, so that it can be tested without vLLM."""

import os
from pathlib import Path
from typing import Any

from manifests import private_paths
from pipeline.engines.contract import ChatRequest
from pipeline.engines.text.vllm import VllmModel

END_WITH_PARENT = "PARLEY_END_WITH_PARENT"
"""The environment variable that tells vLLM's processes to end when ours is gone (`vllm_orphans`)."""

_ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    # vLLM logs to stdout, where Parley puts data.
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    # vLLM's default is to fork, but the event loop, and Ray in an actor, run in threads that do not survive a fork.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    END_WITH_PARENT: "1",
}
_LONGEST_DETAIL = 200


def set_environment() -> None:
    """Set what vLLM reads while it is imported: no telemetry, quiet. Variables that are set already stay."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def public_name(settings: VllmModel) -> str:
    """Return the model's name as it may stand in a manifest: of a local directory, only the last part."""
    return str(settings.model_dump(include={"model"})["model"])


def public_text(text: str, settings: VllmModel) -> str:
    """Return another program's message as one line of at most 200 characters, with paths cut to their last part."""
    return private_paths.public_text(text, {settings.model: public_name(settings)}, _LONGEST_DETAIL)


def checkpoint(settings: VllmModel) -> str:
    """Return what vLLM loads: the directory, with `~` resolved, or the hub's id."""
    return str(Path(settings.model).expanduser()) if settings.model.startswith("~") else settings.model


def engine_arguments(settings: VllmModel, device: str = "cuda") -> dict[str, Any]:
    """Return the keyword arguments of `AsyncEngineArgs`; what the recipe leaves open keeps vLLM's default.

    `device` is the device type of vLLM's platform.
    """
    serving = settings.serving
    arguments: dict[str, Any] = {
        "model": checkpoint(settings),
        "revision": settings.revision,
        "tokenizer_revision": settings.revision,
        "dtype": settings.dtype,
        "quantization": settings.quantization,
        "max_model_len": settings.max_model_len,
        "tensor_parallel_size": serving.tensor_parallel,
        "gpu_memory_utilization": serving.gpu_memory,
        "max_num_seqs": serving.max_num_seqs,
        "enforce_eager": serving.enforce_eager,
        "load_format": serving.load_format,
        "trust_remote_code": False,
        "enable_prefix_caching": True,
        # vLLM's default, xgrammar, lets raw control characters into strings: 17 of 32 answers were invalid JSON; with
        # this one none were (vLLM 0.32, random weights, a string of at most 20 characters).
        "structured_outputs_config": {"backend": "guidance"},
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
        "enable_log_requests": False,
    }
    if serving.tensor_parallel > 1:
        # Inside an actor, vLLM might ask Ray for more GPUs than the pool claimed; processes share the GPUs that it
        # has.
        arguments["distributed_executor_backend"] = "mp"
    if device == "cpu":
        # A seeded request whose prompt is cut into chunks ends the whole engine there (vLLM 0.32: "CPU Generator does
        # not use offset").
        arguments["enable_chunked_prefill"] = False
    return {name: value for name, value in arguments.items() if value is not None}


def sampling_arguments(settings: VllmModel, request: ChatRequest) -> dict[str, Any]:
    """Return the keyword arguments of `SamplingParams`, except for the schema."""
    return {
        "temperature": settings.temperature if request.temperature is None else request.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "seed": request.seed,
    }
