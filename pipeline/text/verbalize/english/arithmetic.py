"""English arithmetic, sizes, scores and ranges in words.

"21-19" is a score or a difference, "12/25" a fraction or a day: the words of the sentence decide, and where they do
not, the number stays unsaid.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.english.context import (
    LEFT,
    RIGHT,
    before,
    is_maths,
    is_score,
    word_before,
)
from pipeline.text.verbalize.english.numbers import NUMBER, cardinal, digits, number

_OPERATORS = {
    "+": "plus",
    "-": "minus",
    "−": "minus",
    "–": "minus",
    "×": "times",
    "x": "times",
    "*": "times",
    "·": "times",
    "÷": "divided by",
    "/": "divided by",
    "=": "equals",
    "≠": "is not equal to",
    "≈": "is about",
    "<": "is less than",
    ">": "is greater than",
    "≤": "is less than or equal to",
    "≥": "is greater than or equal to",
    "±": "plus or minus",
}
POWER = r"(?:\^-?\d{1,3}|[²³])"
_OPERAND = (
    rf"(?:-?(?:{NUMBER})(?:[a-z](?![a-z])|%|π)?{POWER}?|-?[A-Za-z](?![A-Za-z']){POWER}?|√\d+"
    rf"|π(?:[A-Za-z](?![A-Za-z]))?{POWER}?|\?)"
)
_OPERATOR = r"[-+−–×x*·÷/=≠≈<>≤≥±]"
_EXPRESSION = rf"{LEFT}{_OPERAND}(?:\s?{_OPERATOR}\s?{_OPERAND})+(?![\w(\[{{^²³]|\s?[-+−×*÷/=<>≤≥]\s?[\w(\[-]|[.,]\d)"
# A letter behind its coefficient is no sign: "2x + 3".
_TOKEN = re.compile(rf"{NUMBER}|(?<=\d)[a-z](?!\s?\d)|{POWER}|{_OPERATOR}|[A-Za-z√π%?]")
_STRONG = re.compile(r"\d / \d|[+×*÷=≠≈<>≤≥±√^·]|\dx\d.*=| x \d| [-−] .*=|=.*[-−]")
_SIZES = re.compile(
    r"(?i)\b(?:matrix|grid|array|board|photo|picture|paper|screen|pixels?|resolution|room|size[ds]?|dimensions?|area|"
    r"measur\w+|inch(?:es)?|feet|meters?|lumber|envelope|frame|rug|tile)\b"
)
# A hyphen behind these belongs to a name: "Boeing 737-800".
_MODELS = frozenset("boeing airbus model iso rfc din nist".split())


def power(text: str) -> str:
    """Return what is said of "²" or "^3"."""
    exponent = {"²": "2", "³": "3"}.get(text, text.lstrip("^"))
    words = {"2": "squared", "3": "cubed"}.get(exponent)
    if words:
        return words
    sign = "negative " if exponent.startswith("-") else ""
    return f"to the power of {sign}{cardinal(int(exponent.lstrip('-')))}"


def _expression(match: re.Match[str]) -> str:
    text = match[0]
    if not re.search(r"[\dπ²³^]", text) and not re.search(r"[A-Za-z] ?= ?[A-Za-z]", text):
        return text
    if not _STRONG.search(text) and not is_maths(match):
        return text
    if re.fullmatch(rf"{NUMBER}x{NUMBER}", text) or _looks_like_date(text):
        return text
    words: list[str] = []
    operand_next = True
    for found in _TOKEN.finditer(text):
        follows = text[found.end() :].lstrip()[:1]
        letter = found[0] == "x" and not follows.isdigit() and not follows.isalpha()
        said, operand_next = _said(found[0], operand_next or letter)
        if said is None:
            return text
        words.append(said)
    return " ".join(words)


def _looks_like_date(text: str) -> bool:
    return (
        re.fullmatch(r"\d{1,4}[-/]\d{1,4}(?:[-/]\d{1,4})?", text) is not None
        and text.count("/") + text.count("-") != 1
    )


def _said(token: str, operand_next: bool) -> tuple[str | None, bool]:
    """Return the token in words, and whether an operand comes next."""
    if operand_next and token == "-":
        return "negative", True
    if token in _OPERATORS and not (operand_next and token == "x"):
        return _OPERATORS[token], True
    if token == "√":
        return "the square root of", True
    if token == "π":
        return "pi", False
    if token == "%":
        return "percent", False
    if token == "?":
        return "what?", False
    if token.startswith(("^", "²", "³")):
        return power(token), False
    if token.isalpha():
        return token.upper(), False
    return number(token), False


def _range(match: re.Match[str]) -> str:
    """Read "10-15" as a range, "21-19" in a game as its score, "5 - 3" in a sum as a difference."""
    first, second = match["first"], match["second"]
    low, high = float(first.replace(",", "")), float(second.replace(",", ""))
    maths, score = is_maths(match), is_score(match)
    if word_before(match) in _MODELS:
        return match[0]
    spaced = match["mark"] != match["mark"].strip()
    if spaced and maths and not score and match["mark"].strip() != "–":
        return f"{first} minus {second}"
    if low < high and not (first != "0" and first.startswith("0")):
        return f"{first} {'and' if word_before(match) == 'between' else 'to'} {second}"
    if score and low < 300:
        return f"{first} to {second}"
    if (first, second) == ("9", "5"):
        return "nine to five"
    return match[0]


def _product(match: re.Match[str]) -> str:
    """Read "4x4" and "10 x 15 cm" by their size, "10 × 3" as a product."""
    parts = re.split(r"\s?[x×]\s?", match[0])
    words = [number(part) for part in parts]
    if any(word is None for word in words):
        return match[0]
    glued = re.fullmatch(rf"(?:{NUMBER})(?:[x×](?:{NUMBER}))+", match[0]) is not None
    size = glued or len(parts) > 2 or _SIZES.search(match.string[match.start() : match.end() + 40]) is not None
    unit = re.match(r"\s?(?:cm|mm|m|in|ft|px|km|\"|'|″)(?![a-z])", match.string[match.end() : match.end() + 12])
    if is_maths(match) and not size and not unit:
        return " times ".join(map(str, words))
    if size or unit:
        # The last number is left to its unit.
        return " by ".join([*map(str, words[:-1]), parts[-1] if unit else str(words[-1])])
    return " times ".join(map(str, words)) if "×" in match[0] else match[0]


def _spaced_thousands(match: re.Match[str]) -> str:
    """Read "1 000 000"; one group alone, as in "12 500", may be two numbers, unless it is "000"."""
    groups = match[0].split()
    return ",".join(groups) if len(groups) > 2 or groups[1] == "000" else match[0]


def _listed(match: re.Match[str]) -> str:
    return ", ".join(match[0].split(","))


def _compared(match: re.Match[str]) -> str:
    if re.search(r"(?:(?<![A-Za-z'])[A-Za-z]|[\d)\]²³%π]|\w(?<! ))\s?$", before(match)) and not re.search(
        r"[A-Za-z']{2} $", before(match)
    ):
        return match[0]
    words = {"<": "less than", ">": "more than", "≤": "at most", "≥": "at least", "<=": "at most", ">=": "at least"}
    return f"{words[match['sign']]} "


FIXED = compile_rules(
    (rf"{LEFT}24\s?[xX×]\s?7{RIGHT}(?!\s?=)", "twenty four seven"),
    (
        rf"\b(UTC|GMT)\s?(?P<sign>[-+−–])\s?(?P<hours>\d{{1,2}}){RIGHT}",
        lambda m: f"{m[1]} {'plus' if m['sign'] == '+' else 'minus'} {cardinal(int(m['hours']))}",
    ),
    (r"(?<=[%\d])\s?p\.\s?a\b\.?", " per annum"),
    (r"(?<=\w)(\s?)<=(?=\s?-?\w)", r"\1≤"),
    (r"(?<=\w)(\s?)>=(?=\s?-?\w)", r"\1≥"),
    (r"\b([Mm]id|[Pp]re|[Pp]ost|[Ee]arly|[Ll]ate|[Tt]op)-(?=\d)", r"\1 "),
    (rf"{LEFT}\.(\d{{1,3}})(?![\w/-]|[.,]\d)", lambda m: f"point {digits(m[1])}"),
    (r"~\s?(?=[$€£¥]?\d)", "about "),
    (r"(?P<sign>[<>]=|[<>≤≥])\s?(?=[$€£¥]?\d)", _compared),
    (rf"{LEFT}(\d+(?:st|nd|rd|th))/(\d+(?:st|nd|rd|th))(?![\w/])", r"\1 slash \2"),
    (
        rf"{LEFT}(\d{{1,3}})-(in|on|to|for|by|of)-(\d{{1,3}})(?![\w/])",
        lambda m: f"{number(m[1])}-{m[2]}-{number(m[3])}",
    ),
    (r"(?<![\w/.,-])24-7(?![\w/-])", "twenty four seven"),
    (rf"{LEFT}(10|100|1,?000)['’]?s(?= of [a-z])", lambda m: {"10": "tens", "100": "hundreds"}.get(m[1], "thousands")),
    (r"(?<=\d/\d)(?:rds?|ths?)\b", ""),
)

EARLY = compile_rules(
    (r"(?<![\w/])24/7(?![\w/])", "twenty four seven"),
    (r"(?<![\w/])50[/-]50(?![\w/])", "fifty fifty"),
    (r"(?<![\w/])20/20(?=\s+(?:vision|hindsight|eyesight))", "twenty twenty"),
    (r"(?<![\w/])80/20(?=\s+(?:rule|principle|split))", "eighty twenty"),
    (
        r"(?<![\w/])9/11(?=\s+(?:attacks?|terror\w*|memorial|commission|victims|happened)|'s)"
        r"|(?<=[Aa]fter )9/11(?![\w/])"
        r"|(?<=[Oo]n )9/11(?![\w/])|(?<=[Ss]ince )9/11(?![\w/])|(?<=[Tt]he )9/11(?![\w/])",
        "nine eleven",
    ),
    (rf"{LEFT}\d{{1,3}}(?:[ \u00a0\u202f\u2009]\d{{3}})+(?![\w,/-]|\.\d|[ \u00a0]\d)", _spaced_thousands),
    (rf"{LEFT}\d{{1,2}}(?:,\d{{1,2}}){{2,}}(?![\w/-]|[.,]\d)", _listed),
    (r"\^\s?(?=-?\d)", "^"),
    (
        r"(?<=\d)(\s?(?:cm|mm|m|km|in|ft|inch|inches|feet|meters|centimeters|yards|px))\s?[x×]\s?(?=\d)",
        r"\1 by ",
    ),
    (rf"{LEFT}{NUMBER}(?:\s?[x×]\s?{NUMBER})+(?!\s?[=+*/÷−]|[\^²³]|\s-\s|\w{{3,}}|[.,]\d)", _product),
)

EXPRESSIONS = compile_rules(
    (_EXPRESSION, _expression),
    # What is left of a formula must not lose its sign as if it were emphasis.
    (r"(?<=[A-Za-z]{3})\s[*x×]\s(?=[A-Za-z]{3})", " times "),
    (r"(?<=[A-Za-z])\s[x×]\s(?=\d)", " × "),
    (r"(?<=[\w)\]])\s?\*\s?(?=\d)|(?<=\d)\s?\*\s?(?=[\w(])", " × "),
    (r"\s?=\s?(?=\?)", " equals what"),
    (rf"{LEFT}√(\d{{1,6}}){RIGHT}", lambda m: f"the square root of {cardinal(int(m[1]))}"),
)

RANGES = compile_rules(
    (
        rf"{LEFT}(?P<first>{NUMBER})%?(?P<mark>\s?[-–—]\s?|\s?~\s?)(?P<second>{NUMBER})(?![\d/-]|[.,:]\d|\s?[=+*÷×]|\s[-x/]\s?\d)",
        _range,
    ),
)
