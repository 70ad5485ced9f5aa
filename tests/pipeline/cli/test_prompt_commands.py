"""`parley prompts`: the list of the store, and the messages as a model gets them."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from manifests.errors import UserError
from pipeline.cli.prompts import list_prompts, render
from pipeline.prompts import named_digest, write_lock
from tests.commands import run_parley

DOCS = Path(__file__).parents[3] / "docs"
SHOWN = re.findall(r"^parley prompts (.+)$", (DOCS / "prompts.md").read_text("utf-8"), re.MULTILINE)

TEMPLATE = """
task: rewrite
complaints: v1
system: |
  At most $max_length words. Reply with {{"question": "..."}}. Only {language}.
exchange: |
  A: $question
  B: $answer
forms:
  whole: |
    Say this: $instruction
  next: |
    So far: $history
    And now: $instruction
answer: {{question: string}}
"""
COMPLAINTS = """
malformed: "again: $keys"
cut_off: shorter
empty: "fill $field"
too_long: "$field: $length, not $limit"
unpronounceable: "$field: $characters"
wrong_language: "$field: English"
repeated: "$field: another"
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    files = {
        "ask/en/v1.yaml": TEMPLATE.format(language="English"),
        "ask/zh/v1.yaml": TEMPLATE.format(language="Chinese"),
        "ask/en/v2.yaml": TEMPLATE.format(language="plain English"),
        "complaints/en/v1.yaml": COMPLAINTS,
        "complaints/zh/v1.yaml": COMPLAINTS,
        "words/en/v1.txt": "hello",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    write_lock(tmp_path)
    return tmp_path


def parley(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_parley("prompts", *arguments)


def without_tags(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}", "TAG", text)


def test_the_list_has_a_line_for_each_prompt(store: Path) -> None:
    assert [line.split("\t") for line in list_prompts(root=store).splitlines()] == [
        ["ask", "en,zh", "v1", "rewrite", "instruction", named_digest("ask/v1", ["en", "zh"], store)[:16]],
        ["ask", "en", "v2", "rewrite", "instruction", named_digest("ask/v2", ["en"], store)[:16]],
        ["complaints", "en,zh", "v1", "-", "-", named_digest("complaints/v1", ["en", "zh"], store)[:16]],
        ["words", "en", "v1", "-", "-", named_digest("words/v1", ["en"], store)[:16]],
    ]


def test_the_list_of_a_language_has_the_hashes_of_that_language(store: Path) -> None:
    assert [line.split("\t")[::5] for line in list_prompts(["zh"], store).splitlines()] == [
        ["ask", named_digest("ask/v1", ["zh"], store)[:16]],
        ["complaints", named_digest("complaints/v1", ["zh"], store)[:16]],
    ]


def test_the_messages_stand_under_their_roles(store: Path) -> None:
    text = render("ask/v1", "en", None, ["instruction=Boil $5 {eggs} = 1"], ["max_length=60"], root=store)
    assert without_tags(text) == (
        "=== system ===\n"
        'At most 60 words. Reply with {"question": "..."}. Only English.\n'
        "\n"
        "=== user ===\n"
        "Say this: <<<TAG\n"
        "Boil $5 {eggs} = 1\n"
        "TAG>>>"
    )


def test_a_history_becomes_exchanges(store: Path) -> None:
    text = render("ask/v1", "zh", "next", ["instruction=c"], ["max_length=9"], ["a|b", "x|y|z"], store)
    assert without_tags(text).endswith(
        "So far: <<<TAG\nA: a\nB: b\nA: x\nB: y|z\nTAG>>>\nAnd now: <<<TAG\nc\nTAG>>>"  # the first bar divides
    )
    assert "Only Chinese." in text


def test_a_variable_may_be_a_file(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "request.txt"
    path.write_text("two\nlines, 你好\n", "utf-8")
    text = render("ask/v1", "en", None, [f"instruction=@{path}"], ["max_length=60"], root=store)
    assert without_tags(text).endswith("<<<TAG\ntwo\nlines, 你好\nTAG>>>")


@pytest.mark.parametrize(
    ("name", "language", "form", "variables", "options", "history", "says"),
    [
        ("ask/v1", "en", None, [], ["max_length=60"], [], "variables are instruction; given are none"),
        ("ask/v1", "en", None, ["instruction=x", "other=y"], ["max_length=6"], [], "given are instruction, other"),
        ("ask/v1", "en", None, ["instruction=x"], [], [], "no option max_length"),
        (
            "ask/v1",
            "en",
            None,
            ["instruction=x"],
            ["max_block=6"],
            [],
            "no option max_block; its options are max_length",
        ),
        ("ask/v1", "en", None, ["instruction"], ["max_length=60"], [], "must read name=value"),
        ("ask/v1", "en", None, ["=x"], ["max_length=60"], [], "must read name=value"),
        ("ask/v1", "en", None, ["instruction=@gone"], ["max_length=60"], [], "cannot read gone: No such file"),
        ("ask/v1", "en", None, ["instruction=@."], ["max_length=60"], [], "cannot read .: Is a directory"),
        ("ask/v1", "en", None, ["instruction=@\0"], ["max_length=60"], [], "not UTF-8"),
        ("ask/v1", "en", "fragment", ["fragment=x"], ["max_length=60"], [], "no form 'fragment'"),
        ("ask/v1", "en", "next", ["instruction=x"], ["max_length=60"], [], "needs a history"),
        ("ask/v1", "en", "next", ["instruction=x"], ["max_length=60"], ["a"], "must read question|answer"),
        ("ask/v1", "en", "whole", ["instruction=x"], ["max_length=60"], ["a|b"], "takes no history"),
        ("ask/v1", "fr", None, ["instruction=x"], ["max_length=60"], [], "no prompt 'ask/fr/v1'"),
        ("ask/v7", "en", None, ["instruction=x"], ["max_length=60"], [], "no prompt 'ask/en/v7'"),
        ("ask", "en", None, ["instruction=x"], ["max_length=60"], [], "as in ke-rewrite/v2"),
        ("words/v1", "en", None, [], [], [], "is not a template"),
        ("complaints/v1", "en", None, [], [], [], "is not a template"),
    ],
)
def test_what_does_not_suit_is_one_line(
    store: Path,
    name: str,
    language: str,
    form: str | None,
    variables: list[str],
    options: list[str],
    history: list[str],
    says: str,
) -> None:
    with pytest.raises(UserError) as error:
        render(name, language, form, variables, options, history, store)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_text_is_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not UTF-8 text"):
        render("ask/v1", "en", None, [f"instruction=@{tmp_path / 'picture'}"], ["max_length=60"], root=store)


def test_the_command_lists_what_ships() -> None:
    result = parley("list", "--language", "en")
    rows = {tuple(line.split("\t")[:5]) for line in result.stdout.splitlines()}
    assert ("ke-rewrite", "en", "v2", "rewrite", "instruction,fragment") in rows
    assert ("instructs2s-converse", "en", "v2", "converse", "-") in rows
    assert (result.returncode, result.stderr) == (0, "")


def test_the_command_shows_a_prompt() -> None:
    request = ["ke-screen/v2", "--language", "zh", "--form", "next", "--var", "question=那呢？"]
    result = parley("render", *request, "--history", "你好|你好啊")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("=== system ===\n")
    assert without_tags(result.stdout).count("<<<TAG\n") == 2
    assert "用户：你好\n助手：你好啊\n" in result.stdout


@pytest.mark.parametrize("shown", SHOWN)
def test_what_the_documentation_shows_works(shown: str) -> None:
    result = parley(*shlex.split(shown))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout


def test_the_documentation_shows_both_commands() -> None:
    assert {shown.split()[0] for shown in SHOWN} == {"list", "render"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["render", "ke-rewrite/v2", "--language", "en"], "variables are instruction"),
        (["render", "ke-rewrite/v2", "--language", "en", "--var", "x=1"], "given are x"),
        (["render", "ke-rewrite/v2"], "--language"),
        (["render", "../etc/passwd", "--language", "en"], "as in ke-rewrite/v2"),
        (["show"], "No such command"),
    ],
)
def test_a_wrong_command_ends_with_code_2(arguments: list[str], says: str) -> None:
    result = parley(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert says in result.stderr
    assert "Traceback" not in result.stderr
