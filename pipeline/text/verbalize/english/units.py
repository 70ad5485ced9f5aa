"""English quantities in words: a number and its unit, in the singular before a noun ("a 16 GB stick"), and "per".

A unit that is not in the table keeps its number in digits. Left out are those that may mean something else: "t"
(tonnes or tons), "5 A", "20C", "pt" (pints or points), "5 in" (inches or the word).
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.characters import unsure
from pipeline.text.verbalize.english.context import (
    LEFT,
    counts_things,
    is_attribute,
    word_after,
)
from pipeline.text.verbalize.english.numbers import NUMBER, cardinal, number
from pipeline.text.verbalize.english.unit_names import SYMBOL, SYMBOLS, plural

# What a price or a rate may be for, besides units.
_EACH = (
    "second|minute|hour|day|week|month|year|night|person|people|serving|gallon|mile|kilometer|meter|liter|pound|ounce|"
    "kilogram|gram|unit|item|piece|ton|acre|inch|foot|student|user|child|adult|capita|page|word|hr|min|sec|s|d|wk|mo|yr"
)
_EACH_WORDS = {
    "hr": "hour",
    "min": "minute",
    "sec": "second",
    "s": "second",
    "d": "day",
    "wk": "week",
    "mo": "month",
} | {
    "yr": "year",
    "people": "person",
}
PER = rf"(?:\s?/\s?(?:{SYMBOL}|{_EACH}|s²|s2|s\^2)(?![\w²³^])){{1,2}}"
_FRACTIONED = "tsps?|tbsps?|Tbsp|ozs?|lbs?|mi|hrs?|gals?|qts?|km|kg|yds?"
_COUNTED = (
    "time|mile|meter|kilometer|gallon|liter|calorie|word|bit|byte|beat|frame|dollar|cent|pound|hour|gram|ounce|page|"
    "revolution"
)
_WORDS_OF_NUMBERS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    "hundred|thousand|million|half|few|several|many"
)
_MILLIONS = frozenset("people users views followers subscribers downloads copies customers viewers dollars".split())
_ALGEBRA = re.compile(r"\s?[+=×*^]")
_DOTTED = r"(?P<dot>\.(?=\s+[a-z0-9(]|,|\)))?"
_MEASURED_IN_INCHES = frozenset(
    "monitor screen display tv television laptop tablet pizza pipe nail board blade ruler doll record wheel wheels "
    "tire tires monitors screens displays tvs televisions laptops tablets pizzas pan pans pot plate square tile cake "
    "skillet deck sub".split()
)


# Nouns behind a measure that are no verbs: "a" may stand far before them, or not at all ("7 nm chips").
_MEASURED = frozenset(
    "jack chip chips process node nodes lens lenses pot socket wrench cable cord rifle pistol cannon adapter charger "
    "bulb bulbs outlet battery batteries marathon disk bottle bottles wind winds angle angles clock dog baby".split()
)


def per(text: str) -> str:
    """Return the "/kg" or "/kg/day" behind a quantity in words, "" for ""."""
    words = []
    for part in text.split("/")[1:]:
        part = part.strip()
        if part in ("s²", "s2", "s^2"):
            words.append("per second squared")
        else:
            words.append(f"per {_EACH_WORDS.get(part) or (part if part in _SINGLE else SYMBOLS.get(part, part))}")
    return "".join(f" {word}" for word in words)


_SINGLE = frozenset(_EACH.split("|")) - set(_EACH_WORDS)


def _quantity(match: re.Match[str]) -> str:
    amount, symbol = match["amount"], match["unit"]
    if symbol == "m" and word_after(match) in _MILLIONS:
        words = number(amount)
        return f"{words} million" if words else match[0]
    if len(symbol) == 1 and _ALGEBRA.match(match.string, match.end()):
        return match[0]
    if (words := number(amount)) is None:
        return match[0]
    name = SYMBOLS[symbol]
    hyphen = match["gap"] == "-"
    single = hyphen or is_attribute(match) or amount == "1" or word_after(match) in _MEASURED
    return f"{_sign(match)}{words} {name if single else plural(name)}{per(match['per'] or '')}"


def _sign(match: re.Match[str]) -> str:
    return {"": "", "+": "plus ", "±": "plus or minus "}.get(match["sign"] or "", "negative ")


def _pressure(match: re.Match[str]) -> str:
    return f"{cardinal(int(match[1]))} over {cardinal(int(match[2]))}{' millimeters of mercury' if match[3] else ''}"


def _feet_inches(match: re.Match[str]) -> str:
    feet, inches = match["feet"], match["inches"]
    if is_attribute(match):
        return f"{cardinal(int(feet))} foot {number(inches)}"
    return (
        f"{cardinal(int(feet))} {'foot' if feet == '1' else 'feet'} "
        f"{number(inches)} {'inch' if inches == '1' else 'inches'}"
    )


def _fraction_of_inch(match: re.Match[str]) -> str:
    return match[0] if match.string[: match.start()].count('"') % 2 else f"{match[1]} inch"


def _inches(match: re.Match[str]) -> str:
    """Read `27"` as inches, unless a quotation is open."""
    if match["mark"] == '"' and match.string[: match.start()].count('"') % 2:
        return match[0]
    single = match["amount"] == "1" or is_attribute(match) or _before_noun(match)
    return f"{number(match['amount'])} {'inch' if single else 'inches'}"


def _before_noun(match: re.Match[str]) -> bool:
    """Whether a noun follows, as far as its first word tells."""
    return counts_things(match) or word_after(match).lower() in _MEASURED_IN_INCHES


def _part_of_unit(match: re.Match[str]) -> str:
    """Name the unit behind a fraction: "1/4 tsp", "1 1/2 lbs"."""
    name = SYMBOLS[match["unit"]]
    return f"{match['n']} {plural(name) if re.search(r'[ -]', match['n']) else name}"


def _rate(match: re.Match[str]) -> str:
    """Read a unit without a number: "measured in mg/dL"."""
    return f"{plural(SYMBOLS[match['unit']])}{per(match['per'])}"


UNITS = compile_rules(
    (r"(?<=\d)\s?mm\sHg\b", " mmHg"),
    (
        rf"{LEFT}(?P<n>(?:\d{{1,2}}[\s-])?\d{{1,2}}/\d{{1,2}})\s?(?P<unit>{_FRACTIONED})(?![\w/])(?:\.(?=\s+[a-z]))?",
        _part_of_unit,
    ),
    (r"(?i)(?<=\d)\s?(?:sq\.?\s?(?:ft|feet)|square\s?ft)\b(?:\.(?=\s+[a-z(]|,|\)))?", " sqft"),
    (r"(?i)\bsq\.?\s?(?:ft|feet)\b(?:\.(?=\s+[a-z(]|,|\)))?", "square feet"),
    (r"(?i)(?<=\d)\s?sq\.?\s?m(?:eters?)?\b", " sqm"),
    (r"(?i)(?<=\d)\s?sq\.?\s?(?:km|kilometers?)\b", " km²"),
    (r"(?i)(?<=\d)\s?(?:sq\.?|square)\s?(?:mi|miles?)\b(?:\.(?=\s+[a-z]))?", " mi²"),
    (r"(?i)(?<=\d)\s?sq\.?\s?in\b\.?", " in²"),
    (r"(?i)(?<=\d)\s?(?:cu\.?|cubic)\s?ft\b\.?", " ft³"),
    (r"(?i)(?<=\d)\s?fl\.?\s?ozs?\b(?:\.(?=\s+[a-z(]|,|\)))?", " floz"),
    (
        rf"{LEFT}(?P<feet>\d{{1,2}})\s?(?:'|′|-?ft\.?|-?feet)[\s-]?(?P<inches>\d{{1,2}}(?:\.\d)?)\s?"
        r"(?:\"|″|''|in\b\.?|inches\b)",
        _feet_inches,
    ),
    (rf"{LEFT}(?P<feet>\d)'(?P<inches>1[01]|[0-9])(?![\w']|\.\d)", _feet_inches),
    (rf"{LEFT}({NUMBER})\"\s?[x×]\s?(?={NUMBER}\")", r"\1 by "),
    (rf"{LEFT}((?:\d{{1,2}}[\s-])?\d{{1,2}}/\d{{1,2}})\"(?!\w)", _fraction_of_inch),
    (
        rf"(?:{LEFT}|(?<=by ))(?P<amount>{NUMBER})\s?-?(?P<mark>\"(?!\w)|in(?=\s(?:wide|tall|long|thick|deep)\b)"
        r"|(?<=\d)in\b|(?<=-)in\b(?!-))",
        _inches,
    ),
    # At the end of a clause, "in" is more likely a unit than the word, but not for sure.
    (rf"{LEFT}({NUMBER} in)(?=[.,;)]|$)", lambda m: unsure(m[1])),
    (
        rf"{LEFT}(?P<amount>\d{{1,2}})'(?=\s(?:tall|long|wide|high|deep|ladder|fence|wall|x)\b)",
        lambda m: f"{number(m['amount'])} {'foot' if is_attribute(m) else 'feet'}",
    ),
    (
        rf"{LEFT}({NUMBER}\s?(?P<unit>{SYMBOL}))\s?[-–—]\s?(?={NUMBER}\s?(?P=unit)(?![\w/²³^]))",
        r"\1 to ",
    ),
    (rf"{LEFT}(\d{{2,3}})/(\d{{2,3}})\s?(mm\s?Hg)(?!\w)", _pressure),
    (r"(?i)(?<=blood pressure of )(\d{2,3})/(\d{2,3})()(?![\w/-]|\.\d)", _pressure),
    (
        rf"{LEFT}(?P<sign>[-−+±])?(?P<amount>{NUMBER})(?P<gap>\s|-(?=\S{{2}}))?(?P<unit>{SYMBOL})"
        rf"(?P<per>{PER})?{_DOTTED}(?![\w²³^'’$€£]|\s?/\s?\w|-\d)",
        _quantity,
    ),
    (rf"(?<![\w/])(?P<unit>{SYMBOL})(?<!\bm)(?<!\bg)(?<!\bh)(?<!\bl)(?P<per>{PER})(?![\w/])", _rate),
    (r"(?<![\w/])(?P<unit>m|g)(?P<per>/(?:s²?|min|cm3|cm³|mL|L|mol))(?![\w/²])", _rate),
    (
        rf"\b((?:{_COUNTED})s)/({_EACH})\b(?!/)",
        lambda m: f"{m[1]} per {_EACH_WORDS.get(m[2], m[2])}",
    ),
    # Newtons are not in the table, for N is north as well.
    (r"(?<![\w/])N/(?:m|kg|C)(?:²|2)?(?![\w/])", lambda m: unsure(m[0])),
    (
        rf"({LEFT}{NUMBER} [a-z]{{3,}})/({SYMBOL})(?<=\w\w)(?<!/in)(?<!/mo)(?<!/mi)(?![\w/²³^])",
        lambda m: f"{m[1]} per {SYMBOLS[m[2]]}",
    ),
    (rf"({LEFT}{NUMBER} [a-z]+)/({_EACH})\b(?!/)", lambda m: f"{m[1]} per {_EACH_WORDS.get(m[2], m[2])}"),
    (rf"{LEFT}({NUMBER} [CF])(?=[\s.,;!?)]|$)", lambda m: unsure(m[1])),
    (r"(?<=\d) ?pct\b\.?", "%"),
    (rf"{LEFT}({NUMBER}) s(?![\w'/-])", lambda m: f"{number(m[1])} {'second' if m[1] == '1' else 'seconds'}"),
)

SPELLED_UNITS = compile_rules(
    # The number is in words already.
    (rf"\b(per) ({SYMBOL})(?![\w/])", lambda m: f"per {SYMBOLS[m[2]]}"),
    (
        rf"\b((?:{_WORDS_OF_NUMBERS})) ({SYMBOL})(?<=\w\w)(?<! in)(?<! ms)(?<! mi)(?![\w/'])",
        lambda m: f"{m[1]} {plural(SYMBOLS[m[2]])}",
    ),
    (r"\b(square|cubic) (cm|km|mm|ft|mi)\b", lambda m: f"{m[1]} {plural(SYMBOLS[m[2]])}"),
)
