"""The command as a person meets it: what is wrong is said in one line, with the right exit code, and loses no row."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli import cli

PARLEY = str(Path(sys.executable).with_name("parley"))
GOOD = {"instruction": "Why is the sky blue?", "input": "", "output": "The air scatters blue light in all directions."}
OTHER = {"instruction": "Why is grass green?", "input": "", "output": "Its leaves throw green light back."}


def parley(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PARLEY, *map(str, arguments)], capture_output=True, text=True, check=False)


def lines(*rows: object) -> bytes:
    return "".join(
        (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows
    ).encode()


# name: (bytes of the file, rows in, rows kept, reasons of the rest)
BAD_ROWS: dict[str, tuple[str, bytes, int, int, set[str]]] = {
    "broken line": ("a.jsonl", lines(GOOD, '{"instruction": "half', OTHER), 3, 2, {"unreadable_row"}),
    "byte order mark": ("a.jsonl", b"\xef\xbb\xbf" + lines(GOOD), 1, 1, set()),
    "blank lines": ("a.jsonl", b"\n\n" + lines(GOOD) + b"\n\n", 1, 1, set()),
    "array that breaks off": ("a.json", json.dumps([GOOD, GOOD]).encode()[:-40], 2, 1, {"unreadable_row"}),
    "truncated gzip": ("a.jsonl.gz", gzip.compress(lines(GOOD, OTHER))[:-6], 3, 2, {"unreadable_row"}),
    "not an object": ("a.json", json.dumps([GOOD, "a string", 7, None]).encode(), 4, 1, {"unknown_schema"}),
    "missing key": ("a.jsonl", lines(GOOD, {"instruction": "What?"}), 2, 1, set()),
    "wrong type": ("a.jsonl", lines(GOOD, GOOD | {"instruction": ["a"]}), 2, 1, {"unknown_schema"}),
    "empty turns": ("a.jsonl", lines(GOOD, GOOD | {"instruction": "  "}), 2, 1, {"empty_row"}),
    "duplicates": ("a.jsonl", lines(GOOD, GOOD, GOOD), 3, 1, {"duplicate"}),
    "100,000 characters": ("a.jsonl", lines(GOOD, GOOD | {"instruction": "word " * 20_000}), 2, 1, {"too_long"}),
    "control characters": ("a.jsonl", lines(GOOD | {"instruction": "Why is\u0000 the \u001bsky blue?"}), 1, 1, set()),
    "html": ("a.jsonl", lines(GOOD, GOOD | {"instruction": "<script>alert(1)</script>"}), 2, 1, {"code"}),
    "path-like id": ("a.jsonl", lines({"id": "../../etc/passwd"} | GOOD), 1, 1, set()),
    "lone surrogate": ("a.jsonl", b'{"instruction": "Why \\ud83d is it?", "output": "It is so."}\n', 1, 0, set()),
    "deep nesting": ("a.jsonl", lines(GOOD, "[" * 10_000), 2, 1, {"unreadable_row"}),
    "not a number": ("a.jsonl", lines(GOOD, GOOD | {"input": float("nan"), "output": 1e999}), 2, 1, set()),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_a_reject_and_never_a_crash(name: str, tmp_path: Path) -> None:
    file_name, data, rows, kept, reasons = BAD_ROWS[name]
    (tmp_path / file_name).write_bytes(data)
    arguments = ["--input", tmp_path / file_name, "--format", "alpaca", "--language", "en", "--runner", "local"]
    words = ["run", "tone-dry-run", "--out", tmp_path / "corpus", *arguments]
    cli(list(map(str, words)), standalone_mode=False)
    counts = json.loads((tmp_path / "corpus" / "manifest.json").read_text())["counts"]
    assert sum(counts["rows"].values()) == rows
    assert counts["rows"].get("kept", 0) == kept
    assert reasons <= set(counts["reasons"])
    assert sum(counts["reasons"].values()) == rows - kept


def empty(path: Path) -> list[object]:
    (path / "a.json").write_text("")
    return ["run", "tone-dry-run", "--input", path / "a.json", "--out", path / "out"]


def unknown_schema(path: Path) -> list[object]:
    (path / "a.json").write_text('[{"colour": "red"}]')
    return ["run", "tone-dry-run", "--input", path / "a.json", "--out", path / "out"]


def utf16(path: Path) -> list[object]:
    (path / "a.json").write_bytes(json.dumps([GOOD]).encode("utf-16"))
    return ["run", "tone-dry-run", "--input", path / "a.json", "--out", path / "out"]


def good(path: Path, *more: object, recipe: str = "tone-dry-run") -> list[object]:
    (path / "a.json").write_text(json.dumps([GOOD]))
    return ["run", recipe, "--runner", "local", "--input", path / "a.json", "--out", path / "out", *more]


def occupied(path: Path) -> list[object]:
    (path / "out").mkdir()
    (path / "out" / "thesis.doc").write_text("mine")
    return good(path)


MISTAKES: dict[str, tuple[Callable[[Path], list[object]], int, str]] = {
    "no such file": (lambda p: ["run", "tone-dry-run", "--input", p / "no.json", "--out", p / "out"], 2, "no.json"),
    "a directory as input": (lambda p: ["run", "tone-dry-run", "--input", p, "--out", p / "out"], 2, "directory"),
    "an empty file": (empty, 2, "no rows"),
    "an unknown schema": (unknown_schema, 2, "colour"),
    "the wrong encoding": (utf16, 2, "UTF-16"),
    "an unknown recipe": (lambda p: good(p, recipe="ke"), 2, "no recipe 'ke'"),
    "an unknown format": (lambda p: good(p, "--format", "csv"), 2, "no format 'csv'; there are: alpaca"),
    "an unknown key": (lambda p: good(p, "--set", "gate.wer=1"), 2, "gate.wer"),
    "an unknown engine": (lambda p: good(p, "--set", "tts.engine=bark"), 2, "no tts engine 'bark'; there are: flite"),
    "an unknown bank": (lambda p: good(p, "--set", "cast.bank=nobody"), 2, "no voice bank 'nobody'"),
    "a language the recipe lacks": (lambda p: good(p, "--language", "fr"), 2, "covers en, zh, not fr"),
    "an unknown scheme": (lambda p: ["run", "tone-dry-run", "--input", "ftp://a/b", "--out", p / "out"], 2, "ftp"),
    "somebody else's directory": (occupied, 2, "thesis.doc"),
    "no corpus": (lambda p: ["corpus", "stats", p], 3, "no manifest.json"),
    "no units": (
        lambda p: ["stage", "gate", "--recipe", "tone-dry-run", "--in", p, "--out", p / "o"],
        3,
        "input.json",
    ),
    "a missing argument": (lambda p: ["run", "tone-dry-run"], 2, "--input"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    arguments, code, words = MISTAKES[name]
    result = parley(*arguments(tmp_path))
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    if result.stderr.startswith("parley: "):
        assert result.stderr.count("\n") == 1


def test_stdout_is_data_and_stderr_is_talk(tmp_path: Path) -> None:
    result = parley(*good(tmp_path))
    assert result.stdout.startswith("rows in   1\nkept      1  (100%)")
    assert "rows settled" in result.stderr
    assert "rows settled" not in result.stdout


def test_validate_says_what_is_wrong_and_exits_3(tmp_path: Path) -> None:
    assert parley(*good(tmp_path)).returncode == 0
    assert parley("corpus", "validate", tmp_path / "out", "--deep").returncode == 0
    shard = next((tmp_path / "out" / "shards").glob("kept-*.parquet"))
    shard.unlink()
    result = parley("corpus", "validate", tmp_path / "out")
    assert result.returncode == 3
    assert shard.name in result.stdout


def test_stats_as_json(tmp_path: Path) -> None:
    assert parley(*good(tmp_path)).returncode == 0
    figures = json.loads(parley("corpus", "stats", tmp_path / "out", "--json").stdout)
    assert isinstance(figures, dict)


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["engines"], ["recipes"], ["formats"]])
def test_the_command_explains_itself(command: list[str]) -> None:
    result = parley(*command)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


def test_engines_names_every_engine_and_its_state() -> None:
    from pipeline.engines.table import ENGINES

    table = [line.split("\t") for line in parley("engines").stdout.splitlines()]
    assert [(row[0], row[1]) for row in table] == list(ENGINES)
    assert all(row[2].startswith(("works, ", "missing: ")) for row in table)
