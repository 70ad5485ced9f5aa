"""Tables of English spellings: words that are written in several ways for the same sounds.

Spellings are reconciled only where both sound the same: "colour" and "color", but not "mum" and "mom". "aluminium" is
the one exception: recognizers print the spelling of their own country whatever they hear.
"""

import re
from functools import lru_cache

from pipeline.scoring.english_compounds import COMPOUNDS
from pipeline.scoring.english_names import SPELLINGS

# Written one way and said the other, or printed both ways for the same sounds.
WORDS: dict[str, str] = (
    COMPOUNDS
    | SPELLINGS
    | {
        "cannot": "can not",
        "gonna": "going to",
        "wanna": "want to",
        "gotta": "got to",
        "kinda": "kind of",
        "sorta": "sort of",
        "alot": "a lot",
        "awhile": "a while",
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
        "ms": "miz",
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
        "blonde": "blond",
        "blondes": "blonds",
        "moustache": "mustache",
        "ageing": "aging",
        "judgement": "judgment",
        "acknowledgement": "acknowledgment",
        "yoghurt": "yogurt",
        "yoghurts": "yogurts",
        "aesthetic": "esthetic",
        "ambience": "ambiance",
        "lilly": "lily",
        "lillys": "lilys",  # Lilly's
        "spacial": "spatial",
        "spacially": "spatially",
        "artefact": "artifact",
        "artefacts": "artifacts",
        "doughnut": "donut",
        "doughnuts": "donuts",
        "omelette": "omelet",
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
        "rd": "road",
        "ave": "avenue",
        "blvd": "boulevard",
        "ln": "lane",
        "hwy": "high way",
        "pkwy": "parkway",
        "ft": "fort",
        "gov": "governor",
        "sen": "senator",
        "gen": "general",
        "col": "colonel",
        "dept": "department",
        "approx": "approximately",
        "manoeuvrable": "maneuverable",
        "manoeuvre": "maneuver",
        "manoeuvres": "maneuvers",
        "manoeuvred": "maneuvered",
        "manoeuvring": "maneuvering",
        "learnt": "learned",
        "spelt": "spelled",
        "burnt": "burned",
        "spilt": "spilled",
        "spoilt": "spoiled",
        "smelt": "smelled",
        "firsthand": "1st hand",
        "secondhand": "2nd hand",
        "aluminium": "aluminum",
        "storey": "story",
        "storeys": "stories",
        "chilli": "chili",
        "chillies": "chilies",
        "chillis": "chilis",
        "smoulder": "smolder",
        "smoulders": "smolders",
        "smouldered": "smoldered",
        "smouldering": "smoldering",
        "kilogramme": "kilogram",
        "kilogrammes": "kilograms",
        "gramme": "gram",
        "grammes": "grams",
        "mollusc": "mollusk",
        "molluscs": "mollusks",
        "tsar": "czar",
        "tsars": "czars",
        "gypsy": "gipsy",
        "cypher": "cipher",
        "pedlar": "peddler",
        "advisor": "adviser",
        "advisors": "advisers",
        "protestor": "protester",
        "protestors": "protesters",
        "imposter": "impostor",
        "imposters": "impostors",
        "dietician": "dietitian",
        "dieticians": "dietitians",
        "enquire": "inquire",
        "enquired": "inquired",
        "enquiry": "inquiry",
        "enquiries": "inquiries",
        "distil": "distill",
        "distils": "distills",
        "instil": "instill",
        "instils": "instills",
        "appal": "appall",
        "enthral": "enthrall",
        "councillor": "councilor",
        "councillors": "councilors",
        "tranquillity": "tranquility",
        "focussed": "focused",
        "focussing": "focusing",
        "focusses": "focuses",
        "biassed": "biased",
        "benefitted": "benefited",
        "benefitting": "benefiting",
        "targetted": "targeted",
        "worshipped": "worshiped",
        "worshipper": "worshiper",
        "kidnapped": "kidnaped",
        "kidnapper": "kidnaper",
        "kidnapping": "kidnaping",
        "likeable": "likable",
        "loveable": "lovable",
        "sizeable": "sizable",
        "saleable": "salable",
        "useable": "usable",
        "moveable": "movable",
        "liveable": "livable",
        "rateable": "ratable",
        "nameable": "namable",
        "whisky": "whiskey",
        "racquet": "racket",
        "racquets": "rackets",
        "phoney": "phony",
        "pricey": "pricy",
        "hiccough": "hiccup",
        "hiccoughs": "hiccups",
        "eyeing": "eying",
        "barbeque": "barbecue",
        "lasagna": "lasagne",
        "verandah": "veranda",
        "savannah": "savanna",
        "nought": "naught",
        "dyke": "dike",
        "woolly": "wooly",
        "annexe": "annex",
        "rouble": "ruble",
        "roubles": "rubles",
    }
)

_OUR = re.compile(
    r"((?:dis|mis|un|re)?(?:arb|arm|behavi|cand|clam|col|demean|endeav|fav|ferv|flav|glam|harb|hon|hum|lab|"
    r"neighb|od|parl|rig|rum|sav|savi|splend|tum|val|vap|vig|succ|enam|clang))our(\w*)"
)
_IZE = re.compile(r"(\w{3,})([iy])z(e|ed|es|er|ers|ing|ation|ations|ational|able)")
_LL = re.compile(
    r"((?:re|un)?(?:cancel|channel|counsel|dial|duel|equal|fuel|jewel|label|level|marvel|model|panel|pedal|quarrel|"
    r"rival|shovel|signal|spiral|total|travel|tunnel|unravel))l(ed|ing|er|ers|ings|ation|ations)"
)
_CENTER = {"centre": "center", "centres": "centers", "centred": "centered", "theatre": "theater"}
_CENTER |= {"theatres": "theaters", "fibre": "fiber", "fibres": "fibers", "calibre": "caliber", "sombre": "somber"}
_CENTER |= {"lustre": "luster", "spectre": "specter", "sabre": "saber", "meagre": "meager", "mitre": "miter"}
_CENTER |= {"epicentre": "epicenter", "epicentres": "epicenters", "sabres": "sabers", "ochre": "ocher"}
_CENTER |= {"amphitheatre": "amphitheater", "goitre": "goiter", "nitre": "niter", "sceptre": "scepter"}
_METRE = re.compile(r"((?:kilo|centi|milli|micro|nano|deci|hecto)?(?:met|lit))re(s?)")
# Greek stems, in American English with e (and f): "haemorrhage", "leukaemia", "sulphate". No other word has any.
_GREEK = {
    "haem": "hem", "anaem": "anem", "aemia": "emia", "aemic": "emic", "anaesth": "anesth", "paed": "ped",
    "oesoph": "esoph", "oestr": "estr", "gynaec": "gynec", "foet": "fet", "mediaev": "mediev", "archaeo": "archeo",
    "caesar": "cesar", "rrhoea": "rrhea", "homoeo": "homeo", "amoeb": "ameb", "manoeuv": "maneuv", "sulph": "sulf",
}  # fmt: skip
_GREEK_STEM = re.compile("|".join(_GREEK))


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
    return _GREEK_STEM.sub(lambda found: _GREEK[found[0]], word)


# The s of -ise and -yse is kept: "exercise" and "advise" have no z form, while every -ize has an -ise form.
_RESPELLINGS = (
    (_OUR, r"\1or\2"),
    (_IZE, r"\1\2s\3"),
    (_METRE, r"\1er\2"),
    (_LL, r"\1\2"),
)
