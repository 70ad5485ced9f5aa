"""Read the store of prompts, `prompts/<task>/<language>/vN.(yaml|txt)`, and check each file against `prompts/LOCK`.

A prompt is wording that changes the corpus: the tables of the rules engine, and the templates of language models. A
version that was used never changes; new wording needs a new version. `python -m pipeline.prompts lock` rewrites LOCK.
"""

import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from manifests.errors import UserError
from pipeline.yaml_text import load_yaml

COMPLAINTS = "complaints"
"""The task whose prompts tell a model why its answer cannot be used."""

_SUFFIXES = (".yaml", ".txt")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One file of the store: `name` is its path there ("rules-screen/en/v1.yaml")."""

    name: str
    version: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class PromptName:
    """A task and a version in the store, and the languages that have such a prompt."""

    task: str
    version: str
    languages: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.task}/{self.version}"


def prompt_root() -> Path:
    """Return the directory of the store that ships with Parley."""
    return Path(str(resources.files("prompts")))


def load_prompt(task: str, language: str, version: str = "v1", root: Path | None = None) -> Prompt:
    """Load a prompt and check it against LOCK. Raises UserError if it is missing or differs from LOCK."""
    root = root or prompt_root()
    name = _find(root, task, language, version)
    data = _read(root / name)
    digest = hashlib.sha256(data).hexdigest()
    locked = read_lock(root).get(name)
    if locked != digest:
        problem = "is not in LOCK" if locked is None else "is not the file that LOCK describes"
        raise UserError(f"prompt {name} {problem}; new wording needs a new version: python -m pipeline.prompts lock")
    try:
        return Prompt(name, version, digest, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UserError(f"prompt {name} is not UTF-8 text: {error}") from None


@lru_cache(maxsize=64)
def load_cached(task: str, language: str, version: str = "v1") -> Prompt:
    """Load a prompt from the store that ships, once in each process."""
    return load_prompt(task, language, version)


def prompt_names(root: Path | None = None) -> tuple[PromptName, ...]:
    """List the prompts in LOCK, sorted by task and by the number of the version."""
    languages: dict[tuple[str, str], list[str]] = {}
    for path in read_lock(root or prompt_root()):
        task, language, file = _parts(path)
        languages.setdefault((task, Path(file).stem), []).append(language)
    names = [PromptName(task, version, tuple(sorted(found))) for (task, version), found in languages.items()]
    return tuple(sorted(names, key=lambda name: (name.task, len(name.version), name.version)))


def prompt_digest(
    tasks: Iterable[str], languages: Iterable[str], version: str = "v1", root: Path | None = None
) -> str:
    """Return one sha256 over the prompts of the tasks and languages, whatever their order."""
    pairs = {(task, language) for task in tasks for language in languages}
    return _digest(load_prompt(task, language, version, root) for task, language in pairs)


def named_digest(name: str, languages: Iterable[str], root: Path | None = None) -> str:
    """Return one sha256 over the prompt of a name and version ("ke-rewrite/v2") in the languages.

    The digest of a template covers the complaints that it names, since they are the wording of its retries.
    """
    task, version = split_name(name)
    prompts = [load_prompt(task, language, version, root) for language in languages]
    wording = [
        load_prompt(COMPLAINTS, _language_of(p), used, root) for p in prompts if (used := complaints_version(p))
    ]
    return _digest([*prompts, *wording])


@lru_cache(maxsize=64)
def parsed_prompt(text: str) -> Any:
    """Return what the YAML of a prompt holds, for reading only: a table of rules takes a tenth of a second to parse.

    Raises ValueError for a text that is not YAML.
    """
    return load_yaml(text)


def split_name(name: str) -> tuple[str, str]:
    """Split a name like "ke-rewrite/v2" into task and version. Raises UserError for any other kind of name."""
    task, _, version = name.partition("/")
    if not (_NAME.fullmatch(task) and _NAME.fullmatch(version)):
        raise UserError(f"prompt {name!r}: name a task and a version, as in ke-rewrite/v2")
    return task, version


def complaints_version(prompt: Prompt) -> str | None:
    """Return the version of the complaints that a template names, or None if the prompt is not a template."""
    if not prompt.name.endswith(".yaml"):
        return None
    try:
        content = parsed_prompt(prompt.text)
    except ValueError as error:
        raise UserError(f"prompt {prompt.name} is not valid YAML: {error}") from None
    version = content.get("complaints") if isinstance(content, dict) else None
    return None if version is None else str(version)


def read_lock(root: Path) -> dict[str, str]:
    """Read LOCK as {path in the store: sha256}. Raises UserError for a line that is not "sha256  path"."""
    path = root / "LOCK"
    try:
        lines = _read(path).decode("utf-8").splitlines() if path.is_file() else []
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: it is not UTF-8 text: {error}") from None
    entries = [re.fullmatch(r"([0-9a-f]{64})  (\S+)", line) for line in lines]
    if not all(entries):
        raise UserError(f'{path}: every line must be "sha256  path"')
    return {entry[2]: entry[1] for entry in entries if entry}


def write_lock(root: Path) -> int:
    """Rewrite LOCK from the files in the store; return their number."""
    files = sorted(path for path in root.rglob("v*") if path.is_file() and path.suffix in _SUFFIXES)
    entries = {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (root / "LOCK").write_text(_lock_text(entries), "utf-8")
    return len(entries)


def main(arguments: Sequence[str]) -> int:
    """Run the command: `lock` rewrites LOCK, `check` checks every prompt against it. Return 0, or 2 on error."""
    root = prompt_root()
    if list(arguments) == ["lock"]:
        print(f"{write_lock(root)} prompts locked", file=sys.stderr)
        return 0
    if list(arguments) == ["check"]:
        return _check(root)
    print("usage: python -m pipeline.prompts lock|check", file=sys.stderr)
    return 2


def _check(root: Path) -> int:
    try:
        for name in read_lock(root):
            task, language, file = _parts(name)
            load_prompt(task, language, Path(file).stem, root)
    except UserError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _find(root: Path, task: str, language: str, version: str) -> str:
    """Return the path of a prompt in the store. The three parts are names, never paths."""
    stem = f"{task}/{language}/{version}"
    if all(_NAME.fullmatch(part) for part in (task, language, version)):
        for suffix in _SUFFIXES:
            if (root / f"{stem}{suffix}").is_file():
                return f"{stem}{suffix}"
    raise UserError(f"no prompt {stem!r} in the store; see `parley prompts list`")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def _parts(path: str) -> tuple[str, str, str]:
    """Split a path in LOCK into task, language and file."""
    parts = path.split("/")
    if len(parts) != 3:
        raise UserError(f"LOCK: {path!r} is not of the form task/language/file")
    return parts[0], parts[1], parts[2]


def _language_of(prompt: Prompt) -> str:
    return _parts(prompt.name)[1]


def _digest(prompts: Iterable[Prompt]) -> str:
    return hashlib.sha256(_lock_text({p.name: p.sha256 for p in prompts}).encode()).hexdigest()


def _lock_text(entries: dict[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(entries.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
