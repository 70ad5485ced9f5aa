"""English abbreviations in words, by where they stand.

"St." is a saint before a name and a street behind one; between two names it is neither for sure and stays unsaid.
The full stop of an abbreviation ends a sentence only where a capital or nothing follows, and never behind a title.
"""

import re

from pipeline.text.replacements import compile_rules
from pipeline.text.verbalize.characters import unsure
from pipeline.text.verbalize.english.context import left_of

# Before a name. The second form stands where no name follows.
_TITLES = {
    "Dr": "Doctor",
    "Mr": "Mister",
    "Mrs": "Missus",
    "Ms": "Miz",
    "Prof": "Professor",
    "Gov": "Governor",
    "Sen": "Senator",
    "Sens": "Senators",
    "Reps": "Representatives",
    "Drs": "Doctors",
    "Pvt": "Private",
    "Cpl": "Corporal",
    "Rep": "Representative",
    "Rev": "Reverend",
    "Capt": "Captain",
    "Lt": "Lieutenant",
    "Col": "Colonel",
    "Gen": "General",
    "Sgt": "Sergeant",
    "Maj": "Major",
    "Adm": "Admiral",
    "Cmdr": "Commander",
    "Pres": "President",
    "Hon": "Honorable",
    "Fr": "Father",
    "Mt": "Mount",
    "Ft": "Fort",
    "St": "Saint",
}
# Behind a name.
_PLACES = {
    "St": "Street",
    "Dr": "Drive",
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Rd": "Road",
    "Ln": "Lane",
    "Ct": "Court",
    "Pl": "Place",
    "Hwy": "Highway",
    "Pkwy": "Parkway",
    "Ter": "Terrace",
    "Mt": "Mountain",
}
_BOOKS = {
    "Gen": "Genesis",
    "Ps": "Psalm",
    "Prov": "Proverbs",
    "Isa": "Isaiah",
    "Jer": "Jeremiah",
    "Matt": "Matthew",
    "Rom": "Romans",
    "Cor": "Corinthians",
    "Gal": "Galatians",
    "Eph": "Ephesians",
    "Heb": "Hebrews",
    "Rev": "Revelation",
}
_SIDES = {"N": "North", "S": "South", "E": "East", "W": "West"}
# Before a number or a capital letter that counts: "Fig. 3", "Vol. II".
_COUNTED = {
    "Fig": "figure",
    "Figs": "figures",
    "Eq": "equation",
    "Eqs": "equations",
    "Vol": "volume",
    "Vols": "volumes",
    "Ch": "chapter",
    "Chap": "chapter",
    "Sec": "section",
    "No": "number",
    "Nos": "numbers",
    "Art": "article",
    "Pt": "part",
    "Ref": "reference",
    "Ver": "version",
    "Ext": "extension",
    "Pg": "page",
    "Min": "minimum",
    "Max": "maximum",
    "p": "page",
    "pp": "pages",
    "ca": "circa",
    "c": "circa",
    "approx": "approximately",
    "est": "established",
    "Apt": "apartment",
}
_ANYWHERE = {
    "Inc": "Incorporated",
    "Ltd": "Limited",
    "Corp": "Corporation",
    "Bros": "Brothers",
    "Dept": "Department",
    "Univ": "University",
    "Assn": "Association",
    "Jr": "Junior",
    "Sr": "Senior",
    "approx": "approximately",
    "incl": "including",
    "excl": "excluding",
    "tel": "telephone",
    "dept": "department",
    "govt": "government",
    "Govt": "Government",
    "intl": "international",
    "Intl": "International",
    "misc": "miscellaneous",
    "temp": "temperature",
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Pkwy": "Parkway",
    "Hwy": "Highway",
}
_CAPITALIZED = "|".join(_TITLES)
_COUNTED_NAMES = "|".join(f"[{name[0]}{name[0].lower()}]{name[1:]}" if len(name) > 1 else name for name in _COUNTED)
# A name behind these words is a saint's, a mountain's or a fort's, whatever stands before them.
_HOLY = r"Mount|Lake|Cathedral|Church|Hospital|Saint|Port|Fort|Basilica|Bay"
_DAY_NAMES = {
    short: f"{name}day"
    for names, name in (
        ("Mon", "Mon"),
        ("Tue Tues", "Tues"),
        ("Wed", "Wednes"),
        ("Thu Thur Thurs", "Thurs"),
        ("Fri", "Fri"),
        ("Sat", "Satur"),
        ("Sun", "Sun"),
    )
    for short in names.split()
}
_DAYS = "|".join(_DAY_NAMES)
_MONTH_NAMES = {
    "Jan": "January",
    "Feb": "February",
    "Apr": "April",
    "Aug": "August",
    "Sept": "September",
    "Sep": "September",
    "Oct": "October",
    "Nov": "November",
    "Dec": "December",
}
# Words that begin a sentence and no name.
_OPENERS = (
    r"(?:The|A|An|In|On|At|It|Its|He|She|They|We|I|You|But|And|Or|So|This|That|These|There|Here|My|His|Her|Our|Your|Their|"
    r"When|What|Where|Who|Why|How|If|As|For|With|To|Is|Are|Do|Does|Can|Let|Now|Then|Each|All|Some|Many|No|Yes)\b"
)


