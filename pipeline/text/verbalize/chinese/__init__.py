"""Written Chinese as it is said: tables of forms, in the order in which they are read.

Each form is read only where it is whole and its meaning is sure. What no form reads keeps its digits or signs, which
`unspeakable` finds.
"""

from pipeline.text.replacements import apply_rules
from pipeline.text.verbalize.chinese.arithmetic import EARLY, EXPRESSIONS, RANGES, WHOLE
from pipeline.text.verbalize.chinese.codes import ADDRESSES, CODES, LETTERED
from pipeline.text.verbalize.chinese.dates import DATES
from pipeline.text.verbalize.chinese.money import MONEY
from pipeline.text.verbalize.chinese.symbols import CHARACTERS, PUNCTUATION, SYMBOLS
from pipeline.text.verbalize.chinese.units import UNITS

_NUMBERS = (*EARLY, *DATES, *MONEY, *CODES, *RANGES, *UNITS, *EXPRESSIONS, *LETTERED, *WHOLE)
_RULES = (*CHARACTERS, *ADDRESSES, *_NUMBERS, *SYMBOLS, *PUNCTUATION)


def say(text: str) -> str:
    """Return the text with its numbers, signs and punctuation as they are said."""
    return apply_rules(_RULES, text)
