"""The words with which dialogues overlap, read from the prompt store and compiled once per process."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from manifests.schema import Role
from pipeline.prompts import load_cached, split_name
from pipeline.yaml_text import load_yaml

WORDING = "rules-overlap/v1"


@dataclass(frozen=True, slots=True)
class Saying:
    """What a user says who breaks in, and what the agent replies; "" if nothing."""

    say: str
    reply: str


@dataclass(frozen=True, slots=True)
class Silence:
    """What an agent `asks` a user who says nothing.

    The user answers with `next` before another question, or with `last`, to which the agent says `reply`.
    """

    ask: str
    next: str
    last: str
    reply: str


@dataclass(frozen=True, slots=True)
class OverlapWording:
    """The wording of one language; the comments in its file explain each part."""

    clause_end: re.Pattern[str]
    openers: frozenset[str]
    backchannels: Mapping[Role, tuple[str, ...]]
    leads: tuple[str, ...]
    needs_the_end: re.Pattern[str]
    interruptions: tuple[Saying, ...]
    stop: Saying
    repeats: re.Pattern[str]
    restarts: tuple[str, ...]
    repairs: tuple[str, ...]
    confused: tuple[tuple[str, ...], ...]
    no_number_beside: re.Pattern[str]
    pauses_before: re.Pattern[str]
    asides: tuple[str, ...]
    background: tuple[str, ...]
    silences: tuple[Silence, ...]


@lru_cache(maxsize=8)
def overlap_wording(language: str) -> OverlapWording:
    """Return the wording of the language; raises UserError if there is none."""
    task, version = split_name(WORDING)
    data: dict[str, Any] = load_yaml(load_cached(task, language, version).text)
    return OverlapWording(
        clause_end=_compile(data["clause_end"]),
        openers=frozenset(data["openers"].split()),
        backchannels={"user": tuple(data["backchannels"]["user"]), "agent": tuple(data["backchannels"]["agent"])},
        leads=tuple(data["leads"]),
        needs_the_end=_compile(data["needs_the_end"]),
        interruptions=tuple(Saying(**entry) for entry in data["interruptions"]),
        stop=Saying(**data["stop"]),
        repeats=_compile(data["repeats"].replace("| ", "|")),
        restarts=tuple(data["restarts"]),
        repairs=tuple(data["repairs"]),
        confused=tuple(tuple(line.split()) for line in data["confused"]),
        no_number_beside=_compile(rf"(?:{data['no_number_beside']})"),
        pauses_before=_compile(data["pauses_before"]),
        asides=tuple(data["asides"]),
        background=tuple(data["background"]),
        silences=tuple(Silence(**entry) for entry in data["silences"]),
    )


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
