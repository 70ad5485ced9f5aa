"""Rewrite English written forms so that only words and plain numbers are left.

Every rule works on folded text (lower case, straight apostrophes and hyphens). The order matters: special rules come
before general ones (a date before a range, a thousands separator before a decimal).
"""

import re

from pipeline.scoring.english_units import CENTS, CURRENCIES, DENOMINATORS, MONTH_NAMES, SYMBOLS
from pipeline.scoring.english_words import BEFORE_I
from pipeline.text.replacements import MarkedRules, Replacement, Rule, apply_rules

_SIGNS = "".join(sign for sign in CURRENCIES if len(sign) == 1)
_MARKS = "".join(SYMBOLS) + _SIGNS + "#°^~*"
_NEEDED = re.compile(f"[0-9{re.escape(_MARKS)}]")
_NEEDED_OF_ASCII = re.compile(f"[0-9{re.escape(''.join(filter(str.isascii, _MARKS)))}]")

_INITIALS = re.compile(r"(?<![a-z])(?:[a-z]\.){2,}(?![a-z0-9])")
_DOCTORATE = re.compile(r"\bph\.\s?d\b")
_DOMAIN = re.compile(r"\.(?<=[a-z0-9]\.)(?=(?:com|org|net|edu|gov|io)\b)|\.(?<=\bwww\.)(?=[a-z0-9])")
_PREFIX = re.compile(
    r"(?<![\w-])(wi(?=-fi)|on(?=-line)|e|co|non|anti|multi|semi|pre|micro|ultra|re|sub|inter|super|hyper|bio|cyber)-(?=[a-z]{2})"
)
# "Act I, scene II" and "Type I diabetes", but not "the type I like".
_NUMERAL_I = re.compile(r" i(?:(?=\W*$)|(?=,? scene\b)|(?= (?:diabetes|errors?|trials?|stud(?:y|ies))\b))")
_END_MARKS = " .!?,;:)\"'"
_WORD_BEFORE = re.compile(r"[a-z]+$")
_LONGEST_WORD = 24
_ROCK_AND_ROLL = re.compile(r"\brock[\s'-]+n[\s'-]+roll\b")
_BETWEEN = re.compile(r"between ([0-9][0-9.,]*)\s?-\s?(?=[0-9])")
_SCALE_LETTER = re.compile(r"degrees ([cf])(?<=[0-9] degrees .)(?![\w'])")
_SCALES = {"c": "degrees celsius", "f": "degrees fahrenheit"}
_SQUARE_ROOT = re.compile(r"\bthe (?=(?:square|cube) root\b)")
_SQUARE_FEET = re.compile(r"(?<=[0-9])\s?sq\.? ?(ft|in|mi|m|km|yd)2?\b\.?")
_BILLION = re.compile(r"([bm])n\b(?:(?<=[0-9]..)|(?<=[0-9] ..))")
_PER_CENT = re.compile(r"per(?<!\wper)[\W_]+cent\b")
_WORLD_WAR = re.compile(r"world(?<!\wworld)\W+war\W+(i{1,3})\b(?!')")
_NUMBER_WORD = re.compile(r"no(?<!\wno)\. ?(?=[0-9])")
_DOTTED_TIME = re.compile(
    r"(?<![0-9.,])(0?[1-9]|1[0-2])\.([0-5][0-9])(?=\s?[ap]\s?m\b| in the (?:morning|afternoon|evening)\b)"
)
_INNER_POINT = re.compile(r"\.[a-z0-9]")

