"""The wording and the patterns of the rules, read from the prompt store and compiled once per process."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.prompts import load_cached, parsed_prompt

Pattern = re.Pattern[str]

WORDING = "v2"
"""The version of the rules' wording in the prompt store."""

MAX_CHARACTERS = 4000
"""How much of an untrusted text the rules look at: some patterns take time in the square of its length. This is twenty
times the longest question, and six times the longest answer, that can come out."""

# No word and no number that is said aloud is this long.
_ENDLESS = re.compile(r"[A-Za-z0-9]{60}")


@dataclass(frozen=True, slots=True)
class Fillers:
    """Shares are probabilities in 0..1; an inner filler is put after one of the words that `after` matches."""

    opening_share: float
    opening: tuple[str, ...]
    inner_share: float
    inner: tuple[str, ...]
    after: Pattern


@dataclass(frozen=True, slots=True)
class RewriteWording:
    strip: tuple[Pattern, ...]
    material_labels: Pattern
    empty_material: Pattern
    insertion: Pattern
    imperative: Pattern
    question: Pattern
    spoken: tuple[tuple[Pattern, tuple[str, ...]], ...]
    verbs: Mapping[str, tuple[str, ...]]
    templates: tuple[str, ...]
    topic: Pattern
    topic_templates: tuple[str, ...]
    joins: tuple[str, ...]
    quotes: Pattern
    quote_joins: tuple[str, ...]
    several: Pattern
    several_joins: tuple[str, ...]
    plain_join: str
    fillers: Fillers


@dataclass(frozen=True, slots=True)
class ScreenWording:
    source: Mapping[str, tuple[Pattern, ...]]
    answer: Mapping[str, tuple[Pattern, ...]]
    genre_request: Pattern
    short_writing: Pattern
    verse: Pattern
    media_pointers: tuple[Pattern, ...]
    media_pointers_at_text: tuple[Pattern, ...]
    pointers: tuple[Pattern, ...]
    whole_text: Pattern
    how_to: Pattern
    asks_for_apology: Pattern
    asks_otherwise: Pattern
    personal: Pattern
    refusals: Mapping[str, tuple[Pattern, ...]]
    small_talk: Pattern
    min_length: int
    other_language: tuple[Pattern, ...]
    text_characters: Pattern
    rare_symbols: Pattern
    harmless: tuple[Pattern, ...]
    unsafe: Mapping[str, tuple[Pattern, ...]]


@dataclass(frozen=True, slots=True)
class RespondWording:
    ordinals: tuple[str, ...]
    item: str
    last_item: str
    and_: str
    comma: str
    runs_on: Pattern
    empty_lead: Pattern
    announces: Pattern
    dangling: Pattern
    not_spoken: tuple[Pattern, ...]
    verse_words: int
    leans_on: Pattern
    needs_whole: Pattern
    needs_bodies: Pattern
    needs_more: Pattern
    turns: Pattern
    asks_for_list: Pattern
    numbers: Mapping[str, int]


@lru_cache(maxsize=8)
def rewrite_wording(language: str) -> RewriteWording:
    data = _load("rules-rewrite", language)
    verbs = "|".join(sorted(data["imperatives"].split(), key=len, reverse=True))
    end = r"\b" if language == "en" else ""
    fillers = data["fillers"]
    return RewriteWording(
        strip=_compile_all(data["strip"]),
        material_labels=_compile(rf"^{data['material_labels']}\s*[:：=-]\s*"),
        empty_material=_compile(rf"^{data['empty_material']}$"),
        insertion=_compile(data["insertion"]),
        imperative=_compile(rf"^(?:{verbs}){end}"),
        question=_compile(rf"^{data['questions']}"),
        spoken=tuple((_compile(pattern), tuple(texts)) for pattern, texts in data["spoken"]),
        verbs={verb: tuple(texts) for verb, texts in data["verbs"].items()},
        templates=tuple(data["frames"]),
        topic=_compile(data["topic"]),
        topic_templates=tuple(data["topic_frames"]),
        joins=tuple(data["joins"]),
        quotes=_compile(data["quotes"]),
        quote_joins=tuple(data["quote_joins"]),
        several=_compile(data["several"]),
        several_joins=tuple(data["several_joins"]),
        plain_join=data["plain_join"],
        fillers=Fillers(
            opening_share=fillers["opening_share"],
            opening=tuple(fillers["opening"]),
            inner_share=fillers["inner_share"],
            inner=tuple(fillers["inner"]),
            after=_compile(rf"(?<= )(?:{'|'.join(fillers['after']) or '(?!)'})(?= [a-z])"),
        ),
    )


