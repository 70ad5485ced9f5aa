"""Rewrite what only capitals and raised signs tell in English, before folding takes them away.

"WWII", "Elm Dr.", "2M views" and "50 Mb" are no longer to be told from other words in lower case, nor is 10⁵ from 105.
"""

import re

from pipeline.scoring.english_letters import ROMANS
from pipeline.scoring.english_number_words import ordinal
from pipeline.scoring.english_units import CURRENCY_CODES
from pipeline.scoring.english_words import BEFORE_ROMAN, MONARCHS

_VULGAR = re.compile(r"(?<=[0-9])(?=[¼½¾⅐-⅞])")
_SQUARE = re.compile(r"(?<![a-z/])([kcm]?m|ft|in|mi)\s?([²³])", re.IGNORECASE)
_SQUARES = {"²": "square", "³": "cubic"}
_RAISED_PER = re.compile("(?<=/)(c?m)([²³])")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
# Compatibility folding takes the bar off ≠, and lower case knows no №.
_SIGNS = (
    ("√", "square root of "),
    ("≠", " is not equal to "),
    ("≥", ">="),
    ("≤", "<="),
    ("≈", "~"),
    ("№", "number "),
    ("″", '"'),
    ("”", '"'),
)

_TWO_CAPITALS = re.compile("[IVXLW][IVXLW]")
_ROMAN = re.compile(r"\b(?:WW(?P<war>II?|[12])|(?P<roman>[LXVI]{2,}))\b(?!['’])")
_WORD_BEFORE = re.compile(r"([A-Za-z]+)\W{1,2}$")
_LONGEST_WORD = 24
# "an IV drip" is no number, nor are XX chromosomes.
_BEFORE_LETTERS = frozenset("a an the by with via on his her my your".split())
_AS_LETTERS = frozenset({"iv", "xx", "xxx", "xi", "vi"})
_SMALL = ROMANS | {"v": 5, "i": 1, "x": 10, "": 0}
_FORTIES = {f"xl{roman}": 40 + value for roman, value in _SMALL.items() if value < 10}
_FORTIES |= {f"l{roman}": 50 + value for roman, value in _SMALL.items() if 0 < value < 40}

_HAS_DIGIT = re.compile("[0-9]")
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_MANY = re.compile(r"(?<=[0-9])M\b(?![-'’]| ?(?:Hz|B))|(?<=[0-9]\.[0-9])B\b")
_BITS = re.compile(r"(?<=[0-9])\s?([kKMGT])(?:(b)(?:it)?(ps|/s)?|B(ps|/s))(?![A-Za-z])|(?<=[0-9])\s?m([AW])\b")
_PREFIXES = {"k": "kilo", "m": "mega", "g": "giga", "t": "tera"}
_GRADE = re.compile(r"(?<![\w-])([A-DF])-(?![\w-])(?!\s?[0-9])")
_STREET = re.compile(r"([A-Z][a-z]+|[0-9]+(?:st|nd|rd|th)) (St|Dr)\b\.?(?!')")
_STREETS = {"St": "Street", "Dr": "Drive"}
_HOUSE_NUMBER = re.compile(r"[0-9][A-Za-z]? (?:[NSEW]\.? |[A-Z][a-z]+ ){0,2}$")
_NAME = re.compile(r"\s+[A-Z]")
_SENTENCE_START = re.compile(r"(?:^|[.!?:\"]\s*)$")
_CODES = "|".join(CURRENCY_CODES)
_AMOUNT = rf"{_NUMBER.replace('[0-9]+', '[0-9][0-9,]*', 1)}(?: ?(?:thousand|million|billion|trillion|[kKmMbB]n?)\b)?"
_CODE = re.compile(
    rf"\b(?P<before>{_CODES}) ?(?P<amount>{_AMOUNT})|(?<=[0-9a-zMBK]) ?\b(?P<after>{_CODES})\b(?! ?[0-9])"
)


def lift_signs(text: str) -> str:
    """Write raised digits as 10^5, and the fraction and the power of 2½ and m² apart; spell signs with plain ones."""
    text = _SQUARE.sub(lambda found: f" {_SQUARES[found[2]]} {found[1]}", _VULGAR.sub(" ", text))
    text = _RAISED_PER.sub(lambda found: found[1] + found[2].translate(_LOWERED), text)
    text = _RAISED.sub(lambda found: "^" + found[0].translate(_LOWERED), text)
    for sign, plain in _SIGNS:
        text = text.replace(sign, plain)
    return text


def read_capitals(text: str) -> str:
    """Write numerals, scales, streets, grades and currencies that are told by their capitals as words and numbers."""
    if text[1:].islower() and text[1] != "-":  # the first letter is a sentence's, and tells nothing
        return text
    if _TWO_CAPITALS.search(text):
        text = _ROMAN.sub(_roman, text)
    if " St" in text or " Dr" in text:
        text = _STREET.sub(_street, text)
    if "-" in text:
        text = _GRADE.sub(r"\1 minus ", text)
    if _HAS_DIGIT.search(text):
        text = _MANY.sub(lambda found: " million" if found[0] == "M" else " billion", _BITS.sub(_bits, text))
        text = _CODE.sub(_money, text)
    return text


def _roman(found: re.Match[str]) -> str:
    if found["war"]:
        return f"world war {2 if found['war'] in ('II', '2') else 1}"
    numeral = found["roman"].lower()
    start = found.start()
    before = _WORD_BEFORE.search(found.string, max(0, start - _LONGEST_WORD), start)
    word = before[1].lower() if before else ""
    value = ROMANS.get(numeral) or (_FORTIES.get(numeral) if word == "bowl" else None)
    if value is None or not word or word in _BEFORE_LETTERS or (numeral in _AS_LETTERS and word not in BEFORE_ROMAN):
        return found[0]
    return f"the {ordinal(value)}" if word in MONARCHS else str(value)


def _street(found: re.Match[str]) -> str:
    """Tell "12 Elm St. in Boston" and "on Elm Dr." from "Church of St. Mary" and "Ask Dr. Elm"."""
    before = found.string[: found.start()]
    is_address = found[1][0].isdecimal() or _HOUSE_NUMBER.search(before) is not None
    is_all = not before and found.end() == len(found.string.rstrip())
    if not (is_address or is_all) and (_NAME.match(found.string, found.end()) or _SENTENCE_START.search(before)):
        return found[0]
    return f"{found[1]} {_STREETS[found[2]]}{'.' if found[0][-1] == '.' else ''}"


def _bits(found: re.Match[str]) -> str:
    """Write out what lower case would confuse: megabits and megabytes, milliwatts and megawatts."""
    prefix, is_bits, bits_per, bytes_per, milli = found.groups()
    if milli:
        return " milliamps" if milli == "A" else " milliwatts"
    per = " per second" if bits_per or bytes_per else ""
    return f" {_PREFIXES[prefix.lower()]}{'bits' if is_bits else 'bytes'}{per}"


def _money(found: re.Match[str]) -> str:
    singular, plural = CURRENCY_CODES[found["before"] or found["after"]]
    if found["after"]:
        return f" {plural}"
    return f"{found['amount']} {singular if found['amount'] == '1' else plural}"
