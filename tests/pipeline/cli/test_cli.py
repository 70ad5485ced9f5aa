"""The command as a person meets it: what is wrong is said in one line, with the right exit code, and loses no row."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.corpus import Corpus
from manifests.errors import EngineDied, LawBroken
from pipeline.cli import commands
from pipeline.cli.main import cli, command
from pipeline.job.job import Job
from pipeline.job.runner.local import LocalRunner
from tests.commands import run_parley

PARLEY = str(Path(sys.executable).with_name("parley"))
GOOD = {"instruction": "Why is the sky blue?", "input": "", "output": "The air scatters blue light in all directions."}
OTHER = {"instruction": "Why is grass green?", "input": "", "output": "Its leaves throw green light back."}


def parley_process(*arguments: object) -> subprocess.CompletedProcess[str]:
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
    "duplicate ids": ("a.jsonl", lines({"id": "7"} | GOOD, {"id": "7"} | OTHER), 2, 2, set()),
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


def test_the_options_reach_the_manifest(tmp_path: Path) -> None:
    words = good(tmp_path, "--dataset", "mine", "--license", "CC0-1.0", "--seed", 7, "--limit", 1)
    (tmp_path / "a.json").write_text(json.dumps([GOOD, OTHER]))
    cli(list(map(str, words)), standalone_mode=False)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["seed"] == 7
    (source,) = manifest["sources"]
    assert [source[key] for key in ("dataset", "rows", "license", "format")] == ["mine", 1, "CC0-1.0", "alpaca"]


def test_the_files_of_a_folder_are_one_data_set_however_they_are_named(tmp_path: Path) -> None:
    rows = [GOOD, OTHER, GOOD | {"instruction": "Why is the sun so hot?"}]
    folder = tmp_path / "talks" / "data"
    folder.mkdir(parents=True)
    names = [f"train-{number:05}-of-00003.jsonl" for number in range(3)]
    for name, row in zip(names, rows, strict=True):
        (folder / name).write_bytes(lines(row))
    (tmp_path / "talks" / "README.md").write_text("# Talks")
    files = [str(folder / name) for name in names]
    ways = {
        "folder": ["--input", str(folder.parent)],
        "pattern": ["--input", f"{folder}/train-*"],
        "pattern of a shell": ["--input", *files],
        "several inputs": [word for file in files for word in ("--input", file)] + ["--dataset", "talks"],
    }
    for way, words in ways.items():
        out = tmp_path / way
        more = ["--language", "en", "--license", "CC0-1.0", "--runner", "local", "--out", str(out)]
        cli(["run", "tone-dry-run", *words, *more], standalone_mode=False)
        manifest = json.loads((out / "manifest.json").read_text())
        sources = [[source[key] for key in ("dataset", "file", "rows", "license")] for source in manifest["sources"]]
        assert sources == [["talks", name, 1, "CC0-1.0"] for name in names], way
        corpus = Corpus(out)
        assert [d.source.row for d in corpus] == [f"{name}:0" for name in names], way
        assert len({d.dialogue_id for d in corpus}) == 3
        assert all(d.dialogue_id.startswith("talks-") for d in corpus)
        assert commands.validate(str(out), deep=False, runner=LocalRunner())[1]


def test_rows_come_from_a_pipe(tmp_path: Path) -> None:
    words = ["ingest", "tone-dry-run", "--input", "-", "--out", tmp_path / "out"]
    command = [PARLEY, *map(str, words)]
    done = subprocess.run(command, input=lines(GOOD, OTHER), capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode().strip()) == (0, "2 rows in 1 blocks"), done.stderr.decode()
    assert done.stderr.decode().startswith("reading standard input to its end\n")
    (entry,) = json.loads((tmp_path / "out" / "input.json").read_text())["rows_of"].items()
    assert entry == ("stdin", 2)


ENDS: dict[str, tuple[BaseException, int, str]] = {
    "stopped": (KeyboardInterrupt(), 130, "parley: stopped; the same command continues\n"),
    "a broken law": (LawBroken("two rows for one"), 70, "parley: a bug of Parley: two rows for one\n"),
    "an engine": (EngineDied("the engine\nis gone"), 4, "parley: the engine is gone\n"),
    "anything else": (ZeroDivisionError("why"), 70, "ZeroDivisionError: why\n"),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_has_its_exit_code(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error, code, words = ENDS[name]

    def fail() -> None:
        raise error

    monkeypatch.setattr("pipeline.cli.commands.list_formats", fail)
    monkeypatch.setattr(sys, "argv", ["parley", "formats", "list"])
    with pytest.raises(SystemExit) as end:
        command()
    assert end.value.code == code
    assert capsys.readouterr().err.endswith(words)


NAMES: list[tuple[str, str, str]] = [
    ("--dataset", "My Data", "--dataset 'My Data': take up to 150 letters"),
    ("--dataset", "a/b", "--dataset 'a/b': take"),
    ("--dataset", "../up", "take up to 150 letters"),
    ("--dataset", "-x", "a letter or digit first"),
    ("--dataset", "<x>", "--dataset '<x>'"),
    ("--dataset", "a" * 400, "has 400 characters: take at most 150"),
    ("--dataset", "a" * 151, "has 151 characters"),
    ("--dataset", "", "--dataset is empty"),
    ("--dataset", " ", "--dataset is empty"),
    ("--dataset", "a\nb", r"--dataset 'a\nb': leave out control characters"),
    ("--dataset", "a\ud800", "is not UTF-8 text"),
    ("--license", "", "--license is empty"),
    ("--license", "\t", "--license is empty"),
    ("--license", "CC0\udcff", "is not UTF-8 text"),
    ("--license", "CC0\x1b[31m", r"--license 'CC0\x1b[31m'"),
    ("--license", "x" * 2000, "has 2000 characters"),
    ("--out", "", "an empty name is no place"),
    ("--input", "", "an --input is empty"),
    ("--out", "  ", "an empty name is no place"),
    ("--answers", "", "an empty name is no place"),
]


def test_names_that_no_file_or_row_can_hold_are_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = []
    for option, value, words in NAMES:
        monkeypatch.setattr(sys, "argv", ["parley", *map(str, good(tmp_path)), option, value])
        with pytest.raises(SystemExit) as end:
            command()
        said = capsys.readouterr().err
        if end.value.code != 2 or words not in said or said.count("\n") != 1 or (tmp_path / "out").exists():
            wrong.append((option, value[:20], end.value.code, said))
    assert not wrong


def test_the_longest_name_of_a_data_set_can_be_packed(tmp_path: Path) -> None:
    words = good(
        tmp_path, "--dataset", "A1._-" * 30, "--license", "CC BY-NC 4.0, https://x.org/y", "--set", "pack.clips=true"
    )
    cli(list(map(str, words)), standalone_mode=False)
    assert len(list((tmp_path / "out" / "audio").rglob("*.flac"))) == 2


def empty(path: Path) -> list[object]:
    (path / "a.json").write_text("")
    return ["run", "tone-dry-run", "--input", path / "a.json", "--out", path / "out"]


def unknown_schema(path: Path) -> list[object]:
    (path / "a.json").write_text('[{"color": "red"}]')
    return ["run", "tone-dry-run", "--input", path / "a.json", "--out", path / "out"]


def utf16(path: Path) -> list[object]:
    (path / "a.json").write_bytes(json.dumps([GOOD]).encode("utf-16"))
    return ["run", "tone-dry-run", "--input", path / "a.json", "--out", path / "out"]


def good(path: Path, *more: object, recipe: str = "tone-dry-run") -> list[object]:
    (path / "a.json").write_text(json.dumps([GOOD]))
    return ["run", recipe, "--runner", "local", "--input", path / "a.json", "--out", path / "out", *more]


def run_good(path: Path) -> None:
    """Make a corpus of one row in `path / "out"`."""
    cli(list(map(str, good(path))), standalone_mode=False)


def occupied(path: Path) -> list[object]:
    (path / "out").mkdir()
    (path / "out" / "thesis.doc").write_text("mine")
    return good(path)


MISTAKES: dict[str, tuple[Callable[[Path], list[object]], int, str]] = {
    "no such file": (lambda p: ["run", "tone-dry-run", "--input", p / "no.json", "--out", p / "out"], 2, "no.json"),
    "a directory without rows": (
        lambda p: ["run", "tone-dry-run", "--input", p, "--out", p / "out"],
        2,
        "holds no JSON or Parquet",
    ),
    "a pattern that matches nothing": (
        lambda p: ["run", "tone-dry-run", "--input", p / "*.json", "--out", p / "out"],
        2,
        "no file matches",
    ),
    "words behind several inputs": (
        lambda p: ["run", "tone-dry-run", "--input", "a", "--input", "b", "c", "--out", p / "out"],
        2,
        "c follows no option: with several --input, put patterns in quotes",
    ),
    "an input for a recipe": (
        lambda p: ["run", "--input", "a.parquet", "b.parquet", "tone-dry-run", "--out", p / "out"],
        2,
        "b.parquet is an input, not a recipe: put the recipe before --input",
    ),
    "an empty file": (empty, 2, "no rows"),
    "an unknown schema": (unknown_schema, 2, "color"),
    "the wrong encoding": (utf16, 2, "UTF-16"),
    "an unknown recipe": (lambda p: good(p, recipe="ke"), 2, "no recipe 'ke'"),
    "an unknown format": (lambda p: good(p, "--format", "csv"), 2, "no format 'csv'; there are: alpaca"),
    "a limit of nothing": (lambda p: good(p, "--limit", 0), 2, "--limit"),
    "an unknown key": (lambda p: good(p, "--set", "gate.wer=1"), 2, "gate.wer"),
    "an unknown engine": (
        lambda p: good(p, "--set", "synthesize.engine=bark"),
        2,
        "no tts engine 'bark'; there are: cosyvoice, espeak-ng, festival, flite",
    ),
    "an unknown bank": (lambda p: good(p, "--set", "cast.bank=nobody"), 2, "no voice bank 'nobody'"),
    "a language the recipe lacks": (lambda p: good(p, "--language", "fr"), 2, "covers en, zh, not fr"),
    "an unknown scheme": (lambda p: ["run", "tone-dry-run", "--input", "ftp://a/b", "--out", p / "out"], 2, "ftp"),
    "somebody else's directory": (occupied, 2, "thesis.doc"),
    "no corpus": (lambda p: ["corpus", "stats", p], 3, "no manifest.json"),
    "no blocks": (
        lambda p: ["stage", "gate", "--recipe", "tone-dry-run", "--in", p, "--out", p / "o"],
        3,
        "input.json",
    ),
    "a missing argument": (lambda p: ["run", "tone-dry-run"], 2, "--input"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code, words = MISTAKES[name]
    monkeypatch.setattr(sys, "argv", ["parley", *map(str, arguments(tmp_path))])
    with pytest.raises(SystemExit) as end:
        command()
    said = capsys.readouterr()
    assert end.value.code == code, said.err
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    if said.err.startswith("parley: "):
        assert said.err.count("\n") == 1


def test_stdout_is_data_and_stderr_is_talk(tmp_path: Path) -> None:
    result = parley_process(*good(tmp_path))
    assert result.stdout.startswith("rows in   1\nkept      1  (100%)")
    assert "rows settled" in result.stderr
    assert "rows settled" not in result.stdout


def test_the_summary_names_the_most_frequent_reason_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = good(tmp_path, "--language", "en")
    code, empty = GOOD | {"instruction": "<script>alert(1)</script>"}, GOOD | {"instruction": " "}
    (tmp_path / "a.json").write_text(json.dumps([GOOD, code, GOOD, GOOD, empty]))
    cli(list(map(str, words)), standalone_mode=False)
    talk = capsys.readouterr().out.splitlines()
    assert talk[:3] == ["rows in   5", "kept      1  (20%)", "rejected  4"]
    assert talk[3].startswith("  2  duplicate: ")
    assert {line.split(":")[0].split()[-1] for line in talk[4:6]} == {"code", "empty_row"}
    assert [line.split()[0] for line in talk[6:]] == ["failed", "audio", "corpus"]


def test_changes_are_accepted_only_where_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted: list[bool] = []
    monkeypatch.setattr("pipeline.job.run.run_job", lambda *arguments: accepted.append(arguments[4]))
    monkeypatch.setattr("pipeline.cli.commands.summary", lambda *_: "")
    for more in ([], ["--accept-changes"]):
        cli(list(map(str, good(tmp_path, *more))), standalone_mode=False)
    assert accepted == [False, True]


def test_the_demo_fetches_its_models_and_runs_a_licensed_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Job] = []
    fetched: list[str] = []
    monkeypatch.setattr("pipeline.cli.commands._run", lambda job, out, options: jobs.append(job))
    monkeypatch.setattr("pipeline.cli.commands.fetch_models", lambda names, cache: fetched.extend(names))
    said = commands.demo("out", "ke-speechchat-neural", 3, [], {})
    assert fetched == ["kokoro-82m", "whisper-base"] and jobs[0].options.limit_each == 3
    assert "Listen to out/audio/kept" in said and len(jobs) == 1
    assert [(file.dataset, file.license) for file in jobs[0].files] == [
        ("instructions_en", "CC0-1.0"),
        ("instructions_zh", "CC0-1.0"),
    ]


def test_the_demo_ends_with_two_people_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Job] = []
    monkeypatch.setattr("pipeline.cli.commands._run", lambda job, out, options: jobs.append(job) or f"in {out}")
    monkeypatch.setattr("pipeline.cli.commands.fetch_models", lambda names, cache: None)
    said = commands.demo("out", "ke-speechchat-neural", 3, [], {}, two_at_once=True)
    assert [file.dataset for file in jobs[1].files] == ["two_at_once_en"] and "mix" in jobs[1].recipe.stages
    assert "in out-duplex" in said and "track-mono" in said


def test_the_demo_of_an_english_recipe_runs_the_english_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Job] = []
    monkeypatch.setattr("pipeline.cli.commands._run", lambda job, out, options: jobs.append(job))
    monkeypatch.setattr("pipeline.cli.commands.fetch_models", lambda names, cache: None)
    commands.demo("out", "instructs2s-local", 3, ["models.writer.model=smollm2-135m-instruct"], {})
    assert [file.dataset for file in jobs[0].files] == ["instructions_en"]
    assert jobs[0].recipe.models["writer"].model == "smollm2-135m-instruct"


def test_validate_says_what_is_wrong_and_exits_3(tmp_path: Path) -> None:
    run_good(tmp_path)
    assert run_parley("corpus", "validate", tmp_path / "out", "--deep").returncode == 0
    shard = next((tmp_path / "out" / "shards").glob("kept-*.parquet"))
    data = bytearray(shard.read_bytes())
    data[data.index(b"fLaC") + 500] ^= 1
    shard.write_bytes(data)
    sound = [commands.validate(str(tmp_path / "out"), deep, LocalRunner())[1] for deep in (False, True)]
    assert sound == [True, False]
    shard.unlink()
    result = run_parley("corpus", "validate", tmp_path / "out")
    assert result.returncode == 3
    assert shard.name in result.stdout


def test_stats_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_good(tmp_path)
    figures = json.loads(run_parley("corpus", "stats", tmp_path / "out", "--json").stdout)
    assert figures["rows"]["kept"] == 1
    capsys.readouterr()
    cli(["corpus", "stats", str(tmp_path / "out")], standalone_mode=False)
    text = capsys.readouterr().out
    assert "kept" in text
    assert "{" not in text


def test_stats_of_one_row(tmp_path: Path) -> None:
    assert run_parley(*good(tmp_path)).returncode == 0
    (row, *_) = Corpus(tmp_path / "out")
    shown = run_parley("corpus", "stats", tmp_path / "out", "--row", row.dialogue_id).stdout
    assert shown.startswith(f"{row.dialogue_id}: kept\n")
    assert all(turn.score and f"      heard  {turn.score.hypothesis[:20]}" in shown for turn in row.turns)
    data = json.loads(run_parley("corpus", "stats", tmp_path / "out", "--row", row.dialogue_id, "--json").stdout)
    assert [turn["take"]["hearing"]["recognizer"] for turn in data["turns"]] == ["tone", "tone"]
    unknown = run_parley("corpus", "stats", tmp_path / "out", "--row", "nobody")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.endswith(": no row has the id nobody\n") and unknown.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["engines", "--help"]])
def test_the_command_explains_itself(command: list[str]) -> None:
    result = parley_process(*command)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
