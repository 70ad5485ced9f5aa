"""Tables of English words for scoring: contractions, fillers, spellings, units, symbols.

Spellings are reconciled only where both sound the same: "colour" and "color", but not "mum" and "mom".
"""

import re
from functools import lru_cache

# Whisper was trained on transcripts without these, and never prints them. "ah", "oh", "eh" are words that it prints;
# "er" is also the ER.
FILLERS = frozenset({"uh", "uhh", "uhm", "um", "umm", "ummm", "erm", "hm", "hmm", "hmmm", "mm", "mmm", "mhm"})

STEMS_OF_IS = frozenset("he she it that what who where when how there here why everything".split())
CONTRACTIONS: dict[str, str] = {
    "let's": "let us",
    "won't": "will not",
    "can't": "can not",
    "shan't": "shall not",
    "ain't": "aint",
    "y'all": "you all",
    "o'clock": "oclock",
    "ma'am": "madam",
    "'em": "them",
    "'til": "until",
    "'cause": "because",
}
CONTRACTED_ENDINGS = {"re": "are", "ve": "have", "ll": "will", "d": "would", "m": "am"}
# After these, "it's" and "I'd" stand for "it has" and "I had".
HAS_BEFORE = frozenset({"been", "got", "had"})
HAD_BEFORE = frozenset({"better", "been", "rather"})

# Written in one way and said in the other, or printed in both ways for the same sounds.
WORDS: dict[str, str] = {
    "cannot": "can not",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "mr": "mister",
    "mrs": "missus",
    "dr": "doctor",
    "prof": "professor",
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
    """One spelling for words that are written in two ways and sound the same."""
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
    "ms": ("meter per 2nd", "meters per 2nd"),
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
    "%": " percent ",
    "&": " and ",
    "+": " plus ",
    "=": " equals ",
    "@": " at ",
    "×": " times ",
    "÷": " divided by ",
}
MONTHS = frozenset("january february march april may june july august september october november december".split())
