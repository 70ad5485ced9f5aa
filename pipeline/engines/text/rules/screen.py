"""Task "screen": finds the rows that cannot be spoken, understood or answered, and says why.

Variables `instruction`, `material`, `question`, `answer` (the data set's own). Options: `max_words` (default 200, over
instruction and material: OmniFlatten's limit) and `max_non_text_share` (default 0.3, ours: the paper gives no number).
Fields: `verdict` ("keep" or the value of a `Reason`) and `detail`.

The safety check is a short list of plain wordings, not a safety model: it misses anything that is worded differently.
"""

import re
from dataclasses import dataclass

from manifests.reasons import Reason
from pipeline.engines.contract import TextAnswer, TextRequest
from pipeline.engines.text.rules.patterns import (
    RewriteWording,
    ScreenWording,
    beginning,
    first_match,
    rewrite_wording,
    screen_wording,
)
from pipeline.text.sentences import split_sentences
from pipeline.text.verbalize import strip_markup, text_length

_MAX_WORDS = 200
_MAX_NON_TEXT_SHARE = 0.3
# A refusal stands at the beginning of an answer; later, the same words are ordinary prose.
_REFUSAL_CHARACTERS = {"en": 260, "zh": 90}
_REFUSALS = {
    "missing": Reason.MISSING_MATERIAL,
    "declined": Reason.NO_ANSWER,
    "beside_the_point": Reason.UNCLEAR,
}
_KINDS = (
    ("code", Reason.CODE),
    ("table", Reason.TABLE),
    ("media", Reason.MEDIA),
    ("maths", Reason.MATHS),
    ("long_writing", Reason.LONG_WRITING),
)


