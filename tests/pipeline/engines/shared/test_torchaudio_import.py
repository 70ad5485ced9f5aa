import subprocess
import sys

import pytest

PACKAGE = {
    "torchaudio/__init__.py": "from . import _extension\nfrom .functional import rate, align\n",
    "torchaudio/_extension/__init__.py": (
        "LOADING\n_IS_TORCHAUDIO_EXT_AVAILABLE = True\ndef fail_if_no_align(f): return f\n"
    ),
    "torchaudio/functional.py": (
        "from torchaudio._extension import _IS_TORCHAUDIO_EXT_AVAILABLE as compiled, fail_if_no_align\n"
        "def rate(): return compiled\n"
        "@fail_if_no_align\n"
        "def align(): return 'aligned'\n"
    ),
}

CODE = """
from pipeline.engines.shared.torchaudio_import import import_torchaudio
torchaudio = import_torchaudio()
try:
    print(torchaudio.rate(), torchaudio.align())
except RuntimeError as error:
    print(torchaudio.rate(), error)
"""


def run(place, loading, code=CODE):
    """Against a torchaudio of the test's own that loads its compiled part like the true one."""
    for name, text in PACKAGE.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("LOADING", loading))
    start = f"import sys; sys.path.insert(0, {str(place)!r})\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("loading", "said"),
    [
        pytest.param("", "True aligned", id="it loads: nothing is changed"),
        pytest.param(
            "raise OSError('Could not load this library')",
            "False torchaudio.align is compiled, and torchaudio's compiled part does not load",
            id="it does not: Python parts work, compiled ones say so",
        ),
    ],
)
def test_torchaudio_is_imported_with_or_without_its_compiled_part(tmp_path, loading, said):
    assert run(tmp_path, loading).stdout.strip() == said


def test_other_errors_are_not_hidden(tmp_path):
    done = run(tmp_path, "raise RuntimeError('compiled with different CUDA versions')")
    assert done.returncode == 1
    assert "different CUDA versions" in done.stderr


def test_true_torchaudio_works_in_its_python_parts():
    pytest.importorskip("torch")
    code = """
import contextlib
from pipeline.engines.shared.torchaudio_import import import_torchaudio
try:
    import_torchaudio()
except ImportError:
    print("missing")
else:
    import torch
    from torchaudio.compliance.kaldi import fbank
    print(tuple(fbank(torch.zeros(1, 16000), num_mel_bins=80, dither=0.0).shape))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("missing", "(98, 80)")
