"""Finds upstream's source without importing it, so that `version` costs milliseconds."""

import hashlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

from manifests.errors import EngineUnavailable

NAME = "cosyvoice"
COMMIT = "ace7c47f41bbd303aa6bf1ea80e6f9fbd595cd40"
"""The state of upstream that this engine was written against and tested with."""

_REPOSITORY = "https://github.com/FunAudioLLM/CosyVoice"
_MATCHA = Path("third_party", "Matcha-TTS")
_HOW = (
    f"git clone --recursive {_REPOSITORY} && git -C CosyVoice checkout {COMMIT[:12]} && "
    "export PYTHONPATH=$PWD/CosyVoice (docs/cosyvoice.md lists the packages it needs)"
)


def find_source() -> Path:
    """Find the directory of upstream's package `cosyvoice`, and make Matcha-TTS importable.

    Matcha-TTS is a submodule of upstream and put on the path from there. Raises EngineUnavailable where either is
    missing, or where `cosyvoice` is the package of that name from PyPI: it has another author, lacks the code, and
    hides a real checkout.
    """
    spec = importlib.util.find_spec("cosyvoice")
    # Without an origin it is just a directory of that name somewhere on the path.
    if spec is None or spec.origin is None or not spec.submodule_search_locations:
        raise EngineUnavailable(f"cosyvoice is not on the path; its source is needed: {_HOW}")
    package = Path(next(iter(spec.submodule_search_locations)))
    if not (package / "cli" / "cosyvoice.py").is_file():
        raise EngineUnavailable(
            f"the installed package cosyvoice is not CosyVoice but a stub without its code: "
            f"pip uninstall cosyvoice, then {_HOW}"
        )
    if importlib.util.find_spec("matcha") is None:
        _add_matcha(package.parent / _MATCHA)
    return package


def _add_matcha(directory: Path) -> None:
    if not (directory / "matcha").is_dir():
        raise EngineUnavailable(
            "cosyvoice lacks its submodule Matcha-TTS: git submodule update --init --recursive in its checkout"
        )
    sys.path.append(str(directory))
    importlib.invalidate_caches()


@cache
def source_digest(package: Path) -> str:
    """Return the first 12 hex digits of the SHA-256 of the package's Python files, names and contents in order.

    Recognizes a changed source without git, which an image may lack.
    """
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
