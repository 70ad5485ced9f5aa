"""The prompt store: LOCK is true, and nothing else is loaded."""

import hashlib
from pathlib import Path

import pytest

from manifests.errors import UserError
from pipeline.prompts import (
    complaints_version,
    load_prompt,
    main,
    named_digest,
    prompt_digest,
    prompt_names,
    prompt_root,
    read_lock,
    split_name,
    write_lock,
)
from tests.tables import each_row

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


@each_row("path", FILES, ids=lambda path: path.relative_to(prompt_root()).as_posix())
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
def test_a_missing_prompt_is_a_one_line_error(store: Path, task: str, language: str, version: str) -> None:
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


@pytest.fixture
def chat_store(tmp_path: Path) -> Path:
    """A template in two languages, and two versions of the complaints."""
    root = tmp_path / "chat"
    for language in ("en", "zh"):
        for name, text in (
            ("ask/{}/v1.yaml", "task: rewrite\ncomplaints: v1\n"),
            ("ask/{}/v2.yaml", "task: rewrite\ncomplaints: v2\n"),
            ("complaints/{}/v1.yaml", "empty: say something\n"),
            ("complaints/{}/v2.yaml", "empty: please say something\n"),
        ):
            path = root / name.format(language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    write_lock(root)
    return root


def test_the_store_says_what_it_holds(store: Path, chat_store: Path) -> None:
    found = {str(name): name.languages for name in prompt_names(store)}
    assert found == {"greet/v1": ("en", "zh"), "part/v2": ("en",)}
    names = ["ask/v1", "ask/v2", "complaints/v1", "complaints/v2"]
    assert [str(name) for name in prompt_names(chat_store)] == names


def test_versions_are_sorted_as_numbers(store: Path) -> None:
    for version in ("v9", "v10"):
        (store / f"part/en/{version}.txt").write_text(version, "utf-8")
    write_lock(store)
    assert [name.version for name in prompt_names(store) if name.task == "part"] == ["v2", "v9", "v10"]


def test_a_named_digest_of_a_plain_prompt_is_the_digest_of_its_files(store: Path) -> None:
    assert named_digest("greet/v1", ["zh", "en"], store) == prompt_digest(["greet"], ["en", "zh"], root=store)
    assert named_digest("part/v2", ["en"], store) == prompt_digest(["part"], ["en"], "v2", store)


@pytest.mark.parametrize(
    ("changed", "languages", "differs"),
    [
        ("ask/en/v1.yaml", ["en", "zh"], True),
        ("complaints/en/v1.yaml", ["en", "zh"], True),
        ("complaints/zh/v1.yaml", ["en", "zh"], True),
        ("complaints/zh/v1.yaml", ["en"], False),
        ("complaints/en/v2.yaml", ["en", "zh"], False),
        ("ask/en/v2.yaml", ["en", "zh"], False),
    ],
)
def test_a_templates_digest_covers_the_complaints_that_it_names(
    chat_store: Path, changed: str, languages: list[str], differs: bool
) -> None:
    before = named_digest("ask/v1", languages, chat_store)
    with (chat_store / changed).open("a", encoding="utf-8") as file:
        file.write("# more\n")
    write_lock(chat_store)
    assert (named_digest("ask/v1", languages, chat_store) != before) == differs


def test_a_named_digest_does_not_depend_on_the_order_of_languages(chat_store: Path) -> None:
    one = named_digest("ask/v1", ["zh", "en", "zh"], chat_store)
    assert one == named_digest("ask/v1", iter(["en", "zh"]), chat_store)
    assert one != named_digest("ask/v1", ["en"], chat_store)


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("a/en/v1.yaml", "complaints: v2", "v2"),
        ("a/en/v1.yaml", "- complaints", None),
        ("a/en/v1.yaml", "words: 1", None),
        ("a/en/v1.yaml", "", None),
        ("a/en/v1.txt", "complaints: v2", None),
    ],
)
def test_a_template_is_what_names_its_complaints(tmp_path: Path, name: str, text: str, version: str | None) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    write_lock(tmp_path)
    assert complaints_version(load_prompt("a", "en", root=tmp_path)) == version


@pytest.mark.parametrize("name", ["ask", "ask/", "/v1", "ask/en/v1", "../ask/v1", "Ask/v1", "", "ask/v1\n"])
def test_a_name_needs_its_version(chat_store: Path, name: str) -> None:
    with pytest.raises(UserError, match="ke-rewrite/v2") as error:
        named_digest(name, ["en"], chat_store)
    assert "\n" not in str(error.value)


def test_a_name_is_split() -> None:
    assert split_name("ke-rewrite/v12") == ("ke-rewrite", "v12")


@pytest.mark.parametrize(
    ("broken", "match"),
    [("complaints/en/v1.yaml", "no prompt 'complaints/en/v1'"), ("ask/en/v1.yaml", "no prompt 'ask/en/v1'")],
)
def test_a_digest_of_what_is_not_there_is_refused(chat_store: Path, broken: str, match: str) -> None:
    (chat_store / broken).unlink()
    with pytest.raises(UserError, match=match):
        named_digest("ask/v1", ["en"], chat_store)


def test_invalid_yaml_is_a_one_line_error(chat_store: Path) -> None:
    (chat_store / "ask/en/v1.yaml").write_text("a: [1\nb: 2\n", "utf-8")
    write_lock(chat_store)
    with pytest.raises(UserError, match=r"ask/en/v1\.yaml is not valid YAML") as error:
        named_digest("ask/v1", ["en"], chat_store)
    assert "\n" not in str(error.value)


def test_a_path_in_lock_has_three_parts(store: Path) -> None:
    (store / "LOCK").write_text(f"{'0' * 64}  greet/v1.txt\n", "utf-8")
    with pytest.raises(UserError, match="task/language/file"):
        prompt_names(store)


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


def test_bytes_that_are_no_text_are_refused(store: Path) -> None:
    file = next(iter(sorted(store.rglob("v*.*"))))
    file.write_bytes(b"\xff")
    write_lock(store)
    task, language, name = file.relative_to(store).parts
    with pytest.raises(UserError, match="is not UTF-8 text"):
        load_prompt(task, language, Path(name).stem, store)
    (store / "LOCK").write_bytes(b"\xff")
    with pytest.raises(UserError, match="LOCK: it is not UTF-8 text"):
        read_lock(store)