# A text of at least this length is one, and no title.
_WHOLE_TEXT = {"en": 12, "zh": 20}
_BEHIND = re.compile(r"^(?P<head>.{2,}?)(?:\s*[:：\n]\s*|\s+[-–—]+\s+|——)(?P<tail>\S.*)$", re.DOTALL)
# A whole sentence, and then the order about it.
_TEXT_FIRST = re.compile(r"^[^。！？：:]{10,}[。！？](?=[^。！？]*(?:以下|下面|这个|该|上述))")
_SINGLE_QUOTES = re.compile(r"(?<!\w)'(?=\w)[^\n]*?\w[.!?,]?'(?!\w)")
_OWN = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|my|mine|let's|please)\b|我(?!们)|咱|请", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[.!?,;:。！？，；：]")


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a row is rejected; `detail` quotes what was found."""

    reason: Reason
    detail: str


def screen(request: TextRequest) -> TextAnswer:
    finding = _judge(request)
    if finding is None:
        return TextAnswer({"verdict": "keep", "detail": ""})
    return TextAnswer({"verdict": finding.reason.value, "detail": finding.detail})


def judge_source(instruction: str, material: str, language: str) -> Finding | None:
    """Return what keeps the request itself from being spoken, whatever its answer; None if nothing does."""
    wording = screen_wording(language)
    instruction, material = beginning(instruction), beginning(material)
    source = f"{instruction}\n{material}"
    return (
        _unsafe(source, wording)
        or _kind(source, instruction, wording)
        or _media_pointer(instruction, material, wording, language)
        or _missing(instruction, material, wording, language)
        or _other_language(instruction, wording)
    )


def _judge(request: TextRequest) -> Finding | None:
    language = request.language
    wording = screen_wording(language)
    instruction = request.variables.get("instruction", "")
    material = request.variables.get("material", "")
    answer = beginning(request.variables.get("answer", ""))
    return (
        judge_source(instruction, material, language)
        or _answer_kind(answer, wording)
        or _shape(request, instruction, material, answer, wording)
        or _unclear(beginning(request.variables.get("question", "") or instruction), wording, language)
        or _refusal(beginning(instruction), answer, wording, language)
    )


def _unsafe(text: str, wording: ScreenWording) -> Finding | None:
    for pattern in wording.harmless:
        text = pattern.sub(" ", text)
    for category, patterns in wording.unsafe.items():
        if found := first_match(patterns, text):
            return Finding(Reason.UNSAFE, f"{category.replace('_', ' ')}: {_short(found)}")
    return None


def _kind(source: str, instruction: str, wording: ScreenWording) -> Finding | None:
    for kind, reason in _KINDS:
        if found := first_match(wording.source[kind], source):
            return Finding(reason, _short(found))
    found = first_match((wording.genre_request,), instruction)
    if found and (wording.verse.search(found) or not wording.short_writing.search(instruction)):
        return Finding(Reason.LONG_WRITING, _short(found))
    return None


def _media_pointer(instruction: str, material: str, wording: ScreenWording, language: str) -> Finding | None:
    """Find words of the request that point at something to be seen or heard.

    Words of its material may do so: "The artist made this painting" is a sentence like any other. And a file or a page
    that is in the input, as text, is there.
    """
    request, inline = _parts(instruction)
    found = first_match(wording.media_pointers, request)
    if not found and text_length(f"{material} {inline}", language) < _WHOLE_TEXT[language]:
        found = first_match(wording.media_pointers_at_text, request)
    return Finding(Reason.MEDIA, _short(found)) if found else None


def _parts(instruction: str) -> tuple[str, str]:
    """Return the request, and what stands behind its colon, its dash or its first line."""
    match = _BEHIND.search(strip_markup(instruction).strip())
    return (match["head"], match["tail"]) if match else (instruction, "")


def _missing(instruction: str, material: str, wording: ScreenWording, language: str) -> Finding | None:
    """Find words that point at material, if neither the input nor the instruction has any."""
    rewriting = rewrite_wording(language)
    request, inline = _parts(instruction)
    whole = first_match((wording.whole_text,), request)
    if whole and not wording.how_to.search(instruction):
        given = text_length(f"{material} {inline}", language) + _beside(request, whole, language)
        if given < _WHOLE_TEXT[language]:
            return Finding(Reason.MISSING_MATERIAL, _short(whole))
    if material.strip() and not rewriting.empty_material.match(material.strip()):
        return None
    if _has_inline_material(instruction, rewriting, language):
        return None
    found = first_match(wording.pointers, instruction)
    return Finding(Reason.MISSING_MATERIAL, _short(found)) if found else None


def _has_inline_material(instruction: str, wording: RewriteWording, language: str) -> bool:
    """Look for quoted words, text after a colon or on further lines, or a whole sentence beside the order."""
    text = strip_markup(instruction).strip()
    for opening, closing in ('""', "“”", "「」", "《》", "‘’"):
        start = text.find(opening)
        if start >= 0 and text.find(closing, start + 2) > start:
            return True
    if _SINGLE_QUOTES.search(text):
        return True
    head, tail = _parts(text)
    if text_length(tail, language) >= 1 and text_length(head, language) >= 2:
        return True
    if language == "zh" and _TEXT_FIRST.search(text):
        return True
    sentences = [s for s in text.replace("。", ". ").split(". ") if s.strip()]
    return (
        any(text_length(s, language) >= 6 and not wording.imperative.search(s.strip()) for s in sentences)
        and len(sentences) > 1
    )


def _beside(instruction: str, order: str, language: str) -> int:
    """Return the length of the sentences around the order, which may be the text that it is about."""
    sentences = split_sentences(" ".join(strip_markup(instruction).split()), language)
    return sum(text_length(sentence, language) for sentence in sentences if " ".join(order.split()) not in sentence)


def _other_language(instruction: str, wording: ScreenWording) -> Finding | None:
    found = first_match(wording.other_language, instruction)
    return Finding(Reason.UNSUPPORTED_LANGUAGE, _short(found)) if found else None


def _shape(
    request: TextRequest, instruction: str, material: str, answer: str, wording: ScreenWording
) -> Finding | None:
    limit = int(request.options.get("max_words", _MAX_WORDS))
    if (length := text_length(f"{instruction}\n{material}", request.language)) > limit:
        return Finding(Reason.TOO_LONG, f"length {length}, the limit is {limit}")
    source = strip_markup(f"{beginning(instruction)}\n{beginning(material)}")
    share_limit = float(request.options.get("max_non_text_share", _MAX_NON_TEXT_SHARE))
    for text in (source, answer):
        share = non_text_share(text, wording)
        if share > share_limit:
            return Finding(Reason.NON_TEXT, f"share {share:.2f}, the limit is {share_limit:.2f}")
    if rare := wording.rare_symbols.findall(source):
        return Finding(Reason.RARE_SYMBOLS, " ".join(dict.fromkeys(rare)))
    return None


def non_text_share(text: str, wording: ScreenWording) -> float:
    """Return the share, 0..1, of characters that are not letters, digits, blanks or common punctuation."""
    if not text:
        return 0.0
    return 1 - len(wording.text_characters.findall(text)) / len(text)


def _unclear(question: str, wording: ScreenWording, language: str) -> Finding | None:
    plain = question.strip(" .。!！?？,，")
    if "?" in question or "？" in question or wording.small_talk.match(plain):
        return None
    if text_length(plain, language) < wording.min_length or not _says_something_to(plain, wording, language):
        return Finding(Reason.UNCLEAR, _short(question))
    return None


def asks_for_something(text: str, language: str) -> bool:
    """Tell whether the text asks, orders, or says what its speaker does or wants; a mere statement does not."""
    wording, plain = screen_wording(language), text.strip(" .。!！?？,，")
    return bool(
        "?" in text
        or "？" in text
        or _OWN.search(text)
        or wording.small_talk.match(plain)
        or _asks_or_orders(plain, wording, language)
    )


def _says_something_to(text: str, wording: ScreenWording, language: str) -> bool:
    """Tell whether the text asks, orders, or is what somebody says to somebody; "Simon is running." is a mere sentence
    of a data set."""
    return bool(wording.personal.search(text)) or _asks_or_orders(text, wording, language)


def _asks_or_orders(text: str, wording: ScreenWording, language: str) -> bool:
    rewriting = rewrite_wording(language)
    clauses = [clause.strip() for clause in _CLAUSE_END.split(text) if clause.strip()]
    return bool(wording.asks_otherwise.search(text)) or any(
        rewriting.imperative.search(clause) or rewriting.question.search(clause) for clause in clauses
    )


def _answer_kind(answer: str, wording: ScreenWording) -> Finding | None:
    for kind, reason in _KINDS:
        if found := first_match(wording.answer.get(kind, ()), answer):
            return Finding(reason, f"in the answer: {_short(found)}")
    return None


def _refusal(instruction: str, answer: str, wording: ScreenWording, language: str) -> Finding | None:
    start = answer.strip()[: _REFUSAL_CHARACTERS[language]]
    for kind, patterns in wording.refusals.items():
        if kind == "beside_the_point" and _asks(instruction, language):
            continue
        if kind == "declined" and wording.asks_for_apology.search(instruction):
            continue
        if found := first_match(patterns, start):
            return Finding(_REFUSALS[kind], f"the answer says: {_short(found)}")
    return None


def _asks(instruction: str, language: str) -> bool:
    wording = rewrite_wording(language)
    return bool(wording.imperative.search(instruction) or wording.question.search(instruction))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."
