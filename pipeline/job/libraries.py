"""Names the libraries that decide the bytes of a corpus or a bank, with their versions."""

import unicodedata
from collections.abc import Mapping
from importlib.metadata import version

from manifests.errors import EngineUnavailable

LIBRARIES = ("numpy", "pyarrow", "soundfile", "soxr")


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries, of libsndfile, which encodes for soundfile, and of Python's Unicode."""
    import soundfile

    found = {name: version(name) for name in LIBRARIES}
    return {**found, "libsndfile": str(soundfile.__libsndfile_version__), "unicode": unicodedata.unidata_version}


def check_libraries(wanted: Mapping[str, str]) -> None:
    """Raise EngineUnavailable if this machine has other versions than the one where the job began."""
    here = library_versions()
    if others := [name for name in here if here[name] != wanted.get(name)]:
        found = ", ".join(f"{name} {here[name]} in place of {wanted.get(name)}" for name in others)
        raise EngineUnavailable(f"a worker has {found}: install the same versions on every node")
