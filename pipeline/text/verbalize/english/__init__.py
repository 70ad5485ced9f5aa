"""Written English as it is said: tables of forms, in the order in which they are read.

Each form is read only where it is whole and its meaning is sure. What no form reads keeps its digits or signs, which
`unspeakable` finds. A form that comes earlier is the more special one: "5 May 2020" before "2020", "$5" before "5".
"""

import re

from pipeline.text.replacements import RuleTable
from pipeline.text.verbalize.english.abbreviations import ABBREVIATIONS
from pipeline.text.verbalize.english.addresses import ADDRESSES
from pipeline.text.verbalize.english.arithmetic import EARLY, EXPRESSIONS, FIXED, RANGES
from pipeline.text.verbalize.english.codes import CODES, LETTERED, ROMANS
from pipeline.text.verbalize.english.dates import DATES
from pipeline.text.verbalize.english.money import MONEY
from pipeline.text.verbalize.english.parts import PARTS
from pipeline.text.verbalize.english.symbols import PUNCTUATION, QUOTES, SYMBOLS
from pipeline.text.verbalize.english.units import SPELLED_UNITS, UNITS
from pipeline.text.verbalize.english.whole import WHOLE

_WORDS = (*QUOTES, *ADDRESSES, *ABBREVIATIONS, *ROMANS)
_FORMS = (*FIXED, *DATES, *MONEY, *CODES, *EARLY, *RANGES, *UNITS, *EXPRESSIONS, *LETTERED, *PARTS, *WHOLE)
RULES = (*_WORDS, *_FORMS, *SPELLED_UNITS, *SYMBOLS, *PUNCTUATION)
_TABLE = RuleTable(RULES)
# Without one of these characters no form matches; that is most sentences.
_HAS_FORM = re.compile(r"[^A-Za-z\s,.?!'\"():;—–-]")
_TABLE_OF_WORDS = RuleTable((*_WORDS, *SPELLED_UNITS, *SYMBOLS, *PUNCTUATION))


def say(text: str) -> str:
    """Return the text with its numbers, abbreviations, signs and punctuation as they are said."""
    return (_TABLE if _HAS_FORM.search(text) else _TABLE_OF_WORDS).apply(text)