# Patterns begin with a digit or a mark where they can, and look behind from there: a lookbehind in front is tried at
# every character.
_THOUSANDS = re.compile(r"[0-9](?<![0-9.,].)[0-9]{0,2}(?:,[0-9]{3})++(?![0-9]|,[0-9])")
_ISO_DATE = re.compile(r"\b([12][0-9]{3})[-/](0?[1-9]|1[0-2])[-/](3[01]|[12][0-9]|0?[1-9])\b")
_SLASH_DATE = re.compile(r"(?<![\w-])([0-9]{1,2})[/-]([0-9]{1,2})[/-]([12][0-9]{3})(?![\w-])")
_MINUS = re.compile(r"(?<![^\s(])-(?=[0-9$€£¥])")
# 10 - 4 is 6, and neither the score 10-4 nor the range 4-10.
_DIFFERENCE = re.compile(r"-(?:(?<=[0-9]-)|(?<=[0-9] -))\s?(?=[0-9.]+\s?(?:=|equals|is)\s?-?[0-9])")
_PART_ENDING = re.compile(r"(/[0-9]{1,2})(?:nd|rd|th)s?\b")
_GROUPS = re.compile(r"[0-9](?<![\w.-].)[0-9]*+(?:-[0-9]++){2,}(?![\w-])")
_DECIMAL_COMMA = re.compile(r"([0-9](?<![0-9.,].)[0-9]*+),([0-9]{1,2})(?![0-9,])")
_POWER = re.compile(r"\s?\^\s?\(?(-?[0-9]+|[a-z]\b)\)?")
_POWERS = {"2": " squared ", "3": " cubed "}
_AT_MOST = re.compile(r"([<>])\s?=")
_ABOUT = re.compile(r"(?<![\w~])~\s?(?=[0-9])")
_PHONE = re.compile(r"(?:\(([0-9]{3})\)\s?|(?:\b([0-9])-)?\b([0-9]{3})-)?(?<![0-9])([0-9]{3})-([0-9]{4})\b")
_DOTTED_PHONE = re.compile(r"[0-9]{3}(?<![0-9.]...)\.[0-9]{3}\.[0-9]{4}(?![0-9.])")
# 3-3 and 10-10 are scores, "three to three"; 50-50 is not.
_TWICE = re.compile(r"(?<![0-9.,/-])([0-9]++)\s?(?:/|(?<=[2-9][0-9])-|(?<=[2-9][0-9] )-)\s?\1(?![0-9/-]|[.,][0-9])")
_SIGN_AND_CENTS = re.compile(rf"[{re.escape(_SIGNS)}]\s?(?=[0-9]{{1,2}} (?:cents?|pence)\b)")
_MONEY_RANGE = re.compile(rf"([{re.escape(_SIGNS)}])([0-9]++(?:\.[0-9]++)?)\s?-\s?(?=[0-9])")
_RANGE = re.compile(r"(?<=[0-9])(\s?[ap]m|[%°])?\s?-\s?(?=[$€£]?[0-9])")
_RATE = re.compile(rf"([0-9]\s?[a-zμ]{{0,5}}[23]?)/({'|'.join(DENOMINATORS)})\b")
_PER = re.compile(r"(?<=[a-z0-9])\s?/\s?(?=(?:second|minute|hour|day|week|month|year|person|mile|gallon)\b)")
_AMOUNT = r"([0-9]++(?:\.[0-9]++)?)(?:\s?(thousand|million|billion|trillion|k|m|bn|b|t|tn)\b)?"
_DOLLARS = re.compile(rf"([a-z]{{1,2}})\$\s?{_AMOUNT}")
_MONEY = re.compile(rf"([{re.escape(_SIGNS)}])\s?{_AMOUNT}")
_SIGN_AFTER = re.compile(rf"([0-9])\s?([{re.escape(_SIGNS)}])")
_CENTS_ALONE = re.compile(r"0\.([0-9]{2})")
_ONE_CENT = re.compile(r"(?<![0-9.])1\s?¢")
_SHORT_SCALES = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion", "t": "trillion", "tn": "trillion"}
_FULL_HOUR_HALF = re.compile(r"\b([0-9]{1,2}):00(?=\s?[ap]\s?m\b)")
_FULL_HOUR = re.compile(r"\b(0?[0-9]|1[0-2]):00\b(?!:)")
_TIME = re.compile(r"\b([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9])")
_RATIO = re.compile(r"(?<=[0-9]):(?=[0-9])")
_FEET = re.compile(r"(?<![0-9'])([1-9])'\s?([0-9]|1[01])(?![0-9])\"?")
_INCHES = re.compile(r'(?<=[0-9])"(?![^\s,.;:!?-])')
_MIXED = re.compile(r"\b([0-9]{1,3})\s+(?=([0-9]{1,2})[/⁄]([2-9]|10)(?![0-9/.]|\.[0-9]))")
_HALF = re.compile(r"(?<=[0-9] )and 1[/⁄]2\b")
_FRACTION = re.compile(r"(?<![0-9/.])([0-9]{1,2})[/⁄]([2-9]|10)(?![0-9/.]|\.[0-9])")
_OVER = re.compile(r"(?<![0-9/.])([0-9]+(?:\.[0-9]+)?)\s?[/⁄]\s?([0-9]+)(?![0-9/]|\.[0-9])")
_HUNDREDTH = re.compile(r"(?<![0-9/.])1/(1000?)(?![0-9/.])")
_SQUARE_METERS = re.compile(r"([kc]?m|ft)([23])\b(?<![a-z]m.)(?<![a-z][kc]m.)")
_NAMES_OF_TWO = {2: ("half", "halves"), 4: ("quarter", "quarters")}
_NUMBER_SIGN = re.compile(r"#(?=[0-9])")
_SHARP = re.compile(r"\b([cf])#")
_HASHTAG = re.compile(r"#(?=[a-z])")
_ONE_DEGREE = re.compile(r"(?<![0-9.,])1\s?°")
_DEGREE_SCALE = {"c": " degrees celsius ", "f": " degrees fahrenheit "}
_DEGREES = re.compile(r"°\s?([cf])?(?![a-z])|°")
_MILLIMETERS = re.compile(r"([0-9])\s?mm\b")
_STAR = re.compile(r"([0-9a-z])\s?\*\s?(?=[0-9])")
_TIMES = re.compile(r"([0-9])\s?x\s?(?=[0-9])")
_SYMBOL = re.compile("[" + re.escape("".join(SYMBOLS)) + "]")
_STRAY_POINT = re.compile(r"\.(?<![0-9]\.)(?=[0-9])")


