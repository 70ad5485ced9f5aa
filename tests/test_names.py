"""One word for one thing: no public class name is defined in two modules, and every word of docs/words.md is true."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("manifests", "voicebank", "pipeline", "parley")


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def public_classes(file: Path) -> set[str]:
    """The names of the module's own classes, wherever they are defined in it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return {name for name in names if not name.startswith("_")}


def defined_twice() -> dict[str, list[str]]:
    """Class names that more than one module defines, with those modules."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in modules():
        for name in public_classes(file):
            found[name].append(str(file.relative_to(ROOT)))
    return {name: sorted(files) for name, files in sorted(found.items()) if len(files) > 1}


def test_no_public_class_name_is_defined_in_two_modules() -> None:
    doubled = defined_twice()
    assert not doubled, "\n" + "\n".join(f"{name}: {', '.join(files)}" for name, files in doubled.items())


WORDS = ROOT / "docs" / "words.md"


def word_rows() -> list[list[str]]:
    """The rows of all tables of docs/words.md: word, meaning, where, not."""
    lines = [line for line in WORDS.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if row[0] != "word"]


def code_in(column: int) -> list[str]:
    return [code for row in word_rows() for code in re.findall(r"`([^`]+)`", row[column])]


def parts_of(identifier: str) -> set[str]:
    """The words of an identifier, snake or camel case, in lower case."""
    return {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}


def identifiers(file: Path) -> Iterator[str]:
    """The names that a module gives: its own, and those of its classes, functions, arguments and fields."""
    yield from file.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_every_word_has_one_meaning() -> None:
    rows = word_rows()
    assert len(rows) > 30
    words = [word.strip() for row in rows for word in row[0].split(",")]
    assert len(set(words)) == len(words)
    assert [row for row in rows if len(row) != 4 or not row[1]] == []


def exists(name: str) -> bool:
    """Whether there is a module of that name, or an attribute of one."""
    module, _, attribute = name.rpartition(".")
    try:
        if module and hasattr(importlib.import_module(module), attribute):
            return True
        return bool(importlib.import_module(name))
    except ModuleNotFoundError:
        return False


def test_what_carries_a_word_exists() -> None:
    assert [name for name in code_in(2) if not exists(name)] == []


def test_no_name_in_the_code_holds_a_word_that_is_not_used() -> None:
    banned = set(code_in(3))
    assert {"licence", "fingerprint"} <= banned
    found = {(str(file.relative_to(ROOT)), name) for file in modules() for name in identifiers(file)}
    assert sorted((file, name) for file, name in found if parts_of(name) & banned) == []
