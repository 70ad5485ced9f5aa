"""Where a sentence ends: one set of marks, and three questions about them that need different answers.

Rewriting must never cut inside "Dr. Smith", a fragment looks for an end anywhere in text of either language, and a
row's instruction also ends where a colon announces its material.
"""

import re
from collections.abc import Iterator

_ENGLISH_MARKS = ".!?"
_CHINESE_MARKS = "。！？"
# Closing quotes and brackets belong to the sentence before them. A straight quote closes in English text, where a
# space follows it; between Chinese sentences it may as well open the next one.
_ENGLISH_CLOSERS = "\"'”’)"
_CHINESE_CLOSERS = "”’」』）)"

_ENGLISH_END = re.compile(rf"([{_ENGLISH_MARKS}][{_ENGLISH_CLOSERS}]*)\s+(?=[\"“‘'(]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"\b(?:Dr|Mr|Mrs|Ms|St|vs|No|e\.g|i\.e|Prof|Jr|Sr|Mt|Ft|approx|Inc|etc|Gov|Sen|Rep|Rev|Capt|Lt|Col|Gen|Sgt|Maj|Adm|"
    r"Hon|Pres|[Ff]igs?|[Ee]qs?|[Vv]ols?|[Cc]h|[Ss]ec|[Pp]p?|[Pp]g|ca|c|sq|fl|Rs|et al|[A-Z]|[A-Z]\.[A-Z])\.$"
)
_CHINESE_SENTENCE = re.compile(rf"[^{_CHINESE_MARKS}!?]+(?:[{_CHINESE_MARKS}!?]+[{_CHINESE_CLOSERS}]*|$)")
_LOOSE_END = re.compile(r"[,，、\s]+$")
_MARKS_OF_CHINESE = {",": "，", ".": "。"}

_NEXT_SENTENCE = re.compile(
    rf"(?:[{_ENGLISH_MARKS}]+[{_ENGLISH_CLOSERS}]*(?=\s)|[{_CHINESE_MARKS}]+[{_CHINESE_CLOSERS}]*)\s*(?=\S)"
)
# Material is prose of any kind, cut to a length: an ellipsis and a semicolon are ends good enough for it.
_ANY_END = re.compile(rf"[{_ENGLISH_MARKS}…{_CHINESE_MARKS}；;][\"'{_CHINESE_CLOSERS}]*(?=\s|$|[^\x00-\x7f])")
_INSTRUCTION_MARKS = tuple(f"{_CHINESE_MARKS}{_ENGLISH_MARKS}：；….:;")


def split_sentences(text: str, language: str) -> list[str]:
    """Return the sentences of one paragraph, each with its end mark and without blanks around it.

    English is cut before a capital or a digit only, and never after an abbreviation: a cut too few is harmless to the
    callers, a cut inside "Dr. Smith" is not.
    """
    if language == "zh":
        return [sentence for match in _CHINESE_SENTENCE.finditer(text) if (sentence := match.group().strip())]
    return _split_english(text)


def with_end_mark(text: str, mark: str, language: str) -> str:
    """Close the spoken text with `mark` ("." or ","), unless it already ends with an end mark."""
    text = _LOOSE_END.sub("", text)
    if not text or text[-1] in f"{_ENGLISH_MARKS}{_CHINESE_MARKS}":
        return text
    return text + (_MARKS_OF_CHINESE[mark] if language == "zh" else mark)


def next_sentence_starts(text: str) -> list[int]:
    """Return the index at which each further sentence of the text begins; the text may be in either language."""
    return [match.end() for match in _NEXT_SENTENCE.finditer(text)]


def sentence_ends(text: str) -> Iterator[int]:
    """Yield the index behind each mark that can end a sentence, semicolons included, in text of either language."""
    return (match.end() for match in _ANY_END.finditer(text))


def ends_instruction(text: str) -> bool:
    """Whether the text ends as an instruction above its material does: with a sentence, a colon or a semicolon."""
    return text.endswith(_INSTRUCTION_MARKS)


def _split_english(text: str) -> list[str]:
    sentences: list[str] = []
    start = 0
    for match in _ENGLISH_END.finditer(text):
        end = match.end(1)
        if not _ABBREVIATION.search(text[start:end]):
            sentences.append(text[start:end].strip())
            start = match.end()
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]
