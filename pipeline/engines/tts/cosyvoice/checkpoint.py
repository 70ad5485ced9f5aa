"""Finds or downloads the model directory, recognizes its version, checks it, and loads it by upstream's classes."""

import contextlib
import importlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from manifests.errors import EngineUnavailable
from pipeline.engines.shared.random_state import random_state_kept
from pipeline.engines.tts.cosyvoice import CosyVoiceModel
from pipeline.engines.tts.cosyvoice.errors import describe
from pipeline.engines.tts.cosyvoice.upstream import find_source
from pipeline.engines.tts.cosyvoice.watch import watch
from pipeline.settings import public_name

_YAML_NAMES = {1: "cosyvoice.yaml", 2: "cosyvoice2.yaml", 3: "cosyvoice3.yaml"}
"""In the order in which upstream looks for them."""

_loading = threading.Lock()
_version_here: int | None = None
"""The version that this process has loaded."""


@dataclass(frozen=True)
class Loaded:
    """Upstream's model object, and its version: 1, 2 or 3."""

    upstream: Any
    version: int


def load(model: CosyVoiceModel) -> Loaded:
    """Load a model. Raises EngineUnavailable, with a one-line message, for whatever is missing or does not load."""
    global _version_here
    find_source()  # first: without it, a download is not worth starting
    with _loading, _stdout_is_talk():
        directory = find_directory(model)
        version = version_of(directory)
        _check_process(version)
        upstream, cuda = _import(model)
        arguments = constructor_arguments(model, version, cuda)
        loaded = Loaded(_construct(upstream, model, directory, arguments), version)
        _check_frontend(model, loaded)
        watch(loaded.upstream.model)
        _version_here = version
        return loaded


def find_directory(model: CosyVoiceModel) -> Path:
    """Return the local directory that the recipe names, else download that ModelScope id at the recipe's revision."""
    path = Path(model.model).expanduser()
    if path.is_dir():
        return path
    if public_name(model.model) != model.model:
        raise EngineUnavailable(f"cosyvoice: there is no directory {public_name(model.model)}")
    try:
        hub = importlib.import_module("modelscope")
        return Path(hub.snapshot_download(model.model, revision=model.revision))
    except Exception as error:  # noqa: BLE001  hubs and networks fail in more ways than have a common class
        raise EngineUnavailable(
            f"cosyvoice: {model.label} cannot be downloaded from ModelScope ({describe(error, model)}); "
            "name a local model directory instead"
        ) from None


def version_of(directory: Path) -> int:
    """Recognize version 1, 2 or 3 by the yaml file in the directory.

    Raises EngineUnavailable where that or another part is missing.
    """
    found = [version for version, name in _YAML_NAMES.items() if (directory / name).is_file()]
    if not found:
        names = ", ".join(_YAML_NAMES.values())
        raise EngineUnavailable(f"cosyvoice: {directory.name} is not a model directory: it has none of {names}")
    parts = ["llm.pt", "flow.pt", "hift.pt", "campplus.onnx", f"speech_tokenizer_v{found[0]}.onnx"]
    parts += ["CosyVoice-BlankEN"] if found[0] > 1 else []
    if missing := [part for part in parts if not (directory / part).exists()]:
        raise EngineUnavailable(f"cosyvoice: {directory.name} is incomplete: {', '.join(missing)} missing")
    return found[0]


