"""How foreign text is put into a prompt: between marks that it cannot contain, and free of chat control tokens.

A fenced text reads::

    <<<3f9ac2d1
    the text
    3f9ac2d1>>>

The tag is drawn from the texts themselves, so that the same texts always give the same message (and the answer store
finds it again), and drawn anew while it occurs in one of them: no text can close its own fence.
"""

import hashlib
import re
from collections.abc import Mapping

TAG_DIGITS = 8

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_CONTROL_TOKEN = re.compile(
    r"""
      (?<=[<＜]) (?=[|｜])                 # <|im_end|> and its kin: ChatML, Llama 3, Phi, DeepSeek's full-width bars
    | (?<=[|｜]) (?=[>＞])                 # ... and the ends of them
    | (?<=<) (?=/?[A-Za-z_][\w.:-]{0,40}>)  # <s>, </s>, <<SYS>>, <start_of_turn>, <think>, <tool_call>
    | (?<=\[) (?=/?[a-z]?[A-Z][A-Z0-9_]{1,30}\])  # [INST], [/INST], [TOOL_CALLS], [gMASK]
    | (?<=◁) (?=/?think)                    # Kimi
    | (?<=\]) (?=~) | (?<=\[) (?=e~\[)      # MiniMax
    """,
    re.VERBOSE,
)


def defuse(text: str) -> str:
    """The text with a space inside everything that a tokenizer could take for a control token of a chat format.

    The patterns are wider than the list of known tokens: a space inside `<b>` does no harm, an unknown token might.
    Control characters but newline and tab go, lone surrogates (no UTF-8 has them) become U+FFFD.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _SURROGATES.sub("\ufffd", _UNPRINTABLE.sub("", text))
    return _CONTROL_TOKEN.sub(" ", text)


def fence(texts: Mapping[str, str]) -> dict[str, str]:
    """Each text, defused, between marks; all of one call have the same tag."""
    defused = {name: defuse(text) for name, text in texts.items()}
    tag = _tag(defused)
    return {name: f"<<<{tag}\n{text}\n{tag}>>>" for name, text in defused.items()}


def _tag(texts: Mapping[str, str]) -> str:
    """The first of an endless row of tags that no text contains."""
    digest = hashlib.sha256("\x00".join(texts.values()).encode("utf-8")).hexdigest()
    while any(digest[:TAG_DIGITS] in text for text in texts.values()):
        digest = hashlib.sha256(digest.encode()).hexdigest()
    return digest[:TAG_DIGITS]
