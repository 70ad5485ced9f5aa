"""What the README shows works: its Python runs, its commands and files exist."""

import re
from pathlib import Path

import pytest

from pipeline.cli.main import cli
from pipeline.recipes.load import shipped_recipes
from tests.tables import each_row

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = ROOT / "pipeline" / "samples" / "instructions_en.json"
    job = ["run", "tone-dry-run", "--input", str(samples), "--limit", "8", "--out", str(tmp_path / "demo")]
    cli([*job, "--runner", "local"], standalone_mode=False)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert re.search(r"^user \S+ \d+\.\d s \w", printed, flags=re.M)


def test_every_command_of_the_readme_exists() -> None:
    for words in re.findall(r"parley ([a-z]+(?: [a-z][a-z-]*)?)", README):
        first, *rest = words.split()
        command = cli.commands.get(first)
        if command is None:
            assert first in {"is", "turns", "runs"}, f"parley {words}"
        elif rest and hasattr(command, "commands"):
            assert rest[0] in command.commands


def test_every_recipe_of_the_readme_ships() -> None:
    assert set(re.findall(r"parley run ([a-z0-9-]+)", README)) <= set(shipped_recipes())


@each_row("document", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_every_file_that_is_linked_is_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", text) if not t.startswith("http")]
    assert [t for t in targets if not (ROOT / document).parent.joinpath(t).exists()] == []


def test_every_script_of_the_benchmarks_is_named() -> None:
    assert sorted(f"benchmarks/{p.name}" for p in (ROOT / "benchmarks").glob("*.py")) == sorted(
        set(re.findall(r"benchmarks/\w+\.py", README))
    )
