"""Read the patterns of the debris from the prompt store; compile them once.

The patterns of all languages apply to every text: an English row may have 无 as its input, a Chinese answer may begin
with "Assistant:".
"""

import re
from dataclasses import dataclass, fields
from functools import lru_cache

from pipeline.prompts import load_cached
from pipeline.yaml_text import load_yaml

Pattern = re.Pattern[str]

PATTERNS = "debris/v2"
"""Template and version of the patterns, in the form in which a stage names the wording that it uses."""

_LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class DebrisWording:
    """What to look for; the file of each language explains its patterns."""

    no_input: Pattern
    no_answer: Pattern
    no_answer_unless_asked: Pattern
    asks_for_word: Pattern
    only_agrees: Pattern
    asks_permission: Pattern
    only_announces: Pattern
    error: Pattern
    about_errors: Pattern
    user_label: Pattern
    agent_label: Pattern
    question_label: Pattern
    answer_label: Pattern
    page_line: Pattern
    machine: Pattern
    about_agent: Pattern
    declines: Pattern
    runs_into_next_line: Pattern


@lru_cache(maxsize=1)
def debris_wording() -> DebrisWording:
    """Return the patterns, those of each language as alternatives."""
    files = [load_yaml(load_cached("debris", language, PATTERNS.partition("/")[2]).text) for language in _LANGUAGES]
    joined = {name: "|".join(_one_line(file[name]) for file in files) for name in files[0]}
    return DebrisWording(**{field.name: _compile(f"(?:{joined[field.name]})") for field in fields(DebrisWording)})


def _one_line(pattern: str) -> str:
    return "".join(line.strip() for line in pattern.splitlines())


def _compile(pattern: str) -> Pattern:
    return re.compile(pattern, re.IGNORECASE)
