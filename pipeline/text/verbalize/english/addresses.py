"""Addresses of the net, file names and paths, as they are spelled out: "example dot com slash help".

An address with a query, a port or an escape stays as it is: nobody reads one aloud.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.english.numbers import cardinal, digits

_DOMAINS = "com|org|net|edu|gov|info|biz|io|ai|co|uk|us|eu|de|fr|cn|jp|ca|au|tv|me|app|dev"
_FILES = (
    "js|ts|py|txt|pdf|doc|docx|xls|xlsx|ppt|pptx|csv|json|xml|html|htm|css|md|jpg|jpeg|png|gif|svg|zip|tar|gz|exe|mp3|"
    "mp4|wav|flac|java|cpp|sh|yml|yaml|toml|ini|log|sql|php|rb|rs|net"
)
_MARKS = {".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at"}
_PIECE = re.compile(r"[A-Za-z]+|\d+|[./_@-]")
# Of two letters, but said as a word or a known sound.
_WORDS = frozenset("me us co".split())


def _spelled(text: str) -> str:
    words = []
    for piece in _PIECE.findall(text):
        if piece in _MARKS:
            words.append(_MARKS[piece])
        elif piece.isdigit():
            words.append(cardinal(int(piece)) if len(piece) < 3 and piece[0] != "0" else digits(piece))
        else:
            words.append(piece.upper() if piece == "www" or (len(piece) <= 2 and piece not in _WORDS) else piece)
    return " ".join(words)


def _address(match: re.Match[str]) -> str:
    return _spelled(match["address"].rstrip("/"))


def _octets(match: re.Match[str]) -> str:
    groups = match[0].split(".")
    if any(int(group) > 255 or (group[0] == "0" and group != "0") for group in groups):
        return match[0]
    return " dot ".join(digits(group) for group in groups)


_END = r"(?=[.,;:!?)\]\"']*(?:\s|$))"
_HOST = rf"(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+(?:{_DOMAINS})"

ADDRESSES = compile_rules(
    (rf"(?<![\w.@/-])(?P<address>[A-Za-z][A-Za-z0-9._-]*@{_HOST})\b{_END}", _address),
    (rf"(?<![\w.@/-])(?:https?://)?(?P<address>{_HOST}(?:/[A-Za-z0-9_-]+(?:\.[a-z]+)?)*/?)\b/?{_END}", _address),
    (r"(?<![\w./:-])\d{1,3}(?:\.\d{1,3}){3}(?![\w/:-]|\.\d)", _octets),
    (rf"(?<![\w.@/-])(?P<address>[A-Za-z][A-Za-z0-9_-]*\.(?:{_FILES}))\b{_END}", _address),
    (rf"(?<![\w.])(?P<address>(?:/[a-z][a-z0-9_-]+){{2,}})\b{_END}", _address),
    (r"(?<![\w.])\.(NET)\b", r"dot NET"),
    (r"(?<![\w@.])@(?=[A-Za-z]\w*)", "at "),
)
