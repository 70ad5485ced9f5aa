"""Names the libraries that decide the bytes of a corpus or a bank, with their versions."""

import unicodedata
from importlib.metadata import version

LIBRARIES = ("numpy", "pyarrow", "soundfile", "soxr")


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries, of libsndfile, which encodes for soundfile, and of Python's Unicode."""
    import soundfile

    found = {name: version(name) for name in LIBRARIES}
    return {**found, "libsndfile": str(soundfile.__libsndfile_version__), "unicode": unicodedata.unidata_version}