@lru_cache(maxsize=8)
def screen_wording(language: str) -> ScreenWording:
    data = _load("rules-screen", language)
    kinds = ("code", "table", "media", "maths", "long_writing")
    return ScreenWording(
        source={kind: _compile_all(data[kind]["source"]) for kind in kinds},
        answer={kind: _compile_all(data[kind]["answer"]) for kind in kinds if "answer" in data[kind]},
        genre_request=_genre_request(data["long_writing"], language),
        short_writing=_compile(data["long_writing"]["short"]),
        verse=_compile(data["long_writing"]["verse"]),
        media_pointers=_compile_all(data["media"]["pointers"]),
        media_pointers_at_text=_compile_all(data["media"]["pointers_at_text"]),
        pointers=_compile_all(data["missing"]["pointers"]),
        whole_text=_compile(data["missing"]["whole_text"]),
        how_to=_compile(data["missing"]["how_to"]),
        asks_for_apology=_compile(data["asks_for_apology"]),
        asks_otherwise=_compile(data["asks_otherwise"]),
        personal=_compile(data["personal"]),
        refusals={kind: _compile_all(patterns) for kind, patterns in data["refusals"].items()},
        small_talk=_compile(rf"^{data['small_talk']}$"),
        min_length=data["min_length"],
        other_language=_compile_all(data["other_language"]),
        text_characters=re.compile(rf"[\w\s{data['text_characters']}]"),
        rare_symbols=re.compile(rf"[^\w\s{data['said_symbols']}]"),
        harmless=_compile_all(data["unsafe"]["harmless"]),
        unsafe={k: _compile_all(patterns) for k, patterns in data["unsafe"].items() if k != "harmless"},
    )


@lru_cache(maxsize=8)
def respond_wording(language: str) -> RespondWording:
    data = _load("rules-respond", language)
    return RespondWording(
        ordinals=tuple(data["ordinals"]),
        item=data["item"],
        last_item=data["last_item"],
        and_=data["and"],
        comma=data["comma"],
        runs_on=_compile(data["runs_on"]),
        empty_lead=_compile(data["empty_lead"]),
        announces=_compile(data["announces"]),
        dangling=_compile(data["dangling"]),
        not_spoken=_compile_all(data["not_spoken"]),
        verse_words=data["verse_words"],
        leans_on=_compile(data["leans_on"]),
        needs_whole=_compile(data["needs_whole"]),
        needs_bodies=_compile(data["needs_bodies"]),
        needs_more=_compile(data["needs_more"]),
        turns=_compile(data["turns"]),
        asks_for_list=_compile(data["asks_for_list"]),
        numbers=data["numbers"],
    )


def _genre_request(data: Mapping[str, str], language: str) -> Pattern:
    """Match a verb of writing whose object is a genre, with no word between them that changes what is asked for."""
    if language == "zh":
        # The genre ends the clause: Chinese puts the topic of the text before it.
        gap = rf"(?:(?!{data['between_not']})[^。？！，、：:])" + "{0,40}?"
        return _compile(rf"{data['verbs']}{gap}{data['genres']}(?!{data['followed_by']}|的)(?=[。，：:！？\s]|$)")
    gap = rf"(?:(?!{data['between_not']}\b)[\w'’-]+ )" + "{0,7}?"
    genres = data["genres"]
    plural = r"(?:s|es)?"
    return _compile(rf"{data['order']}{data['verbs']} {gap}{genres}{plural}\b(?! {data['followed_by']}\b)")


def _load(task: str, language: str) -> dict[str, Any]:
    data: dict[str, Any] = parsed_prompt(load_cached(task, language, WORDING).text)
    return data


def _compile(pattern: str) -> Pattern:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


def _compile_all(patterns: Sequence[str]) -> tuple[Pattern, ...]:
    return tuple(_compile(pattern) for pattern in patterns)


def beginning(text: str) -> str:
    """Return the part of the text that the patterns are tried on."""
    return text[:MAX_CHARACTERS]


def is_endless(text: str) -> bool:
    """Tell whether the text has a run of letters or digits that nobody can say."""
    return _ENDLESS.search(text) is not None


def first_match(patterns: Sequence[Pattern], text: str) -> str | None:
    """Return what the first matching pattern matches, or None."""
    for pattern in patterns:
        if match := pattern.search(text):
            return match.group().strip()
    return None