def rewrite(text: str) -> str:
    """Write abbreviations, dates, money, times, ranges, fractions, degrees and symbols as words and numbers."""
    if _INNER_POINT.search(text):
        text = apply_rules(_POINT_RULES, text)
    for part, pattern, replacement in _WORD_RULES:
        if part in text:
            text = pattern.sub(replacement, text)
    if " i " in text or " i," in text or text[-6:].rstrip(_END_MARKS)[-2:] == " i":
        text = _NUMERAL_I.sub(_numeral_i, text)
    if (_NEEDED_OF_ASCII if text.isascii() else _NEEDED).search(text):
        text = _RULES.apply(text)
    return text


def _date(year: str, month: str, day: str) -> str:
    return f" {MONTH_NAMES[int(month) - 1]} {int(day)} {year} "


def _slash_date(found: re.Match[str]) -> str:
    """Read a date month first, the American order, unless only day first is possible."""
    first, second, year = found.groups()
    month, day = (second, first) if int(first) > 12 else (first, second)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return found[0]
    return _date(year, month, day)


def _money(found: re.Match[str]) -> str:
    return _amount_of(*found.groups())


def _amount_of(sign: str, number: str, scale: str | None) -> str:
    singular, plural = CURRENCIES[sign]
    scale = _SHORT_SCALES.get(scale or "", scale)
    if scale:
        return f" {number} {scale} {plural} "
    cents = _CENTS_ALONE.fullmatch(number)
    if cents and plural in CENTS:
        return f" {int(cents[1])} {CENTS[plural][cents[1] != '01']} "
    return f" {number} {singular if number == '1' else plural} "


def _dollars(found: re.Match[str]) -> str:
    """Read C$50, but not the end of a word before a dollar sign."""
    is_word_end = found.string[: found.start()][-1:].isalpha()
    if is_word_end or f"{found[1]}$" not in CURRENCIES:
        return found[0]
    return _amount_of(f"{found[1]}$", found[2], found[3])


def _square(found: re.Match[str]) -> str:
    """Read 80 m2, but not the M2 by itself."""
    before = found.string[max(0, found.start() - 2) : found.start()].rstrip()
    return f" {'square' if found[2] == '2' else 'cubic'} {found[1]}" if before[-1:].isdecimal() else found[0]


def _numeral_i(found: re.Match[str]) -> str:
    start = found.start()
    before = _WORD_BEFORE.search(found.string, max(0, start - _LONGEST_WORD), start)
    return " 1" if before and before[0] in BEFORE_I else found[0]


def _power(found: re.Match[str]) -> str:
    return _POWERS.get(found[1], f" to the power of {found[1].replace('-', 'minus ')} ")


def _inches(found: re.Match[str]) -> str:
    """Read 27" as inches unless the mark closes a quotation."""
    return found[0] if found.string.count('"', 0, found.start()) % 2 else " inches"


def _over(found: re.Match[str]) -> str:
    """Read 120/80 and 22/7, but leave what is said without a word between: dates, seasons, 24/7."""
    above, below = found.groups()
    is_date = above.isdecimal() and int(above) <= 12 and 10 < int(below) <= 31
    is_season = len(above) == 4 and len(below) == 2
    return found[0] if is_date or is_season or (above, below) == ("24", "7") else f"{above} over {below}"


def _time(found: re.Match[str]) -> str:
    return " ".join([str(int(found[1])), *(part for part in found.groups()[1:] if part)])


def _mixed(found: re.Match[str]) -> str:
    return f"{found[1]} and " if int(found[2]) < int(found[3]) else found[0]


