"""Repairs the broken JSON of language models if it can be read in one way only.

The json-repair library knows many ways to break JSON, but always returns *something*: it closes what was cut off,
turns prose into lists, and leaves a stray quote in a text that has quotes of its own. So an object in which only
quotes and colons are wrong is repaired here first, and what the library makes of the rest is checked.
"""

import json
import re
from typing import Any

import json_repair

LONGEST = 4_000
MOST_MARKS = 128
"""Limits of what is repaired: json-repair takes quadratic time for some texts (14 s for 20,000 characters of `('`,
less than 0.1 s within these limits), and all other requests wait meanwhile."""

_MARKS = re.compile(r"[\"'“”‘’`\\({\[:：]")
_CLOSED_BY = {'"': '"”“', "“": '"”“', "”": '"”“', "'": "'’‘", "‘": "'’‘", "’": "'’‘", "「": "」", "『": "』", "`": "`"}
_OPENING, _CLOSING = "".join(_CLOSED_BY), "".join(sorted(set("".join(_CLOSED_BY.values()))))
_NAME = re.compile(rf"(?<=[{{,，;；\s])[{_OPENING}](\w+)[{_CLOSING}]\s*[:：]")
_BARE = {
    **{"true": "true", "false": "false", "null": "null", "none": "null"},
    **{word: f'"{word}"' for word in ("yes", "no", "是", "否")},
}
_END = re.compile(
    rf"(?:[{_CLOSING}]|[{{,，]\s*[{_OPENING}]?\w+[{_CLOSING}]?\s*[:：]\s*(?:{'|'.join(_BARE)}))[\s,，]*\}}$",
    re.IGNORECASE,
)
_STRUCTURE = re.compile(rf"[{_CLOSING}]\s*[,，:：+][\s,，:：+]*[{_OPENING}]|\"\s+\"")
_ESCAPE_OR_QUOTE = re.compile(r"\\(.)|\"", re.DOTALL)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\[bfnrt]")
_WORD_CHARACTER = re.compile(r"\w")
_BETWEEN = " \t\r\n,，;；"


def repair_object(text: str) -> dict[str, Any]:
    """Return the flat object that the text, from "{" to "}", was meant to be; {} if that is not certain."""
    if len(text) > LONGEST or len(_MARKS.findall(text)) > MOST_MARKS:
        return {}
    while text.startswith("{{") and text.endswith("}}"):  # as in the format strings of programs
        text = text[1:-1]
    if not _END.search(text):
        return {}
    return next((value for repair in (_fix_quotes, _by_library) if _is_faithful(value := repair(text), text)), {})


def _by_library(text: str) -> dict[str, Any]:
    try:
        value = json_repair.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _fix_quotes(text: str) -> dict[str, Any]:
    """Return the object if only its quotes, colons, commas and bare words are wrong; otherwise {}."""
    names = list(_NAME.finditer(text))
    if not names or text[1 : names[0].start()].strip(_BETWEEN):
        return {}
    ends = [name.start() for name in names[1:]] + [len(text) - 1]
    result: dict[str, Any] = {}
    for name, end in zip(names, ends, strict=True):
        content = _content(text[name.end() : end].strip(_BETWEEN))
        if content is None:
            return {}
        result[name[1]] = content[0]
    return result


def _content(text: str) -> tuple[Any] | None:
    """Return the value that stands there, in a tuple since it may be None."""
    if text.lower() in _BARE:
        return (json.loads(_BARE[text.lower()]),)
    if len(text) < 2 or text[-1] not in _CLOSED_BY.get(text[0], "") or _STRUCTURE.search(text):
        return None
    try:
        return (json.loads(f'"{_ESCAPE_OR_QUOTE.sub(_escaped, text[1:-1])}"', strict=False),)
    except ValueError:
        return None


def _escaped(found: re.Match[str]) -> str:
    """Keep an escape that JSON knows; take anything else after a backslash literally."""
    if found[0] == '"':
        return '\\"'
    return found[0] if found[1] in '"\\/bfnrtu' else found[1] if found[1] in "'`" else "\\\\" + found[1]


def _is_faithful(value: dict[str, Any], text: str) -> bool:
    """Tell whether the object has the letters and digits of the text, in order and no others, and no stray quote."""
    said = "".join(f"{name}{content}" for name, content in value.items())
    texts = [content for content in value.values() if isinstance(content, str)]
    return _words(said) == _words(_ESCAPE.sub(_unescaped, text)) and not any(_is_damaged(content) for content in texts)


def _words(text: str) -> list[str]:
    return _WORD_CHARACTER.findall(text.casefold())


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else " "


def _is_damaged(text: str) -> bool:
    return bool(text.count('"') % 2 or text.count("“") != text.count("”") or _STRUCTURE.search(text))
