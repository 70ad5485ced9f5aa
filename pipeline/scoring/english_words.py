"""Tables of English words for scoring: contractions, fillers, spellings, units, symbols.

Spellings are reconciled only where both sound the same: "colour" and "color", but not "mum" and "mom".
"""

import re
from functools import lru_cache

# Whisper was trained on transcripts without these, and never prints them. "ah", "oh", "eh" are words that it prints;
# "er" is also the ER.
FILLERS = frozenset({"uhm", "erm", "mhm"}).union(
    stem + stem[-1] * more for stem in ("uh", "um", "hm", "mm") for more in range(6)
)

STEMS_OF_IS = frozenset(
    "he she it that what who where when how there here why everything everyone everybody someone somebody something "
    "nobody nothing anybody anyone".split()
)
CONTRACTIONS: dict[str, str] = {
    "let's": "let us",
    "won't": "will not",
    "can't": "can not",
    "shan't": "shall not",
    "ain't": "aint",
    "y'all": "you all",
    "y'know": "you know",
    "d'you": "do you",
    "c'mon": "come on",
    "o'clock": "oclock",
    "ma'am": "madam",
    "'em": "them",
    "'n": "and",
    "'til": "until",
    "'cause": "because",
    "'bout": "about",
    "'twas": "it was",
    "'tis": "it is",
}
CONTRACTED_ENDINGS = {"re": "are", "ve": "have", "ll": "will", "d": "would", "m": "am"}
# Before these, "it's" and "I'd" stand for "it has" and "I had".
HAS_BEFORE = frozenset({"been", "got", "had", "become", "happened"})
HAD_BEFORE = frozenset(
    "better been rather gone seen done taken known given forgotten written eaten broken chosen spoken begun grown "
    "shown driven fallen flown had made heard told left lost found bought brought thought felt kept met said paid "
    "sent spent built".split()
)
# These end like a past tense but are none.
NOT_PAST = frozenset("exceed succeed proceed indeed embed speed breed bleed".split())
# "how'd you" is "how did you", while "who'd go" is "who would go".
DID_BEFORE = frozenset({"how", "why", "where", "when", "what"})

# Headings and names; two or more of the letters i, v and x after them are a numeral.
MONARCHS = frozenset(
    "alexander benedict catherine charles edward elizabeth ferdinand francis frederick george henry ivan james "
    "leopold louis napoleon nicholas paul peter philip pius richard william".split()
)
BEFORE_ROMAN = MONARCHS | frozenset("act appendix article book chapter episode part phase section volume".split())

# Initialisms that start with A: in all others "a" before a letter is the article.
STARTING_WITH_A = ("abc", "abs", "acdc", "adhd", "aka", "api", "aqi", "atm", "aws", "awol")

# Written one way and said the other, or printed both ways for the same sounds.
WORDS: dict[str, str] = {
    "cannot": "can not",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "kinda": "kind of",
    "sorta": "sort of",
    "lotta": "lot of",
    "outta": "out of",
    "lemme": "let me",
    "gimme": "give me",
    "dunno": "do not know",
    "coulda": "could have",
    "shoulda": "should have",
    "woulda": "would have",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "prof": "professor",
    "jr": "junior",
    "sr": "senior",
    "st": "saint",
    "mt": "mount",
    "capt": "captain",
    "lt": "lieutenant",
    "sgt": "sergeant",
    "inc": "incorporated",
    "ltd": "limited",
    "vs": "versus",
    "etc": "et cetera",
    "ok": "okay",
    "alright": "all right",
    "till": "until",
    "thru": "through",
    "grey": "gray",
    "greys": "grays",
    "cheque": "check",
    "cheques": "checks",
    "tyre": "tire",
    "tyres": "tires",
    "programme": "program",
    "programmes": "programs",
    "kerb": "curb",
    "kerbs": "curbs",
    "plough": "plow",
    "draught": "draft",
    "draughts": "drafts",
    "mould": "mold",
    "mouldy": "moldy",
    "moult": "molt",
    "defence": "defense",
    "offence": "offense",
    "licence": "license",
    "licences": "licenses",
    "pretence": "pretense",
    "practise": "practice",
    "practises": "practices",
    "practised": "practiced",
    "practising": "practicing",
    "jewellery": "jewelry",
    "marvellous": "marvelous",
    "woollen": "woolen",
    "enrol": "enroll",
    "enrolment": "enrollment",
    "fulfil": "fulfill",
    "fulfils": "fulfills",
    "fulfilment": "fulfillment",
    "instalment": "installment",
    "instalments": "installments",
    "skilful": "skillful",
    "skilfully": "skillfully",
    "wilful": "willful",
    "sceptic": "skeptic",
    "sceptical": "skeptical",
    "scepticism": "skepticism",
    "pyjamas": "pajamas",
    "cosy": "cozy",
    "moustache": "mustache",
    "ageing": "aging",
    "judgement": "judgment",
    "acknowledgement": "acknowledgment",
    "yoghurt": "yogurt",
    "yoghurts": "yogurts",
    "aesthetic": "esthetic",
    "encyclopaedia": "encyclopedia",
    "manoeuvre": "maneuver",
    "manoeuvres": "maneuvers",
    "artefact": "artifact",
    "artefacts": "artifacts",
    "doughnut": "donut",
    "doughnuts": "donuts",
    "omelette": "omelet",
    "paediatric": "pediatric",
    "paediatrician": "pediatrician",
    "anaemia": "anemia",
    "oestrogen": "estrogen",
    "diarrhoea": "diarrhea",
    "foetus": "fetus",
    "haemoglobin": "hemoglobin",
    "orthopaedic": "orthopedic",
    "archaeology": "archeology",
    "archaeologist": "archeologist",
    "tonne": "ton",
    "tonnes": "tons",
    "disc": "disk",
    "discs": "disks",
    "axe": "ax",
    "gaol": "jail",
    "catalogue": "catalog",
    "catalogues": "catalogs",
    "dialogue": "dialog",
    "dialogues": "dialogs",
    "analogue": "analog",
    "monologue": "monolog",
}