def constructor_arguments(model: CosyVoiceModel, version: int, cuda: bool) -> dict[str, Any]:
    """Keyword arguments of upstream's class for a version.

    Raises EngineUnavailable where the version or the machine lacks what the recipe asks for: upstream would go on
    without it and say so only in its log.
    """
    serving = model.serving
    wanted = {"fp16": model.fp16, "jit": serving.jit, "tensorrt": serving.tensorrt, "vllm": serving.vllm}
    lacking = {1: ("vllm",), 2: (), 3: ("jit",)}[version]
    if unknown := [name for name in lacking if wanted[name]]:
        raise EngineUnavailable(f"cosyvoice: version {version} has no {', '.join(unknown)}")
    if version == 1 and model.precision == "bfloat16":
        raise EngineUnavailable("cosyvoice: version 1 has no `precision: bfloat16`, it has tf32")
    if not cuda and (asked := [name for name, on in wanted.items() if on]):
        raise EngineUnavailable(f"cosyvoice: {', '.join(asked)} needs a GPU, and there is none here")
    if serving.threads > 1 and not (serving.tensorrt or serving.vllm):
        raise EngineUnavailable(
            f"cosyvoice: {serving.threads} threads need tensorrt or vllm; without those, use several workers on one "
            "GPU: they are faster, and keep the seeds"
        )
    arguments = {
        "load_jit": serving.jit,
        "load_trt": serving.tensorrt,
        "load_vllm": serving.vllm,
        "fp16": model.fp16,
        "trt_concurrent": serving.tensorrt_streams,
    }
    return {name: value for name, value in arguments.items() if name.removeprefix("load_") not in lacking}


def _check_process(version: int) -> None:
    if _version_here not in (None, version):
        raise EngineUnavailable(
            f"cosyvoice: version {_version_here} is loaded in this process, and its spectrum windows would spoil "
            f"those of version {version}: give the two stages of their own pools"
        )


def _import(model: CosyVoiceModel) -> tuple[Any, bool]:
    """Import upstream's patched module; returns also whether there is a GPU."""
    try:
        import torch

        from pipeline.engines.tts.cosyvoice.patches import import_upstream

        return import_upstream(), torch.cuda.is_available()
    except (ImportError, OSError, RuntimeError) as error:
        # Libraries of another build of PyTorch or CUDA fail in any of these.
        raise EngineUnavailable(
            f"cosyvoice: its source does not import ({describe(error, model)}); docs/cosyvoice.md lists the "
            "packages that it needs"
        ) from None


def _construct(upstream: Any, model: CosyVoiceModel, directory: Path, arguments: dict[str, Any]) -> Any:
    if model.serving.vllm:
        _register_with_vllm(model)
    try:
        # Upstream seeds all generators with constants of its own while it loads.
        with random_state_kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations in upstream's own libraries
            return upstream.AutoModel(model_dir=str(directory), **arguments)
    except Exception as error:  # noqa: BLE001  a checkpoint fails to load in more ways than have a common class
        # Not chained: the causes name directories.
        raise EngineUnavailable(f"cosyvoice cannot load {model.label}: {describe(error, model)}") from None


def _register_with_vllm(model: CosyVoiceModel) -> None:
    """Register upstream's class with vLLM, and keep vLLM in this process: a registration does not reach a child."""
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    try:
        language_model = importlib.import_module("cosyvoice.vllm.cosyvoice2").CosyVoice2ForCausalLM
        registry = importlib.import_module("vllm").ModelRegistry
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineUnavailable(f"cosyvoice: vllm does not load ({describe(error, model)})") from None
    registry.register_model("CosyVoice2ForCausalLM", language_model)


def _check_frontend(model: CosyVoiceModel, loaded: Loaded) -> None:
    if model.text_frontend and not loaded.upstream.frontend.text_frontend:
        raise EngineUnavailable(
            "cosyvoice: its text frontend needs wetext or ttsfrd, and neither loads: pip install wetext==0.1.8, or "
            "set text_frontend: false"
        )


@contextlib.contextmanager
def _stdout_is_talk() -> Iterator[None]:
    """Send what libraries print while they load to stderr, and hide the progress bar of transformers."""
    with contextlib.redirect_stdout(sys.stderr), _no_loading_bar():
        yield


@contextlib.contextmanager
def _no_loading_bar() -> Iterator[None]:
    try:
        bars = importlib.import_module("transformers.utils.logging")
    except ImportError:  # reported when upstream is imported
        yield
        return
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()