def _title(match: re.Match[str]) -> str:
    return f"{_TITLES[match['title']]} "


def _place(match: re.Match[str]) -> str:
    ends = re.match(r"\s*$|[\"')]|\s+[A-Z][a-z]", match.string[match.end() : match.end() + 40])
    return f"{match['name']} {_PLACES[match['place']]}" + ("." if ends else "")


def _numbered(match: re.Match[str]) -> str:
    name = match["name"]
    word = _COUNTED[name if name in _COUNTED else name.capitalize()]
    return f"{word} "


def _between_names(match: re.Match[str]) -> str:
    """Decide between "Mount St. Helens", "5 Elm St. Boston" and what could be either."""
    name, abbreviation = match["name"], match["title"]
    left = left_of(match)
    if re.search(r"\d(?:st|nd|rd|th)?\s+(?:[NSEW]\.?\s+)?$", left):
        return f"{name} {_PLACES[abbreviation]}, {match['next']}"
    if abbreviation == "Dr" or re.fullmatch(_HOLY, name) or re.search(r"(?:^|[.!?:]\s+|[\"(])$", left):
        return f"{name} {_TITLES[abbreviation]} {match['next']}"
    return f"{name} {unsure(abbreviation + '.')} {match['next']}"


def _initials(match: re.Match[str]) -> str:
    letters = match[1].replace(".", "").replace(" ", "")
    ends = re.match(rf"\s*$|[\"')]|\s+(?:{_OPENERS})", match.string[match.end() : match.end() + 40])
    return letters + ("." if ends else "")


