"""English powers, fractions, ratios, shares and multiples in words.

"3/4" is a fraction, "on 3/4" a day, "8/10" a mark where the sentence speaks of rating; what is none of them for sure
stays unsaid.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.english.arithmetic import POWER, power
from pipeline.text.verbalize.english.context import (
    COMPOUND,
    LEFT,
    RIGHT,
    is_maths,
    is_ratio,
    is_score,
    sentence,
    word_after,
    word_before,
)
from pipeline.text.verbalize.english.numbers import NUMBER, cardinal, number, ordinal
from pipeline.text.verbalize.english.unit_names import SYMBOL

_SIMPLE_DENOMINATORS = frozenset({2, 3, 4, 8, 16, 32, 64})
_WHOLE_DENOMINATORS = frozenset({5, 6, 7, 9, 12})
_MEASURES = frozenset(
    "cup cups teaspoon teaspoons tablespoon tablespoons pound pounds ounce ounces inch inches mile miles pint quart "
    "gallon of hour hours liter stick slice lb oz tsp tbsp".split()
)
_BEFORE_DATE = frozenset("on by since until till due dated".split())


def _power(match: re.Match[str]) -> str:
    base = match["base"]
    said = number(base) if base[0].isdigit() else base.upper()
    return f"{said} {power(match['power'])}" if said else match[0]


def _fraction(match: re.Match[str]) -> str:
    over, under = int(match["over"]), int(match["under"])
    whole = match["whole"]
    if under == 0 or match["over"][0] == "0" or match["under"][0] == "0" or (whole and over >= under):
        return match[0]
    said = _fraction_words(match, over, under, bool(whole))
    if said is None:
        return match[0]
    if whole:
        joined = "a half" if (over, under) == (1, 2) else f"a {said[4:]}" if over == 1 else said
        return f"{cardinal(int(whole))} and {joined}"
    return said


def _fraction_words(match: re.Match[str], over: int, under: int, mixed: bool) -> str | None:
    if not mixed and word_before(match) in _BEFORE_DATE and over <= 12 and under <= 31:
        return None
    if (
        re.search(r"(?i)\b(?:stars?|rat(?:e|ed|ing)|score[ds]?|scoring|grade[ds]?|points?|marks?)\b", sentence(match))
        and not mixed
    ):
        return f"{cardinal(over)} out of {cardinal(under)}" if under in (5, 10, 20, 50, 100) else None
    measured = word_after(match) in _MEASURES
    maths = is_maths(match)
    if over >= under:
        return f"{cardinal(over)} over {cardinal(under)}" if maths and under < 100 else None
    sure = mixed or under in _SIMPLE_DENOMINATORS or measured or maths or over == 1
    if under in _WHOLE_DENOMINATORS and word_after(match):
        sure = True
    return _parts(over, under) if sure and under <= 100 else None


def _parts(over: int, under: int) -> str:
    if under == 2:
        name = "half" if over == 1 else "halves"
    elif under == 4:
        name = "quarter" if over == 1 else "quarters"
    else:
        name = ordinal(under) + ("" if over == 1 else "s")
    return f"{cardinal(over)} {name}"


def _ratio(match: re.Match[str]) -> str:
    """Read "3:2" and "1:100"; two digits behind the colon are minutes, unless the sentence speaks of a ratio."""
    first, second = match["first"], match["second"]
    if len(second) == 2 and not (is_ratio(match) or is_score(match)):
        return match[0]
    one, two = number(first), number(second)
    return f"{one} to {two}" if one and two else match[0]


PARTS = compile_rules(
    (rf"{LEFT}(?P<base>[A-Za-z]|{NUMBER})(?P<power>{POWER})(?![\w^]|\s(?:{SYMBOL})(?![\w']))", _power),
    (rf"{LEFT}(?:(?P<whole>\d{{1,3}})[\s-])?(?P<over>\d{{1,3}})/(?P<under>\d{{1,3}}){COMPOUND}", _fraction),
    (rf"{LEFT}(?P<first>\d{{1,3}}(?:\.\d)?):(?P<second>{NUMBER}){RIGHT}", _ratio),
    (rf"{LEFT}(?P<sign>[-−+±]?)(?P<n>{NUMBER})\s?%(?!\w|\s\d)", lambda m: _signed(m, "percent")),
    (rf"{LEFT}(?P<sign>)(?P<n>{NUMBER})\s?‰", lambda m: _signed(m, "per thousand")),
    (
        rf"{LEFT}(?P<sign>)(?P<n>{NUMBER})\s?[xX×](?=\s(?:faster|slower|more|less|larger|bigger|smaller|higher|the|as|better|"
        r"per|a|zoom|speed|optical|magnification)\b|[.,!?]|$)",
        lambda m: _signed(m, "times"),
    ),
    (
        rf"{LEFT}(?P<sign>)(?P<n>\d{{1,3}}(?:\.\d)?)k(?![\w'/-])|{LEFT}(?P<n2>\d{{2,3}})K(?![\w'/-])",
        lambda m: f"{number(m['n'] or m['n2'])} thousand",
    ),
    (rf"{LEFT}(?P<sign>)(?P<n>\d{{1,3}}(?:\.\d+)?)M(?=\s[a-z]+s?\b)", lambda m: _signed(m, "million")),
    (rf"{LEFT}(?P<sign>)(?P<n>\d{{1,3}}(?:\.\d+)?)(?:B|bn)(?=\s[a-z]+s?\b)", lambda m: _signed(m, "billion")),
)


def _signed(match: re.Match[str], name: str) -> str:
    words = number(match["n"])
    if words is None:
        return match[0]
    sign = {"": "", "+": "plus ", "±": "plus or minus "}.get(match["sign"] or "", "negative ")
    return f"{sign}{words} {name}"
