"""Whether a text has anything to do with another: weak models ask about the weather whatever they are given."""

import re
import unicodedata

from pipeline.text.scripts import HAN

LEAST = 4
"""A source with fewer words (Chinese: pairs of characters) of its own can be said with none of them."""

_WORD = re.compile(r"[^\W_]{4,}")
_RUN = re.compile(f"[{HAN}]{{2,}}")
_STEM = 5
"""Letters by which words are compared: "lonely" and "loneliness" are one."""
_EVERYBODYS = frozenset(
    "what when where which this that these those with from have does your about there their them they will would "
    "could should some into following given please write describe explain create generate provide list".split()
)
_EVERYBODYS_PAIRS = frozenset(
    "什么 怎么 如何 一个 可以 哪些 为什 有什 你的 我的 请问 时候 一下 下面 以下 给定".split()
)


def may_be_about(text: str, source: str) -> bool:
    """Tell whether the text shares a word with its source, or the source has too few to tell."""
    theirs = _units(source)
    return len(theirs) < LEAST or not theirs.isdisjoint(_units(text))


def _units(text: str) -> set[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = {word[:_STEM] for word in _WORD.findall(re.sub(f"[{HAN}]", " ", folded)) if word not in _EVERYBODYS}
    pairs = {run[i : i + 2] for run in _RUN.findall(folded) for i in range(len(run) - 1)}
    return words | (pairs - _EVERYBODYS_PAIRS)
