"""The prompt store: LOCK is true, and nothing else is loaded."""

import hashlib
from pathlib import Path

import pytest

from manifests.errors import UserError
from pipeline.prompts import load_prompt, main, prompt_digest, prompt_root, read_lock, write_lock

FILES = sorted(path for path in prompt_root().rglob("v*") if path.suffix in {".yaml", ".txt"})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    for name, text in (("greet/en/v1.txt", "hello"), ("greet/zh/v1.yaml", "你好: 1"), ("part/en/v2.txt", "bye")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    write_lock(root)
    return root


def test_lock_names_every_file_that_ships_and_nothing_else() -> None:
    assert set(read_lock(prompt_root())) == {path.relative_to(prompt_root()).as_posix() for path in FILES}
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(prompt_root()).as_posix())
def test_lock_holds_the_hash_of_every_file(path: Path) -> None:
    name = path.relative_to(prompt_root()).as_posix()
    assert read_lock(prompt_root())[name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_prompt_says_what_it_is(store: Path) -> None:
    prompt = load_prompt("greet", "zh", root=store)
    assert (prompt.name, prompt.version, prompt.text) == ("greet/zh/v1.yaml", "v1", "你好: 1")
    assert prompt.sha256 == hashlib.sha256("你好: 1".encode()).hexdigest()
    assert load_prompt("part", "en", "v2", root=store).text == "bye"


@pytest.mark.parametrize(
    ("task", "language", "version"),
    [
        ("greet", "fr", "v1"),
        ("greet", "en", "v9"),
        ("nothing", "en", "v1"),
        ("../greet", "en", "v1"),
        ("greet", "..", "v1"),
        ("greet", "en", "v1.txt"),
        ("", "en", "v1"),
    ],
)
def test_what_is_not_there_is_one_line(store: Path, task: str, language: str, version: str) -> None:
    with pytest.raises(UserError) as error:
        load_prompt(task, language, version, root=store)
    assert "\n" not in str(error.value)


def test_a_name_is_never_a_path(store: Path) -> None:
    outside = store.parent / "greet" / "en"
    outside.mkdir(parents=True)
    (outside / "v1.txt").write_text("outside", "utf-8")
    with pytest.raises(UserError, match="no prompt"):
        load_prompt("../greet", "en", root=store)


def test_a_changed_file_is_refused(store: Path) -> None:
    (store / "greet/en/v1.txt").write_text("hello!", "utf-8")
    with pytest.raises(UserError, match="not the file that LOCK describes") as error:
        load_prompt("greet", "en", root=store)
    assert "\n" not in str(error.value)


def test_a_file_that_nobody_locked_is_refused(store: Path) -> None:
    (store / "greet/en/v2.txt").write_text("new", "utf-8")
    with pytest.raises(UserError, match="not in LOCK"):
        load_prompt("greet", "en", "v2", root=store)
    write_lock(store)
    assert load_prompt("greet", "en", "v2", root=store).text == "new"


def test_a_broken_lock_is_refused(store: Path) -> None:
    (store / "LOCK").write_text("nonsense\n", "utf-8")
    with pytest.raises(UserError, match="sha256"):
        load_prompt("greet", "en", root=store)


def test_lock_is_sorted_and_stable(store: Path) -> None:
    first = (store / "LOCK").read_text("utf-8")
    assert write_lock(store) == 3
    assert (store / "LOCK").read_text("utf-8") == first
    names = [line.split("  ")[1] for line in first.splitlines()]
    assert names == sorted(names)


def test_digest_depends_on_the_set_of_prompts_and_their_text(store: Path) -> None:
    both = prompt_digest(["greet"], ["en", "zh"], root=store)
    assert both == prompt_digest(["greet", "greet"], ["zh", "en"], root=store)
    assert both != prompt_digest(["greet"], ["en"], root=store)
    (store / "greet/en/v1.txt").write_text("hi", "utf-8")
    write_lock(store)
    assert both != prompt_digest(["greet"], ["en", "zh"], root=store)


def test_the_command_checks_and_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert main([]) == 2
    assert main(["unlock"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage" in captured.err


def test_the_command_locks_and_finds_a_changed_file(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.prompts.prompt_root", lambda: store)
    (store / "greet/en/v1.txt").write_text("changed", "utf-8")
    assert main(["check"]) == 2
    assert "greet/en/v1.txt" in capsys.readouterr().err
    assert main(["lock"]) == 0
    assert main(["check"]) == 0
