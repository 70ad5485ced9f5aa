"""Errors of upstream: which of them end the worker, and how they are described."""

import re
from collections.abc import Iterator
from pathlib import Path

from manifests.private_paths import public_text
from pipeline.engines.tts.cosyvoice import CosyVoiceModel
from pipeline.settings import public_name

_LONGEST_DETAIL = 300

# What CUDA, its libraries and ONNX Runtime's CUDA provider write when memory is exhausted or the context is broken.
# After most of these every further call in the process fails too.
_BROKEN_DEVICE = re.compile(
    r"CUDA (?:error|out of memory|failure)|CUBLAS_STATUS|cuDNN error|CUDNN_STATUS|device-side assert|NCCL error"
)
_BROKEN_CLASSES = frozenset({"OutOfMemoryError", "AcceleratorError", "EngineDeadError", "MemoryError"})


def is_fatal(error: BaseException) -> bool:
    """Whether the worker cannot go on: memory is exhausted, the CUDA context is broken, or vLLM's engine is dead.

    Classes are compared by name, so that torch and vLLM need not be imported.
    """
    return any(_breaks_device(link) for link in _chain(error))


def describe(error: BaseException, model: CosyVoiceModel) -> str:
    """Describe an error by class and message, in one line without directories."""
    names = {}
    if public_name(model.model) != model.model:  # a hub's id is not a path
        names[str(Path(model.model).expanduser())] = public_name(model.model)
    return public_text(f"{type(error).__name__}: {error}", names, _LONGEST_DETAIL)


def _breaks_device(error: BaseException) -> bool:
    named = any(kind.__name__ in _BROKEN_CLASSES for kind in type(error).__mro__)
    return named or bool(_BROKEN_DEVICE.search(str(error)))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
