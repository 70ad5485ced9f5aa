"""`parley corpus audit` from the outside: exit codes, the files, and what stands on which stream."""

import json
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner

from manifests.errors import ParleyError
from pipeline.audit import audit as auditing
from pipeline.audit.attacks import ATTACKS
from pipeline.cli.main import cli
from tests.pipeline.audit.audited import first_kept, rewrite, tones, without_mark


@pytest.fixture(autouse=True)
def few_attacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "ATTACKS", ATTACKS[:1])


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Controls of the user's own: to make the audit's own takes most of its time."""
    directory = tmp_path / "recordings"
    directory.mkdir()
    for number in range(3):
        soundfile.write(directory / f"{number}.wav", tones(seed=number).samples, 16_000)
    return directory


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["corpus", "audit", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_sound_corpus(finished: Path, tmp_path: Path) -> None:
    code, out, err = run(finished, "--sample", "4", "--json", "--out", tmp_path / "report")
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "report" / "report.json").read_text())
    assert "structure" in err and "speakers" in err
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert str(tmp_path) not in out + page and str(finished.parent) not in out + page


def test_a_corpus_that_lost_a_mark(finished: Path, recordings: Path, tmp_path: Path) -> None:
    rewrite(finished, tmp_path / "changed", first_kept(without_mark))
    code, out, _ = run(tmp_path / "changed", "--controls", recordings)
    assert code == 3
    assert out.rstrip().endswith("failed:\n  watermark: 1 kept clips without the corpus's mark")


def test_the_users_own_controls(finished: Path, recordings: Path) -> None:
    code, out, _ = run(finished, "--sample", "4", "--controls", recordings, "--json")
    found = json.loads(out)["survival"]
    assert (code, found["controls"], found["control_clips"]) == (0, "recordings", 3)


def test_a_report_inside_the_corpus_is_refused(finished: Path) -> None:
    code = _code_of(finished, "--out", finished / "report")
    assert code == 2 and not (finished / "report").exists()


def test_overrides_reach_the_recipe(finished: Path) -> None:
    code, out, _ = run(finished, "--sample", "2", "--set", "watermark.threshold=1.0")
    assert code == 3 and "threshold 1.0" in out


def _code_of(*arguments: str | Path) -> int:
    try:
        return run(*arguments)[0]
    except ParleyError as error:
        return error.exit_code