_OUR = re.compile(
    r"((?:dis|mis|un|re)?(?:arb|arm|behavi|cand|clam|col|demean|endeav|fav|ferv|flav|glam|harb|hon|hum|lab|"
    r"neighb|od|parl|rig|rum|sav|savi|splend|tum|val|vap|vig))our(\w*)"
)
_IZE = re.compile(r"(\w{3,})([iy])z(e|ed|es|er|ers|ing|ation|ations|ational|able)")
_LL = re.compile(
    r"((?:re|un)?(?:cancel|channel|counsel|dial|duel|equal|fuel|jewel|label|level|marvel|model|panel|pedal|quarrel|"
    r"rival|shovel|signal|spiral|total|travel|tunnel|unravel))l(ed|ing|er|ers|ings|ation|ations)"
)
_CENTER = {"centre": "center", "centres": "centers", "centred": "centered", "theatre": "theater"}
_CENTER |= {"theatres": "theaters", "fibre": "fiber", "fibres": "fibers", "calibre": "caliber", "sombre": "somber"}
_CENTER |= {"lustre": "luster", "spectre": "specter", "sabre": "saber", "meagre": "meager"}
_METRE = re.compile(r"((?:kilo|centi|milli|micro|nano|deci|hecto)?(?:met|lit))re(s?)")


@lru_cache(maxsize=65536)
def respell(word: str) -> str:
    """Give words that are spelled in two ways and sound the same a single spelling."""
    if word in WORDS:
        return WORDS[word]
    if word in _CENTER:
        return _CENTER[word]
    for pattern, form in _RESPELLINGS:
        found = pattern.fullmatch(word)
        if found:
            return found.expand(form)
    return word


# The s of -ise and -yse is kept: "exercise" and "advise" have no z form, while every -ize has an -ise form.
_RESPELLINGS = (
    (_OUR, r"\1or\2"),
    (_IZE, r"\1\2s\3"),
    (_METRE, r"\1er\2"),
    (_LL, r"\1\2"),
)

# After a number only: singular and plural, with numbers as they are by then ("second" is 2nd).
UNITS: dict[str, tuple[str, str]] = {
    "kmh": ("kilometer per hour", "kilometers per hour"),
    "kph": ("kilometer per hour", "kilometers per hour"),
    "mps": ("meter per 2nd", "meters per 2nd"),
    "ms": ("millisecond", "milliseconds"),
    "kbps": ("kilobit per 2nd", "kilobits per 2nd"),
    "mbps": ("megabit per 2nd", "megabits per 2nd"),
    "gbps": ("gigabit per 2nd", "gigabits per 2nd"),
    "x": ("times", "times"),
    "mi": ("mile", "miles"),
    "yd": ("yard", "yards"),
    "kcal": ("kilocalorie", "kilocalories"),
    "db": ("decibel", "decibels"),
    "v": ("volt", "volts"),
    "mph": ("mile per hour", "miles per hour"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "m": ("meter", "meters"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ft": ("foot", "feet"),
    "tsp": ("teaspoon", "teaspoons"),
    "tbsp": ("tablespoon", "tablespoons"),
    "ml": ("milliliter", "milliliters"),
    "l": ("liter", "liters"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "sec": ("2nd", "seconds"),
    "secs": ("2nd", "seconds"),
    "kb": ("kilobyte", "kilobytes"),
    "mb": ("megabyte", "megabytes"),
    "gb": ("gigabyte", "gigabytes"),
    "tb": ("terabyte", "terabytes"),
    "hz": ("hertz", "hertz"),
    "khz": ("kilohertz", "kilohertz"),
    "mhz": ("megahertz", "megahertz"),
    "ghz": ("gigahertz", "gigahertz"),
    "kwh": ("kilowatt hour", "kilowatt hours"),
    "kw": ("kilowatt", "kilowatts"),
    "w": ("watt", "watts"),
}

# A single letter is a unit only after two digits or more, since 5G and 3D are names; 2L and 3x are not.
UNITS_AFTER_ONE_DIGIT = frozenset({"l", "x"})

CURRENCIES: dict[str, tuple[str, str]] = {
    "$": ("dollar", "dollars"),
    "€": ("euro", "euros"),
    "£": ("pound", "pounds"),
    "¥": ("yen", "yen"),
    "₹": ("rupee", "rupees"),
}
CENTS: dict[str, tuple[str, str]] = {
    "dollars": ("cent", "cents"),
    "euros": ("cent", "cents"),
    "pounds": ("penny", "pence"),
    "rupees": ("paisa", "paise"),
}

SYMBOLS = {
    "¢": " cents ",
    "%": " percent ",
    "&": " and ",
    "+": " plus ",
    "=": " equals ",
    "@": " at ",
    "×": " times ",
    "÷": " divided by ",
}
MONTH_NAMES = "january february march april may june july august september october november december".split()
MONTHS = frozenset(MONTH_NAMES)
MONTH_ABBREVIATIONS = {name[:3]: name for name in MONTH_NAMES if name != "may"} | {"sept": "september"}
