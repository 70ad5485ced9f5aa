"""The data set's row as the rules see it: the request, and the material that it is about."""

import re
from dataclasses import dataclass

from pipeline.engines.text.rules.patterns import RewriteWording
from pipeline.text.verbalize import strip_markup

_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\(?\d{1,2}[.)、](?!\d)\s*)")
_INPUT_MARK = re.compile(r"\s*(?:###\s*)?(?:输入|\bInput)\s*[:：]\s*")
_BLANK_LINES = re.compile(r"\s*\n\s*")
_SENTENCE_MARK = re.compile(r"[.。!?！？,，;；、:：]$")
_LABELLED = re.compile(r"^([^:：=\n]{1,24}?)\s*[:：=]\s*(.+)$")
_INLINE = re.compile(r"^(?P<head>.{4,}?)(?:[:：]\s*(?P<tail>\S.*)|\s*[:：]?\s*\n\s*(?P<lines>.+))$", re.DOTALL)
_NO_WORD = re.compile(r"[\W_]+")
_TIME_OR_RATIO = re.compile(r"\d\s*[:：]\s*\d")


@dataclass(frozen=True, slots=True)
class SourceText:
    """`request` on one line, without format orders; `material` on one line, "" where there is none."""

    request: str
    material: str


def read_source(instruction: str, material: str, wording: RewriteWording, language: str) -> SourceText:
    """Separate what is asked from what it is asked about, wherever the data set put it."""
    text = _INPUT_MARK.sub("\n", strip_markup(instruction)).strip()
    request, inline = _split_inline(_strip(text, wording), wording)
    own = _read_material(strip_markup(material), wording, language)
    if own and _same(own, f"{request} {inline}"):
        own = ""
    parts = [_read_material(inline, wording, language), own]
    joined = (" " if language == "en" else "").join(_closed(part, language) for part in parts if part)
    return SourceText(_BLANK_LINES.sub("，" if language == "zh" else " ", request.strip()), joined)


def _strip(text: str, wording: RewriteWording) -> str:
    for pattern in wording.strip:
        text = pattern.sub("", text).strip()
    return text


def _split_inline(text: str, wording: RewriteWording) -> tuple[str, str]:
    """Instruction and the material behind its colon or its first line end, where the first part is a request."""
    match = _INLINE.match(text)
    if not match or _TIME_OR_RATIO.search(text[: (match.end("head") + 3)]):
        return text, ""
    head = match["head"].strip()
    if head.count("“") > head.count("”") or head.count('"') % 2 or head.count("《") > head.count("》"):
        return text, ""
    if not (wording.imperative.search(head) or wording.question.search(head)):
        return text, ""
    return head, (match["tail"] or match["lines"]).strip()


def _read_material(text: str, wording: RewriteWording, language: str) -> str:
    """Lists and labels flattened into one line of sentences."""
    text = text.strip()
    while label := wording.material_labels.match(text):
        text = text[label.end() :].strip()
    text = text.strip("\"“”'‘’「」[]{}").strip()
    if not text or wording.empty_material.match(text):
        return ""
    lines = [_BULLET.sub("", line).strip() for line in text.splitlines()]
    lines = [_labelled(line, language) for line in lines if line]
    return (" " if language == "en" else "").join(
        line if i == len(lines) - 1 else _ended(line, language) for i, line in enumerate(lines)
    )


def _labelled(line: str, language: str) -> str:
    """ "Age: 43" said as a sentence."""
    match = _LABELLED.match(line)
    if not match or len(match[1].split()) > 3 or _TIME_OR_RATIO.search(line[: match.end(1) + 3]):
        return line
    return f"{match[1]}是{match[2]}" if language == "zh" else f"{match[1]} is {match[2]}"


def _ended(line: str, language: str) -> str:
    return line if _SENTENCE_MARK.search(line) else line + ("，" if language == "zh" else ",")


def _closed(text: str, language: str) -> str:
    text = re.sub(r"[,，:：;；、\s]+$", "", text)
    return text if re.search(r"[.!?。！？][\"”’」]?$", text) else text + ("。" if language == "zh" else ".")


def _same(material: str, request: str) -> bool:
    plain, whole = (f" {_NO_WORD.sub(' ', text.lower()).strip()} " for text in (material, request))
    return bool(plain.strip()) and plain in whole