def _fraction(found: re.Match[str]) -> str:
    count, parts = int(found[1]), int(found[2])
    if count >= parts:
        return found[0]
    if parts in _NAMES_OF_TWO:
        return f" {count} {_NAMES_OF_TWO[parts][count > 1]} "
    return f" {count} {_ordinal(parts)}{'s' if count > 1 else ''} "


def _ordinal(value: int) -> str:
    return f"{value}{ {2: 'nd', 3: 'rd'}.get(value, 'th') }"


# Each rule with the characters, or the part of a text, that it needs: most texts have few, and most rules are skipped.
_POINT_RULES: tuple[Rule, ...] = (
    (_INITIALS, lambda found: found[0].replace(".", "")),
    (_DOMAIN, " dot "),
    (_DOTTED_PHONE, lambda found: found[0].replace(".", " ")),
    (_DOTTED_TIME, lambda found: found[1] if found[2] == "00" else f"{found[1]} {found[2]}"),
    (_STRAY_POINT, " point "),
)
_WORD_RULES: tuple[tuple[str, re.Pattern[str], Replacement], ...] = (
    ("ph.", _DOCTORATE, "phd"),
    ("no.", _NUMBER_WORD, "number "),
    ("mm", _MILLIMETERS, r"\1 millimeters"),  # before "mm" is taken for a hesitation
    ("-", _PREFIX, r"\1"),
    ("per", _PER_CENT, "percent"),
    (" root", _SQUARE_ROOT, ""),
    ("between ", _BETWEEN, r"between \1 and "),
    ("24-7", re.compile(r"(?<![\w-])24-7(?![\w-])"), "24/7"),
    (" degrees ", _SCALE_LETTER, lambda found: _SCALES[found[1]]),
    ("rock", _ROCK_AND_ROLL, "rock and roll"),
    ("world", _WORLD_WAR, lambda found: f"world war {len(found[1])}"),
)
_RULES = MarkedRules(
    ("q", _SQUARE_FEET, r" square \1"),
    ("n", _BILLION, lambda found: " billion" if found[1] == "b" else " million"),
    (",", _THOUSANDS, lambda found: found[0].replace(",", "")),
    (",", _DECIMAL_COMMA, r"\1.\2"),
    ("-/", _ISO_DATE, lambda found: _date(found[1], found[2], found[3])),
    ("-/", _SLASH_DATE, _slash_date),
    ("^", _POWER, _power),
    ("-", _GROUPS, lambda found: found[0].replace("-", " ")),
    ("-", _MINUS, "minus "),
    ("-", _DIFFERENCE, "minus "),
    ("-", _PHONE, lambda found: " " + " ".join(part for part in found.groups() if part)),
    ("-/", _TWICE, r"\1 \1"),
    (_SIGNS, _SIGN_AND_CENTS, ""),
    (_SIGNS, _MONEY_RANGE, r"\2 to \1"),
    ("-", _RANGE, r"\1 to "),
    ("/", _RATE, lambda found: f"{found[1]} per {DENOMINATORS[found[2]]}"),
    ("/", _PER, " per "),
    ("23", _SQUARE_METERS, _square),
    ("$", _DOLLARS, _dollars),
    (_SIGNS, _MONEY, _money),
    (_SIGNS, _SIGN_AFTER, lambda found: f"{found[1]} {CURRENCIES[found[2]][1]} "),
    ("¢", _ONE_CENT, "1 cent"),
    (":", _FULL_HOUR_HALF, r"\1"),
    (":", _FULL_HOUR, lambda found: f"{int(found[1])} o'clock"),
    (":", _TIME, _time),
    (":", _RATIO, " to "),
    ("'", _FEET, r"\1 foot \2 "),
    ('"', _INCHES, _inches),
    ("/", _PART_ENDING, r"\1"),
    ("/⁄", _MIXED, _mixed),
    ("/⁄", _HALF, "and a half"),
    ("/⁄", _FRACTION, _fraction),
    ("/", _HUNDREDTH, r"\1th"),
    ("/⁄", _OVER, _over),
    ("*", _STAR, r"\1 times "),
    ("<>", _AT_MOST, lambda found: f"{SYMBOLS[found[1]]}or equal to "),
    ("~", _ABOUT, " about "),
    ("#", _NUMBER_SIGN, "number "),
    ("#", _SHARP, r"\1 sharp"),
    ("#", _HASHTAG, "hashtag "),
    ("x", _TIMES, r"\1 times "),
    ("°", _ONE_DEGREE, "1 degree "),
    ("°", _DEGREES, lambda found: _DEGREE_SCALE.get(found[1], " degrees ")),
    (SYMBOLS, _SYMBOL, lambda found: SYMBOLS[found[0]]),
)
