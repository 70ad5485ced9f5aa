"""Clean the material of a task: join it into one line, judge whether it is a text, cut it to a length."""

import re
from bisect import bisect_right

from pipeline.text.fragments.patterns import TaskWording
from pipeline.text.lengths import text_length
from pipeline.text.scripts import HAN
from pipeline.text.sentences import sentence_ends

_BULLET = re.compile(
    r"^(?:[-*+•·●▪–—]\s+|[(（]?\d{1,2}[.)）、．](?!\d)\s*|[(（]?[A-Ha-h][)）、．.]\s+|[①-⑳]\s*|Q\d{1,2}[.、:：]\s*)"
)
_TABLE_RULE = re.compile(r"^[|+:\s=-]*$")
_ENDED = re.compile(r"[.,;:!?…。，、；：！？—-][\"'”’」』)）]*$")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s，。；、]+|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}")
_NAME_OF_WORK = re.compile(r"《[^《》]{0,80}》")
_CODE = re.compile(
    r"</?\w{1,20}>|\bdef \w+\(|\b\w+\([\w\s,.\"'\[\]]{0,60}\)\s*[;{:]|\bprint ?\(|#include|\bselect\b.{1,80}\bfrom\b"
    r"|\breturn\b.{0,40};|[=!]=|=>|\w ?= ?[\[{(\"'\d]|\{\s*\"|[\[{]\s*[\"']",
    re.IGNORECASE,
)
_HAN = re.compile(f"[{HAN}]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’][A-Za-z]+)?")
_PUNCTUATION = re.compile(r"[\s,.;:!?…，。、；：！？\"'“”‘’「」()（）|-]")
# Figures, formulas and price lists have a smaller share of letters.
_LETTERS_SHARE = 0.6
_ITEM_MARK = re.compile(r"[,，、;；]")
_PAIRS = {'"': '"', "“": "”", "'": "'", "‘": "’", "「": "」", "『": "』", "[": "]", "{": "}", "(": ")", "（": "）"}
_COMMA = {"en": ",", "zh": "，"}
_GAP = {"en": " ", "zh": ""}
_EDGE = " \t,，、;；:：|"


def plain_material(text: str, language: str, wording: TaskWording) -> str:
    """Join the lines of `text`, without bullets, table marks, labels and the quotation marks around the whole."""
    rows = text.splitlines()
    heads = {i for i, row in enumerate(rows[1:]) if "-" in row and "|" in row and _TABLE_RULE.match(row)}
    lines = [_plain_line(row, language, wording) for i, row in enumerate(rows) if i not in heads]
    return _unwrap(_join([line for line in lines if line], language))


def is_text(text: str, language: str, fewest: int) -> bool:
    """Whether the text has `fewest` words (characters) of the language and is neither code, figures nor an address."""
    if _CODE.search(text):
        return False
    bare = _NAME_OF_WORK.sub(" ", _ADDRESS.sub(" ", text))
    han, latin = len(_HAN.findall(bare)), len(_LATIN_WORD.findall(bare))
    if sum(map(str.isalpha, bare)) < _LETTERS_SHARE * len(_PUNCTUATION.sub("", bare)):
        return False
    if language == "en":
        return latin >= fewest and han <= latin
    # A short piece of Chinese is a term, unless it is a sentence or a list.
    is_whole = any(sentence_ends(bare)) or len(_ITEM_MARK.findall(bare)) >= 2
    return han >= (min(4, fewest) if is_whole and fewest <= 6 else fewest) and han >= latin


def cut(text: str, language: str, limit: int) -> str:
    """Cut the text to the length `limit`, at the end of a sentence if one ends in the last third of what is kept."""
    if len(text) <= limit or text_length(text, language) <= limit:
        return text
    length = bisect_right(range(len(text)), limit, key=lambda end: text_length(text[:end], language)) - 1
    kept = text[:length]
    ends = [end for end in sentence_ends(kept) if end > 2 * length // 3]
    if ends:
        return kept[: ends[-1]].rstrip()
    return kept.rstrip(_EDGE)


def _plain_line(line: str, language: str, wording: TaskWording) -> str:
    line = " ".join(line.split())
    if line.count("|") >= 2:
        cells = [cell.strip() for cell in line.split("|") if not _TABLE_RULE.match(cell)]
        line = f"{_COMMA[language]}{_GAP[language]}".join(cells)
    if wording.left_out_label.match(line):
        return ""
    line = _BULLET.sub("", line)
    while label := wording.material_label.match(line):
        line = line[label.end() :]
    return _BULLET.sub("", line).strip()


def _join(lines: list[str], language: str) -> str:
    ended = [line if _ENDED.search(line) else line + _COMMA[language] for line in lines[:-1]]
    return _GAP[language].join([*ended, *lines[-1:]])


def _unwrap(text: str) -> str:
    text = text.strip(_EDGE)
    if len(text) > 2 and text[-1] in ".。" and _PAIRS.get(text[0]) == text[-2] and text.count(text[-2]) <= 2:
        text = text[:-1]
    while len(text) > 1 and _PAIRS.get(text[0]) == text[-1]:
        inside = text[1:-1]
        if text[0] in inside or text[-1] in inside:
            break
        text = inside.strip(_EDGE)
    return text
