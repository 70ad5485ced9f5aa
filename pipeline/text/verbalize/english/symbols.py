"""English signs in words, and what becomes of punctuation."""

import re

from pipeline.text.replacements import compile_rules

_EITHER = {"he/she": "he or she", "she/he": "she or he", "s/he": "he or she", "him/her": "him or her"} | {
    "her/him": "her or him",
    "his/her": "his or her",
    "his/hers": "his or hers",
    "her/his": "her or his",
    "himself/herself": "himself or herself",
    "yes/no": "yes or no",
    "true/false": "true or false",
    "male/female": "male or female",
    "he/him": "he him",
    "she/her": "she her",
    "they/them": "they them",
    "and/or": "and or",
    "ac/dc": "AC DC",
    "n/a": "N A",
}
_PAIRS = "|".join(map(re.escape, _EITHER))


def _either(match: re.Match[str]) -> str:
    said = _EITHER[match[0].lower()]
    return said[0].upper() + said[1:] if match[0][0].isupper() else said


# Before the numbers are read.
QUOTES = compile_rules(
    (r"\|([A-Za-z](?:[-+][A-Za-z0-9])?)\|", r"⟨|\1|⟩"),
    # Single quotation marks around words (not apostrophes), and blanks to be filled in.
    (r"(?<![A-Za-z0-9])'(\w[^'\n]*(?:[a-z]'[a-z][^'\n]*)*)'(?![A-Za-z0-9])", r"\1"),
    (r"_{2,}", " blank "),
    # A quoted sentence inside another: its full stop does not end the sentence around it.
    (r"\.\"(?=\s+[a-z])", '"'),
    # A bracket that belongs to a word or a sign is no pause: "f(x)", "2*(3+4)"; "item(s)" is both.
    (r"\b([A-Za-z]{2,})\(s\)", r"\1 or \1s"),
    (r"\*(?=\s?[(\[])|(?<=[)\]])\s?\*(?=\s?[\w(])", " × "),
    (r"(?<=[)\]])\s?-\s?(?=\d|\w\b)|(?<=\d)\s?-\s?(?=\()", " − "),
    (r"(?<=[A-Za-z])\((?!s\))", "⟨"),
    # A colon after a verb is not a pause.
    (r"\b(include|includes|including|are|is|were|was|be|of|like|such as)\s?:\s+", r"\1 "),
)

SYMBOLS = compile_rules(
    (r"\bC#", "C sharp"),
    (r"\bF#", "F sharp"),
    (r"\bC\+\+", "C plus plus"),
    (r"(?<=\w)\+\+", " plus plus"),
    (r"\b([A-F])\+(?=[\s.,!?)\"]|$)", r"\1 plus"),
    (r"#(?=[A-Za-z])", "hashtag "),
    (r"\s?≈\s?", " is about "),
    (r"(?<=[A-Za-z])\s=\s(?=[A-Za-z])", " equals "),
    (r"(?<=[a-z])\s\+\s(?=[a-z])", " plus "),
    (r"§\s?(?=\w)", "section "),
    # A slash between two words that exclude each other is "or"; elsewhere nobody can be sure, and it is said.
    (rf"(?i)(?<![\w/])(?:{_PAIRS})(?![\w/])", _either),
    (r"(?<![\w/])([A-Z])/([A-Z])(?![\w/])", r"\1 \2"),
    (r"(?<=[A-Za-z])\s?/\s?(?=[A-Za-z])", " slash "),
    (r"\s*&\s*", " and "),
    (r"(?<=\s)°(?=\s)", "degrees"),
    (r"\bΩ", "ohm"),
    (r"\bπ\b|π", " pi "),
)

PUNCTUATION = compile_rules(
    # A full stop inside a word is program code or a slip of the pen.
    (r"(?<=[a-z])\.(?=[a-z]{2})(?!com\b)", "⟨.⟩"),
    # Some punctuation is heard as a pause; the rest is silent.
    (r"[\"“”„«»]", ""),
    (r"(?<!\w)[*_]+|[*_]+(?!\w)|`+", " "),
    (r"(?<!\d)\s*[()\[\]{};:|]+\s*|\s*[()\[\]{};:|]+\s*(?!\d)|\s*[()\[\]{};|]+\s*", ", "),
    (r"\s+-+\s+|--+|\s*[–—]+\s*", ", "),
    (r"(?<![A-Za-z])-(?!\d)|-(?![A-Za-z0-9])", " "),
    (r"(?<![A-Za-z0-9])'(?![A-Za-z0-9])", ""),
    (r"(?<![A-Za-z])'(?=[A-Za-z]+')|(?<![A-Za-z0-9])'(?!(?:s|t|re|ve|ll|d|m|em|til|cause|tis|twas)\b)", ""),
)
