"""A moving window over a text, and JSON values found in it: where one ends, whether it can be read or not."""

import json
import re

from pipeline.readers.text_stream import TextSource

DECODER = json.JSONDecoder(strict=False)
_BETWEEN = re.compile(r"[\s,\ufeff]*")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|["{}\[\],]', re.DOTALL)
_WORD = re.compile(r'[^\s,\[\]{}"]+')
_PARTNER = {"}": "{", "]": "["}


class TextWindow:
    """The part of the text that is being examined: `text` from `at` on."""

    def __init__(self, source: TextSource, text: str) -> None:
        self.source = source
        self.text = text
        self.at = 0

    def grow(self) -> bool:
        """At least double the rest, so that a long row is tried log(n) times; return False at the end of the text."""
        wanted = len(self.text) - self.at
        pieces = []
        while wanted >= 0 and (piece := self.source.read()):
            pieces.append(piece)
            wanted -= len(piece)
        if pieces:
            self.text, self.at = self.text[self.at :] + "".join(pieces), 0
        return bool(pieces)

    def next_mark(self) -> str:
        """Return the next character that is neither space nor comma, or "" at the end of the text."""
        while True:
            match = _BETWEEN.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.grow():
                return ""


def decode(text: str, start: int) -> tuple[object, int]:
    """Return the value at `start` and its end. Numbers are read whole: `raw_decode` finds a 1 in "1." and stops."""
    word = _WORD.match(text, start)
    return (DECODER.decode(word[0]), word.end()) if word else DECODER.raw_decode(text, start)


def value_end(text: str, start: int) -> int | None:
    """Return where the unreadable value at `start` ends, by brackets and strings alone; None if not in `text`.

    A bracket closes all brackets opened after its partner, so a missing bracket costs only its own row.
    """
    opened: list[str] = []
    waiting = {"{": 0, "[": 0}  # counts of each in `opened`, since searching it would take quadratic time
    for match in _TOKEN.finditer(text, start):
        token = match[0]
        if token == '"':
            return None
        if token in waiting:
            opened.append(token)
            waiting[token] += 1
        elif token in _PARTNER and waiting[_PARTNER[token]]:
            _close(_PARTNER[token], opened, waiting)
            if not opened:
                return match.end()
        elif len(token) == 1 and not opened:
            return max(match.start(), start + 1)
    return None


def _close(partner: str, opened: list[str], waiting: dict[str, int]) -> None:
    while opened:
        token = opened.pop()
        waiting[token] -= 1
        if token == partner:
            return
