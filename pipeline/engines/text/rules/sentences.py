"""Splits text into sentences, and ends them. A missing split is harmless here; a split inside "Dr. Smith" is not."""

import re

_ENGLISH_END = re.compile(r"([.!?][\"”’')]*)\s+(?=[\"“‘'(]?[A-Z0-9])")
_NO_END = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|St|vs|No|e\.g|i\.e|Prof|Jr|Sr|Mt|approx|Inc|etc|[A-Z]|[A-Z]\.[A-Z])\.$")
_LOOSE_END = re.compile(r"[,，、\s]+$")
_CHINESE_MARKS = {",": "，", ".": "。"}
_CHINESE_SENTENCE = re.compile(r"[^。！？!?]+(?:[。！？!?]+[”’」』）)]*|$)")


def split_sentences(text: str, language: str) -> list[str]:
    """Return the sentences of one paragraph, with their end marks, without outer blanks."""
    if language == "zh":
        return [sentence for match in _CHINESE_SENTENCE.finditer(text) if (sentence := match.group().strip())]
    return _split_english(text)


def with_end_mark(text: str, mark: str, language: str) -> str:
    """End the spoken text with `mark` ("." or ","), unless it has an end mark of its own."""
    text = _LOOSE_END.sub("", text)
    if not text or text[-1] in ".?!。？！":
        return text
    return text + (_CHINESE_MARKS[mark] if language == "zh" else mark)


def _split_english(text: str) -> list[str]:
    sentences: list[str] = []
    start = 0
    for match in _ENGLISH_END.finditer(text):
        end = match.end(1)
        if not _NO_END.search(text[start:end]):
            sentences.append(text[start:end].strip())
            start = match.end()
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]
