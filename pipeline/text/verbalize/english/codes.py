"""English telephone numbers, versions, Roman numerals and codes such as "GPT-4" in words.

Some numbers are read digit by digit because of the word before them ("flight 981", "room 101"). Three digits behind
letters ("CA981", "F150") are read in several ways and stay unsaid, unless the second half is two zeros.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.english.context import COMPOUND, LEFT, is_telephone
from pipeline.text.verbalize.english.numbers import cardinal, digits, ordinal

_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}
_ROMAN = r"(?:X{0,3})(?:IX|IV|V?I{0,3})"
_MONARCHS = "Henry|Louis|Elizabeth|George|Charles|Edward|James|William|Richard|Philip|Pius|Paul|Napoleon|Nicholas"
_RULERS = r"King|Queen|Pope|Emperor|Tsar|Prince|Sultan|Pharaoh"
_VERSIONED = (
    "Python|iOS|iPadOS|macOS|Android|Java|Node|PHP|Ruby|Rust|Go|Perl|Ubuntu|Debian|Fedora|Windows|Linux|Unity|Unreal|"
    "CUDA|PyTorch|TensorFlow|Kubernetes|Docker|Django|Flask|React|Angular|Vue|Firefox|Chrome|Bluetooth|USB|HTTP|TLS|"
    "HTML|Kotlin|Swift|Scala|Postgres|PostgreSQL|MySQL|OpenGL|DirectX|GPT|Llama|Qwen|Minecraft|[Vv]ersion|[Rr]elease|"
    "[Vv]er\\.|[Cc]hapter|[Ss]ection|[Ff]igure|[Tt]able|[Ee]quation|[Ee]xercise|[Tt]heorem|[Aa]ppendix|[Uu]pdate|[Pp]atch"
)
_DIGIT_BY_DIGIT = (
    "[Ff]light|[Rr]oom|[Ee]rror|HTTP|status code|area code|[Ee]xtension|ZIP(?: code)?|[Zz]ip code|postal code|"
    "postcode|PIN|[Pp]asscode|[Pp]assword|[Ss]erial number|ISBN|SSN|[Aa]ccount number|[Bb]adge number|[Oo]rder number|"
    "[Cc]onfirmation number|[Tt]racking number|Boeing|code|ID(?: number| is)?"
)


def _by_digits(match: re.Match[str]) -> str:
    return ", ".join(digits(group) for group in re.findall(r"\d+", match[0]))


def _telephone(match: re.Match[str]) -> str:
    said = _by_digits(match)
    return f"plus {said}" if match[0].startswith("+") else said


def _called(match: re.Match[str]) -> str:
    return _by_digits(match) if is_telephone(match) else match[0]


def _after_word(match: re.Match[str]) -> str:
    number = match["number"]
    return f"{match['word']} {_by_digits_of(number)}"


def _by_digits_of(number: str) -> str:
    if len(number) < 3 and not number.startswith("0"):
        return cardinal(int(number))
    if re.fullmatch(r"[1-9]00", number):
        return cardinal(int(number))
    return digits(number)


def _dotted(match: re.Match[str]) -> str:
    """Read "3.11.2" as "three point eleven point two", and "1.000.000" as the number that it is elsewhere."""
    groups = match["version"].split(".")
    if not match["v"] and len(groups) > 2 and all(len(group) == 3 for group in groups[1:]) and groups[0] != "0":
        return cardinal(int("".join(groups))) if len(groups) < 5 else match[0]
    if len(groups[-1]) == 4 and len(groups) == 3:  # a date
        return match[0]
    said = " point ".join(_group(group) for group in groups)
    return f"version {said}" if match["v"] else said


def _group(text: str) -> str:
    return digits(text) if text.startswith("0") and text != "0" else cardinal(int(text))


def _version(match: re.Match[str]) -> str:
    groups = match["version"].split(".")
    if len(groups[1]) > 2:
        return match[0]
    return f"{match['name']}{match['gap'].replace('-', ' ')}{' point '.join(_group(group) for group in groups)}"


def _code(match: re.Match[str]) -> str:
    number = match["number"]
    if len(number) > 3 or (len(number) == 3 and not number.endswith("00")) or (number[0] == "0" and number != "0"):
        return match[0]
    letters, gap = match["letters"], match["gap"] or " "
    if gap == "-" and len(letters) == 1 and letters.islower():  # "k-1" is a difference
        return match[0]
    return f"{letters}{gap}{cardinal(int(number))}" + (f" {match['tail']}" if match["tail"] else "")


def _formula(match: re.Match[str]) -> str:
    """Read "H2O" and "C6H12O6" letter by letter."""
    pieces = re.findall(r"[A-Z][a-z]?|\d+", match[0])
    return " ".join(cardinal(int(piece)) if piece.isdigit() else piece for piece in pieces)


def _value(roman: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in roman]
    return sum(-v if v < next_ else v for v, next_ in zip(values, [*values[1:], 0], strict=True))


def _counted(match: re.Match[str]) -> str:
    return f"{match[1]} {cardinal(_value(match[2]))}"


def _ruler(match: re.Match[str]) -> str:
    return f"{match[1]} the {ordinal(_value(match[2]))}"


ROMANS = compile_rules(
    (rf"\b((?:{_RULERS})\s[A-Z][a-z]+|{_MONARCHS})\s((?=[IVX]{{2,}}\b){_ROMAN})\b(?!\.\w)", _ruler),
    (rf"\b((?:{_RULERS})\s[A-Z][a-z]+)\s([IVX])\b(?!\.|'[a-z])", _ruler),
    (r"\b(WW|World War)\s?((?:I{1,3}))\b", lambda m: f"World War {cardinal(_value(m[2]))}"),
    (rf"\b([A-Z][a-z]+)\s((?=[IVX]{{2,}}\b)(?!XX\b|XXX\b){_ROMAN})\b", _counted),
    (
        rf"\b((?:[Cc]hapter|[Vv]olume|[Pp]art|[Aa]ct|[Ss]cene|[Tt]ype|[Pp]hase|[Ll]evel|[Ee]pisode|[Bb]ook|Article)s?)\s"
        rf"((?=[IVX]{{1,}}\b){_ROMAN})\b(?!['.]\w)",
        _counted,
    ),
    (r"\b(WW)([12])\b", lambda m: f"World War {cardinal(int(m[2]))}"),
)

CODES = compile_rules(
    # Telephone numbers and other numbers in groups.
    (
        rf"{LEFT}(?:\+?1[\s.-])?(?:\(\d{{3}}\)\s?|\d{{3}}[-.\s])\d{{3}}[-.\s]\d{{4}}(?![\w/-]|\.\d)",
        _telephone,
    ),
    (rf"{LEFT}\+\d{{1,3}}(?:[\s-]?\(?\d{{2,5}}\)?){{2,5}}(?![\w/-]|\.\d|\s\d)", _telephone),
    (rf"{LEFT}(?:1-)?8(?:00|88|77|66)-\d{{3}}-\d{{4}}(?![\w/-])", _by_digits),
    (rf"{LEFT}\d{{3}}-\d{{4}}(?![\w/-]|\.\d)(?<!\d{{4}}-\d{{4}})", _by_digits),
    (rf"{LEFT}\d{{3}}\s\d{{4}}(?![\w/-]|\.\d|\s\d)", _called),
    (rf"{LEFT}(?:\d{{7}}|\d{{10,11}})(?![\w/-]|[.,]\d)", _called),
    (rf"{LEFT}\d{{3}}-\d{{2}}-\d{{4}}(?![\w/-])", _by_digits),
    (rf"{LEFT}\d{{4}}(?:[\s-]\d{{4}}){{2,3}}(?![\w/-]|\s\d)", _by_digits),
    (r"(?<=ISBN )(?:97[89]-)?\d-\d{2,7}-\d{1,7}-[\dX](?![\w-])", _by_digits),
    (
        r"(?i)(?<![\w.,-])911(?=\s*(?:[.,!?]|$|\s(?:call|operator|immediately|right away|for|if|when|and|or)\b))",
        _called,
    ),
    (r"(?i)(?<![\w.,-])911(?=\s(?:calls?|callers?|dispatch\w*|operators?|emergency)\b)", "nine one one"),
    (rf"\b(?P<word>{_DIGIT_BY_DIGIT})\s#?(?P<number>\d{{3,10}})(?![\w/-]|[.,]\d)", _after_word),
    (r"(?<![\w-])401\s?\(?k\)?(?!\w)", "four oh one K"),
    (r"(?<=[A-Z][a-z]{3} )101(?![\w-])|(?<=[a-z]{4} )101(?=[.?!,]|$)", "one oh one"),
    (r"(?<=\b[Tt]he )(7[1-8]7)(?=[\s.,!?]|$)(?!\s(?:[a-z]+s|people|million|billion)\b)", _by_digits),
    (r"(?<![\w-])360(?=[\s-]degrees?\b)", "three hundred and sixty"),
    # Versions.
    (r"(?<![\w.,:/-])(?P<v>v(?=\d)|V(?=\d+\.))(?P<version>\d{1,3}(?:\.\d{1,3}){0,3})(?![\w/]|\.\d)", _dotted),
    (rf"{LEFT}(?P<v>)(?P<version>\d{{1,4}}(?:\.\d{{1,4}}){{2,}})(?![\w/:,-]|\.\d)", _dotted),
    (
        rf"\b(?P<name>{_VERSIONED})(?P<gap>[\s-])(?P<version>\d{{1,3}}\.\d{{1,3}})(?![\w/%]|[.,]\d|-\d)",
        _version,
    ),
)

LETTERED = compile_rules(
    (r"\b(?:[A-Z][a-z]?\d{1,2})+[A-Z][a-z]?(?:\d{1,2})?\b(?<=[A-Z0-9])(?<!\dD)(?<=\w\w\w)", _formula),
    (
        rf"{LEFT}(?P<letters>[A-Za-z]*[A-Z]|[a-z]+|[A-Z][a-z]+)(?P<gap>-)?(?P<number>\d{{1,3}})(?P<tail>[A-Z]?)"
        rf"(?<!\d[A-Z][A-Z]){COMPOUND}",
        _code,
    ),
    (rf"{LEFT}([2-6])G{COMPOUND}", lambda m: f"{cardinal(int(m[1]))} G"),
    (rf"{LEFT}([1-4])D{COMPOUND}", lambda m: f"{cardinal(int(m[1]))} D"),
    (
        rf"{LEFT}([1248])[kK](?=\s(?:video|TV|tv|resolution|monitor|display|screen|camera|content|ultra|UHD)s?\b|$|[.,!?])",
        lambda m: f"{cardinal(int(m[1]))} K",
    ),
    (rf"{LEFT}(5|10)[kK](?=\s(?:run|race|runs|races|walk)\b)", lambda m: f"{cardinal(int(m[1]))} K"),
    (rf"{LEFT}3M\b(?=\s(?:Company|products?|tape)|'s)", "three M"),
)
