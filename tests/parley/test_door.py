"""`import parley` opens a corpus and checks it, and loads nothing that only making one needs."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import parley
from parley.testing import make_corpus, make_rows
from pipeline.job.run import WORK

ROOT = Path(__file__).parents[2]
MODULES = ("parley", "pipeline", "pipeline.cli", "pipeline.cli.main")

_LOADED = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"


def loaded_by(statement: str) -> set[str]:
    """The packages that a clean process has loaded after the statement, the standard library left out."""
    program = f"{statement}\n{_LOADED}"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


def run_module(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", module, *words], capture_output=True, text=True, check=False)


def test_importing_it_loads_numpy_and_pyarrow_besides_manifests() -> None:
    of_those = loaded_by("import numpy, pyarrow, pyarrow.parquet, pyarrow.fs")
    assert loaded_by("import parley") - of_those == {"manifests", "parley"}


def test_it_names_what_a_reader_of_a_corpus_needs() -> None:
    readers = {"BatchBudget", "Corpus", "CorpusStream", "SpokenCorpus", "decode", "validate"}
    assert set(parley.__all__) == {*readers, "__version__"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert parley.__version__ == project["version"]


def test_a_corpus_is_read_decoded_and_found_sound(tmp_path: Path) -> None:
    make_corpus(tmp_path, make_rows(kept=2))
    (turn, _) = parley.Corpus(tmp_path)[0].turns
    samples, sample_rate = parley.decode(turn.audio)
    assert (samples.shape, sample_rate) == ((turn.audio.num_samples,), turn.audio.sample_rate)
    assert parley.validate(tmp_path, deep=True).ok
    assert parley.validate(str(tmp_path)).ok


def test_the_work_directory_of_a_job_is_no_problem_and_any_other_is(tmp_path: Path) -> None:
    make_corpus(tmp_path, make_rows())
    (tmp_path / WORK).mkdir()
    assert parley.validate(tmp_path).ok
    (tmp_path / "notes.txt").write_text("mine")
    assert [problem.where for problem in parley.validate(tmp_path).problems] == ["notes.txt"]
    assert parley.validate(tmp_path, beside=(WORK, "notes.txt")).ok


@pytest.mark.parametrize("module", MODULES)
def test_the_module_is_the_command(module: str) -> None:
    told = run_module(module, "--version")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.endswith(f"version {parley.__version__}\n")
    mistaken = run_module(module, "nope")
    assert (mistaken.returncode, mistaken.stdout) == (2, "")
    assert "No such command 'nope'" in mistaken.stderr


def test_the_module_does_the_work_and_exits_as_the_command_does(tmp_path: Path) -> None:
    place = make_corpus(tmp_path / "corpus", make_rows())
    sound = run_module("parley", "corpus", "validate", str(place))
    assert (sound.returncode, sound.stdout.splitlines()[-1]) == (0, "sound: 11 rows, shallow check")
    missing = run_module("parley", "corpus", "validate", str(tmp_path))
    assert missing.returncode == 3, missing.stderr
