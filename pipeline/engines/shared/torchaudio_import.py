"""Imports torchaudio where its compiled part cannot be loaded.

SpeechBrain and CosyVoice import torchaudio; transformers and funasr do so wherever it is installed; and torchaudio
loads its compiled part before anything else. The wheels of PyPI are built for CUDA: beside a PyTorch for the CPU that
part does not load, and an `OSError` ends the import, although nothing needed here is compiled. torchaudio has a state
"built without compiled parts" of its own, in which its Python functions work and the compiled ones refuse. Here
torchaudio is put into that state when, and only when, the load has failed: `torchaudio._extension`, which does the
loading, is replaced by a module with the three names that the rest of torchaudio reads from it. The installation stays
as it is.
"""

import contextlib
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

_EXTENSION = "torchaudio._extension"


def import_torchaudio() -> ModuleType:
    """Import torchaudio, without its compiled part where that does not load.

    Raises ImportError where torchaudio is missing.
    """
    try:
        return importlib.import_module("torchaudio")
    except OSError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]  # remains of the failed import
        sys.modules[_EXTENSION] = _without_compiled_part()
        return importlib.import_module("torchaudio")


def prepare_torchaudio() -> None:
    """Import torchaudio, if it is installed, before transformers or funasr do."""
    with contextlib.suppress(ImportError):
        import_torchaudio()


def _without_compiled_part() -> ModuleType:
    module = ModuleType(_EXTENSION, "Stands for torchaudio's compiled part, which does not load here.")
    module.__dict__.update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, _IS_ALIGN_AVAILABLE=False, fail_if_no_align=_refuse)
    return module


def _refuse(function: Callable[..., Any]) -> Callable[..., NoReturn]:
    """Replace torchaudio's own decorator: the function says why it cannot work."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise RuntimeError(f"torchaudio.{function.__name__} is compiled, and torchaudio's compiled part does not load")

    return refuse
