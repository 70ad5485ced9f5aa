"""What stands around a number, and what the words of its sentence say about it.

A form is read only where it is whole: `LEFT` and `RIGHT` refuse a number that is a piece of something longer, such as
the "3.11" of "3.11.2" or the "12" of "12/25". What no rule reads keeps its digits, and the row is rejected.
"""

import re

LEFT = r"(?<![^\s(\[\"'—–,;:!?])(?<!\d[,:;])(?<!\d\s[–—-])(?<!\d\s[–—-]\s)"
RIGHT = r"(?![^\s)\]\"—–;!?.,:']|[.,:;]\w|'(?!s\b)|\s?[–—]\s?\d|\s-\s?\d)"
COMPOUND = rf"(?:{RIGHT}|(?=-[A-Za-z]))"
"""As `RIGHT`, or a hyphen and a word: "5-year"."""

_FAR = 200
"""In characters: a word that is farther away says nothing about a number, and long texts would take long."""
_SENTENCE_START = re.compile(r"[.!?]\s")
_NEXT_WORD = re.compile(r"[\s-]+([A-Za-z][A-Za-z']*)")
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z']*)[\s\"(]*$")

_MATHS = re.compile(
    r"(?i)\b(?:calculat|comput|solv|evaluat|subtract|equation|expression|simplif|sum|result|add|multipl|divid|"
    r"fraction|maths?|arithmetic|equals?|what is|what's|how much is|root)|="
)
_SCORE = re.compile(
    r"(?i)\b(?:w[io]n|wins|winning|lost|lose|loses|losing|beat|beats|score[ds]?|scoring|defeat\w*|victory|draw|drew|"
    r"tied?|match|game|lead|leads|led|final|halftime|sets?)\b"
)
_RATIO = re.compile(r"(?i)\b(?:ratio|odds|aspect|proportions?|scale|dilut\w+|mix\w*|outnumber\w*)\b")
_PHONE = re.compile(
    r"(?i)\b(?:call|calls|called|phone|telephone|tel|fax|dial|dialed|text|mobile|cell|hotline|ring|whatsapp|contact|"
    r"reach \w+ at)\b"
)
_RANGED = re.compile(r"([A-Za-z]+)\s[\d.,]+ to $")
# After a number, these words do not make it an attribute: "the 5 km of road", "a 5 km and a 10 km run".
_NO_NOUN = frozenset(
    "a about above across after ago ahead all along also although among an and apart are around as at away because "
    "been before behind below beneath between but by can could deep did do does during each east else every far fast "
    "for from had has have he her here high his how i if in inside into is it its just later less like long longer "
    "max maximum may might minimum more must my near no north not now of off old on once one only onto or our out "
    "over per she should since so south such tall than that the their then there these they this thick to today total "
    "toward towards under underneath until up upon us was we were west what when where which while who wide will with "
    "within without would yet you your".split()
)
_ARTICLES = frozenset("a an another each every one".split())
_DETERMINERS = frozenset("the this that my your his her its our their any no".split())


def left_of(match: re.Match[str]) -> str:
    """Return what stands before the match, as far as it matters."""
    return match.string[max(0, match.start() - _FAR) : match.start()]


def before(match: re.Match[str]) -> str:
    """Return the part of the sentence that stands before the match."""
    text = left_of(match)
    starts = [found.end() for found in _SENTENCE_START.finditer(text)]
    return text[starts[-1] :] if starts else text


def sentence(match: re.Match[str]) -> str:
    """Return the sentence of the match."""
    far = match.end() + _FAR
    end = _SENTENCE_START.search(match.string, match.end(), far)
    return before(match) + match.string[match.start() : end.end() if end else far]


def word_before(match: re.Match[str]) -> str:
    found = _LAST_WORD.search(before(match))
    return found[1].lower() if found else ""


def word_after(match: re.Match[str]) -> str:
    found = _NEXT_WORD.match(match.string, match.end())
    return found[1] if found else ""


def is_maths(match: re.Match[str]) -> bool:
    return _MATHS.search(sentence(match)) is not None


def is_score(match: re.Match[str]) -> bool:
    return _SCORE.search(sentence(match)) is not None


def is_ratio(match: re.Match[str]) -> bool:
    return _RATIO.search(sentence(match)) is not None


def is_telephone(match: re.Match[str]) -> bool:
    return _PHONE.search(before(match)) is not None


def is_attribute(match: re.Match[str]) -> bool:
    """Whether the matched quantity stands before its noun, and so in the singular: "a 16 GB stick"."""
    following, left = word_after(match), word_before(match)
    if left == "to" and (ranged := _RANGED.search(left_of(match))):
        left = ranged[1].lower()
    if not following or not following[0].islower():
        return False
    if left in _ARTICLES:
        return following != "of"
    return left in _DETERMINERS and following not in _NO_NOUN


def counts_things(match: re.Match[str]) -> bool:
    """Whether a plural noun follows: "1850 calories", not "1850 was"."""
    following = word_after(match)
    return following in _PLURALS or bool(_PLURAL.fullmatch(following) and following not in _NOT_PLURAL)


_PLURAL = re.compile(r"[a-z]{2,}s")
_PLURALS = frozenset("people men women children feet teeth mice sheep fish million billion thousand".split())
_NOT_PLURAL = frozenset(
    "was is has does as this its us his thus always perhaps across besides towards sometimes vs versus saw shows "
    "marks sees brings makes gives says less plus focus campus crisis".split()
)
