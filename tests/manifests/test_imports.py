"""Reading a corpus needs the standard library, pyarrow and NumPy, and soundfile only to decode what is not WAV."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from parley.testing.corpora import make_corpus, make_rows

_NEEDED = "pyarrow,numpy"
_SOUNDFILE = "soundfile,_soundfile,_soundfile_data,cffi,_cffi_backend,typing_extensions"

# Everything is refused but the standard library and what is named: other packages may well be installed here.
_GUARD = """
import sys
allowed = set(sys.stdlib_module_names) | {"manifests", *sys.argv[2].split(",")}

class Guard:
    def find_spec(self, name, path=None, target=None):
        # sysconfig keeps its variables in a module that is named after the platform
        if name.split(".")[0] not in allowed and not name.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"refused: {name}", name=name)

sys.meta_path.insert(0, Guard())
"""

_IMPORT_ALL = """
import importlib, pkgutil, manifests
for module in pkgutil.walk_packages(manifests.__path__, "manifests."):
    importlib.import_module(module.name)
"""

_READ = """
from manifests.corpus import Corpus
from manifests.stats import stats
from manifests.storage import open_place
from manifests.validate import validate
corpus = Corpus(sys.argv[1])
assert len(list(corpus)) == 6 and corpus[-1].turns[0].text and list(corpus.select(["turns.text"]))
assert validate(open_place(sys.argv[1])).ok and stats(open_place(sys.argv[1]))["rows"]["kept"] == 6
"""

_DECODE = """
from manifests.corpus import Corpus, decode
assert decode(Corpus(sys.argv[1])[0].turns[0].audio)[0].shape == (800,)
"""

_DECODE_FLAC = """
from pathlib import Path
from manifests.corpus import decode
from manifests.schema import Audio
clip = Audio(Path(sys.argv[1]).with_name("clip.flac").read_bytes(), None, "flac", 16_000, 800)
assert decode(clip)[0].shape == (800,)
"""


def _run(code: str, corpus: str, allowed: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", _GUARD + code, corpus, allowed]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    place = make_corpus(tmp_path_factory.mktemp("imports") / "corpus", make_rows())
    soundfile.write(f"{place.path}/../clip.flac", np.zeros(800, np.float32), 16_000)
    return place.path


@pytest.mark.parametrize(
    ("code", "allowed"),
    [(_IMPORT_ALL, _NEEDED), (_READ, _NEEDED), (_DECODE, _NEEDED), (_DECODE_FLAC, f"{_NEEDED},{_SOUNDFILE}")],
    ids=["import", "read", "decode", "decode flac"],
)
def test_needs_nothing_else(corpus, code, allowed):
    result = _run(code, corpus, allowed)
    assert result.returncode == 0, result.stderr


def test_the_guard_refuses(corpus):
    """Decoding FLAC without soundfile fails, so the guard above does guard."""
    result = _run(_DECODE_FLAC, corpus, _NEEDED)
    assert result.returncode != 0 and "refused: soundfile" in result.stderr
