"""`parley voicebank import` and `export`: what they print, and their exit codes."""

import json
import sys
from pathlib import Path

import pytest

from pipeline.cli.main import command
from voicebank.bank import load_bank


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["parley", "voicebank", *arguments])
    try:
        command()
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def speakers(path: Path, *rows: dict[str, str]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_import_then_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = speakers(tmp_path / "x.jsonl", {"name": "a", "speaker": "蘁"}, {"name": "b", "speaker": "淰"}, {})
    (tmp_path / "side.csv").write_text("name,gender,role\na,male,agent\nb,female,user\n")
    out = str(tmp_path / "bank")
    code, said, talk = run(
        monkeypatch, capsys, "import", "--format", "chattts", "--from", source, "--out", out,
        "--genders", str(tmp_path / "side.csv"), "--language", "zh", "--license", "CC0-1.0", "--name", "mine",
    )  # fmt: skip
    assert (code, said) == (0, "2 voices, 1 rejects\n")
    assert talk == "line 3: bad_metadata: no name, or no speaker string\n"
    bank = load_bank(out)
    assert bank.name == "mine"
    assert [(v.voice_id, v.gender, v.language, v.agent, v.license) for v in bank.voices] == [
        ("a", "male", "zh", True, "CC0-1.0"),
        ("b", "female", "zh", False, "CC0-1.0"),
    ]
    code, said, talk = run(
        monkeypatch, capsys, "export", "--bank", out, "--format", "chattts", "--out", str(tmp_path / "back.tsv")
    )
    assert (code, said, talk) == (0, "2 voices, 0 left out\n", "")
    assert (tmp_path / "back.tsv").read_text(encoding="utf-8").splitlines()[1] == "a\t蘁\tmale\tzh"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--language", "zh"], "the gender of 'a' is not known"),
        (["--gender", "male"], "the language of 'a' is not known"),
        (["--gender", "man"], "Invalid value for '--gender'"),
        (["--gender", "male", "--language", "zh", "--name", "/data/mine"], "must not hold paths"),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    source = speakers(tmp_path / "x.jsonl", {"name": "a", "speaker": "蘁"})
    out = str(tmp_path / "bank")
    code, said, talk = run(
        monkeypatch, capsys, "import", "--format", "chattts", "--from", source, "--out", out, *arguments
    )
    assert (code, said) == (2, "")
    assert message in talk
    assert "Traceback" not in talk
    assert not (tmp_path / "bank").exists()


def test_many_rejects_are_counted_and_not_all_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"name": "a", "speaker": "蘁", "gender": "male", "language": "zh"}, *[{"name": "x"}] * 60]
    source = speakers(tmp_path / "x.jsonl", *rows)
    code, said, talk = run(
        monkeypatch, capsys, "import", "--format", "chattts", "--from", source, "--out", str(tmp_path / "bank")
    )
    assert (code, said) == (0, "1 voices, 60 rejects\n")
    assert talk.splitlines()[50:] == ["... and 10 more rejects"]
