"""Fold Chinese characters before anything is read: compatibility forms, case, script, hesitations."""

import re
import unicodedata
import warnings
from functools import cache

with warnings.catch_warnings():
    # zhconv reads its table through pkg_resources where that exists, which warns about its own removal.
    warnings.simplefilter("ignore", UserWarning)
    from zhconv import zhconv

# Recognizers rarely print these hesitations; they do print 啊 and 哦.
_HESITATIONS = "嗯呃唔呣"
_DASHES = "‐‑‒–—―−～〜∼~"

# Nearly every text consists of these and simplified characters. None of them composes with its neighbor.
_COMMON = r" -~\n\t\u3000，。！？、；：“”‘’（）《》【】「」…—～·％￥＋＝－"

# zhconv takes 么 before certain nouns for 幺 ("youngest"): 什么女人 would become 什幺女人.
_PROTECTED = {f"{before}么": f"{before}么" for before in "什怎那这多要甚"}
_YOUNGEST = re.compile("么(?<![什怎那这多要甚]么)")

# 着 is written 著 in traditional text, 著 also in simplified words of writing and fame.
_PARTICLE = re.compile("(?<![显名原专编论巨译土卓昭合遗拙新])著(?![名作者称述书录])")

_SQUARES = {"²": "平方", "³": "立方"}
_SQUARE_SIGNS = {"㎡": "m²", "㎢": "km²", "㎠": "cm²", "㎥": "m³", "㎤": "cm³"}
_SQUARE_UNITS = {"m": "米", "km": "公里", "cm": "厘米", "mm": "毫米"}
_POWER = re.compile("[㎡㎢㎠㎥㎤]|[²³]")
_SQUARE = re.compile("(?<![a-z/])([kcm]?m)([²³])", re.IGNORECASE)
_VULGAR = re.compile("(?<=[0-9])(?=[¼½¾⅐-⅞])")
# 2T is a terabyte's two.
_TON = re.compile("(?<=[0-9])t(?![a-zA-Z0-9])")
_RAISED = re.compile("(?<!/m)(?<!/cm)[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
# Between two numbers a tilde is a range.
_ABOUT = re.compile(r"[~～](?<![0-9零〇一二三四五六七八九十百千万亿%％度元月日号点分年a-zA-Z)）℃ ].)(?=\s?[0-9])")


def fold(text: str) -> str:
    """Fold to lower case, simplified characters, straight hyphens and ASCII digits; drop hesitations and accents."""
    if "~" in text or "～" in text:
        text = _ABOUT.sub("约", text)
    if "t" in text:
        text = _TON.sub("吨", text)
    if folds_one_by_one(text):
        return text.translate(_FOLDED)
    text = _lift_signs(text)
    text = _compatible(text)
    # zh-hans changes characters and leaves the vocabulary of other regions as it was said.
    simplified: str = zhconv.convert(text, "zh-hans", _PROTECTED)
    simplified = _PARTICLE.sub("着", simplified.replace("甚么", "什么"))
    return simplified.translate(_FOLDED)


def _lift_signs(text: str) -> str:
    """Write 2½ as 2又½ and 10⁵ as 10^5, before folding turns them into 21/2 and 105."""
    text = _VULGAR.sub("又", text)
    if _POWER.search(text):
        text = _squares(text)
    return _RAISED.sub(lambda found: "^" + found[0].translate(_LOWERED), text)


def _squares(text: str) -> str:
    """Write 80m² as it is said, before folding turns it into 80m2."""
    text = "".join(_SQUARE_SIGNS.get(character, character) for character in text)
    return _SQUARE.sub(lambda found: _SQUARES[found[2]] + _SQUARE_UNITS[found[1].lower()], text)


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def folds_one_by_one(text: str) -> bool:
    """Whether each character of the text folds without regard to its neighbors."""
    return _one_by_one().fullmatch(text) is not None and not _YOUNGEST.search(text)


@cache
def _one_by_one() -> re.Pattern[str]:
    traditional = _traditional()
    simplified = "".join(chr(code) for code in range(0x4E00, 0xA000) if chr(code) not in traditional)
    return re.compile(f"[{_COMMON}{simplified}]*")


def _traditional() -> frozenset[str]:
    """Collect characters, except 么, of which zhconv needs one to change anything: each of its entries changes one."""
    changes = [(key, value) for key, value in zhconv.getdict("zh-hans").items() if key != value]
    alone = {key for key, _ in changes if len(key) == 1}
    in_words = {
        old
        for key, value in changes
        if alone.isdisjoint(key)
        for old, new in zip(key, value, strict=True)
        if old != new
    }
    return frozenset(alone | in_words | set("甚著")) - {"么"}


class _Folding(dict[int, str]):
    """A table of what each character folds to, filled as characters are first met."""

    def __missing__(self, code: int) -> str:
        folded = "".join(map(_fold_character, _compatible(chr(code))))
        self[code] = folded
        return folded


def _fold_character(character: str) -> str:
    """Drop joiners and unassigned characters; turn the digits of other scripts into ASCII."""
    if character in _HESITATIONS or unicodedata.category(character) in ("Cf", "Cs", "Co", "Cn", "Mn", "Me"):
        return ""
    if character in _DASHES:
        return "-"
    if character.isspace():
        return " "
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


_FOLDED = _Folding()
