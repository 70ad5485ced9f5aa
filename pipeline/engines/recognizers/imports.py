"""Imports transformers and funasr where an installed torchaudio does not load.

Both import torchaudio if it is installed at all, and need nothing of it here. One that was built for another PyTorch
raises OSError then, and takes them down with it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def torchaudio_if_it_loads() -> Iterator[None]:
    """Inside the block, a torchaudio that does not load looks like one that is not installed."""
    if "torchaudio" in sys.modules or _loads():
        yield
        return
    _forget_torchaudio()
    sys.modules["torchaudio"] = None  # type: ignore[assignment]  # how Python marks a module that is not there
    try:
        _ask_transformers_anew()
        yield
    finally:
        sys.modules.pop("torchaudio", None)


def _loads() -> bool:
    try:
        import torchaudio  # noqa: F401
    except (ImportError, OSError, RuntimeError):
        return False
    return True


def _forget_torchaudio() -> None:
    """The parts of it that a failed import has left behind."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
        del sys.modules[name]


def _ask_transformers_anew() -> None:
    """transformers remembers what is installed, perhaps from before."""
    known = sys.modules.get("transformers.utils.import_utils")
    if known is not None:
        known.is_torchaudio_available.cache_clear()
