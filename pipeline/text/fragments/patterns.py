"""Read the patterns that recognize orders, labels and remarks from the prompt store; compile them once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from manifests.errors import UserError
from pipeline.prompts import load_cached
from pipeline.yaml_text import load_yaml

Pattern = re.Pattern[str]

PATTERNS = "fragment-tasks/v1"
"""Template and version of the patterns, in the form in which a stage names the wording that it uses."""

KINDS = (
    "translation",
    "sentiment",
    "keywords",
    "title",
    "summarizing",
    "correction",
    "paraphrase",
    "editing",
    "conversion",
    "ordering",
    "classification",
    "comparison",
    "continuation",
    "extraction",
    "questions",
    "question_answering",
    "analysis",
    "other",
)
"""What a task does to its material; "other" is an unlisted task about a text that the order points at."""

_WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class TaskWording:
    """The patterns of one language.

    `kinds` are tried in order; a kind of None ends the search. `fewest` is the least length of material, by kind.
    """

    kinds: tuple[tuple[str | None, Pattern], ...]
    pointer: Pattern
    refers_back: Pattern
    remark: Pattern
    command: Pattern
    points_beside: Pattern
    announces: Pattern
    chooses: Pattern
    not_material: Pattern
    material_label: Pattern
    material_mark: Pattern
    order_label: Pattern
    left_out_label: Pattern
    question_label: Pattern
    reply_label: Pattern
    speaker: Pattern
    reply_speaker: Pattern
    names_a_work: Pattern
    named_behind: Pattern
    form: Pattern
    foreign: Pattern
    fewest: Mapping[str, int]


@lru_cache(maxsize=8)
def task_wording(language: str) -> TaskWording:
    """Load the patterns of a language.

    Raises UserError where the store has no patterns for the language, or they name a kind that is not in `KINDS`.
    """
    data: dict[str, Any] = load_yaml(load_cached("fragment-tasks", language).text)
    parts: dict[str, str] = data.pop("parts")
    kinds = tuple((_kind(kind), _compile(pattern, parts)) for kind, pattern in data.pop("kinds"))
    fewest = data.pop("fewest")
    return TaskWording(
        kinds=kinds, fewest=fewest, **{name: _compile(pattern, parts) for name, pattern in data.items()}
    )


def _kind(name: str) -> str | None:
    if name == _WHOLE:
        return None
    if name not in KINDS:
        raise UserError(f"fragment-tasks: there is no kind {name!r}; the kinds are {', '.join(KINDS)}")
    return name


def _compile(pattern: str, parts: dict[str, str]) -> Pattern:
    # A part may contain earlier parts, so the last part is inserted first.
    for name in reversed(parts):
        pattern = pattern.replace(f"{{{name}}}", f"(?:{parts[name]})")
    return re.compile(pattern, re.IGNORECASE)