ABBREVIATIONS = compile_rules(
    (r"(?i)\be\.\s?g\.,?", "for example,"),
    (r"(?i)\bi\.\s?e\.,?", "that is,"),
    (r"(?i)(?<!slash )\betc\.(?=\s+[A-Z]|\s*$)", "and so on."),
    (r"(?i)(?<!slash )\betc\b\.?", "and so on"),
    (r"\bet al\.(?=\s+[A-Z]|\s*$)", "and others."),
    (r"\bet al\b\.?", "and others"),
    (r"\b[Cc]f\.(?=\s)", "compare"),
    (r"\b[Vv]s?\.(?=\s)|\bvs\b", "versus"),
    (r"\b[Aa]\.?[Kk]\.?[Aa]\b\.?(?=[\s,])", "also known as"),
    (r"\bPh\.\s?D\b\.?", "PhD"),
    (r"(?<=\d)\s?([AaPp])\.?\s?[Mm]\b(?:\.(?!\s+(?![A-Z]{2,4}\b)[A-Z]|\s*$))?", lambda m: f" {m[1].upper()}M"),
    (r"\b([AaPp])\.\s?[Mm]\.(?=\s+[A-Z]|\s*$)", lambda m: f"{m[1].upper()}M."),
    (r"\b([AaPp])\.\s?[Mm]\.", lambda m: f"{m[1].upper()}M"),
    (
        r"\b([NSEW])\.\s(?=(?:America|Africa|Asia|Europe|Korea|Ireland|Carolina|Dakota|Virginia)n?s?\b)",
        lambda m: f"{_SIDES[m[1]]} ",
    ),
    # "U.S.", "J.R.R. Tolkien"; one letter alone is an initial, and its full stop is no pause.
    (r"\b((?:[A-Z]\.\s?){1,}[A-Z])\.(?![A-Za-z])", _initials),
    (rf"\b([A-Z][a-z]+ [A-Z])\.(?=\s+(?!{_OPENERS})[A-Z][a-z])", r"\1"),
    (r"^([F-Z])\.(?=\s+(?:[A-Z]\s)?[A-Z][a-z])", r"\1"),
    (rf"(?<!\d)(?<!\d\s)\b(?P<name>{_COUNTED_NAMES})\.\s?(?=\d|[IVXLC]+\b)(?!(?<=No\.\s)I\b)", _numbered),
    (r"\b(?P<name>Figs?|Eqs?|Vols?)\s(?=\d)", _numbered),
    # A street by its number: "42nd St.", "5th Ave."
    (
        rf"(?P<name>\d(?:st|nd|rd|th))\s(?P<place>{'|'.join(_PLACES)})\b\.?",
        _place,
    ),
    (
        rf"\b(?P<name>[A-Z][a-z]+)\s(?P<title>St|Dr)\.\s+(?P<next>(?!{_OPENERS})"
        r"[A-Z][a-z]+)",
        _between_names,
    ),
    (rf"\b(?P<title>{_CAPITALIZED})\.\s?(?=[A-Z][a-zA-Z'.])", _title),
    (rf"\b([A-Z][a-z]+ [A-Z])\.(?=\s+(?!{_OPENERS})[A-Z][a-z])", r"\1"),
    (r"\bSec\.\s(?=of\s)", "Secretary "),
    (rf"\b({'|'.join(_BOOKS)})\.\s(?=\d+:\d)", lambda m: f"{_BOOKS[m[1]]} "),
    (r"\b(?P<title>Mrs|Mr|Ms|Dr)\.?\s(?=[A-Z][a-z]|(?:&|and)\s(?:Mrs|Mr|Ms|Dr|Missus|Mister|Miz|Doctor)\b)", _title),
    # Days and months, but "the Sun."
    (
        rf"\b(?P<first>{_DAYS})\.?\s?(?:[-–]|to)\s?(?P<last>{_DAYS})\b\.?",
        lambda m: f"{_DAY_NAMES[m['first']]} to {_DAY_NAMES[m['last']]}",
    ),
    (rf"(?<!the )\b(?P<name>{_DAYS})\.(?=,?\s+[a-z\d(]|,)", lambda m: _DAY_NAMES[m["name"]]),
    (rf"\b(?P<name>{'|'.join(_MONTH_NAMES)})\.(?=,?\s+[a-z(]|,)", lambda m: _MONTH_NAMES[m["name"]]),
    (rf"\b(?P<name>[A-Z][a-z]+)\s(?P<place>{'|'.join(_PLACES)})\.(?!\w)", _place),
    (
        r"\b(?P<name>\d+\s(?:[NSEW]\s)?[A-Z][a-z]+)\s(?P<place>St|Dr|Ave|Blvd|Rd|Ln|Ct|Pl)\b(?=\s*(?:,|$|\s[a-z]))",
        _place,
    ),
    (
        rf"\b(?P<name>{'|'.join(_ANYWHERE)})\b\.(?P<end>(?=\s+[A-Z]|\s*$)?)",
        lambda m: _ANYWHERE[m["name"]] + _full_stop(m),
    ),
    (r"\bapprox\b", "approximately"),
    (r"\b(Jr|Sr)\b", lambda m: _ANYWHERE[m[1]]),
    (r"\bCo\.(?=\s*$|\s+[A-Z])", "Company."),
    (r"\bCo\.(?=[\s,])", "Company"),
    (r"\bw/o(?:ut)?\b", "without"),
    (r"\bb/c\b", "because"),
    (r"\bc/o\b", "care of"),
    (r"\bw/(?=\s)", "with"),
)


def _full_stop(match: re.Match[str]) -> str:
    rest = match.string[match.end() : match.end() + 40]
    if match["name"] in ("Jr", "Sr") and not re.search(r"[A-Z][a-z]+,?\s$", left_of(match)):
        return ""
    if match["name"] in ("Inc", "Ltd", "Corp", "Jr", "Sr", "Bros", "Ave", "Blvd", "Pkwy", "Hwy"):
        return "." if re.match(r"\s*$|\s+[A-Z][a-z]", rest) else ""
    return "." if re.match(r"\s*$", rest) else ""
