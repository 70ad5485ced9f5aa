"""Find a text in another language that is written in the letters of its own.

A question may have five words, so a classifier alone is not to be believed: it takes "John, Amanda, Maria" for Hausa.
A text counts as foreign only if few of its words are among the commonest of English, and the classifier holds English
to be nearly impossible.
"""

import re
from functools import cache
from typing import Protocol

from pipeline.text.scripts import letters

SAMPLE_CHARACTERS = 600
FEWEST_WORDS = 4
"""Words. Shorter texts are names and titles as often as sentences."""
UNLIKELY = 1e-3
"""Probability of English, among all languages that the classifier knows, up to which a text is not English. Sentences
of other languages with 4 to 10 words have up to 0.0009 (39 of 40 that we wrote). English texts without a common word
have 0.004 and more, but for rows of names and of syllables ("la la la")."""
COMMON_SHARE = 0.12
"""Share of commonest words from which on a text is English whatever the classifier says: nine of ten English texts of
data sets have it, and hardly a sentence of another language."""

# The words that make up half of all English speech, without those that are as common in another language with Latin
# letters ("a", "no", "me", "is", "on", "in", "die", "was", "for", "to", "so", "at", "an", "we", "all", "or").
_COMMONEST = frozenset(
    "the of and that it's you your he she they this these those with from what which who how why when where there"
    " their are were been being have has had do does did can could would should will not but if about into than"
    " then my our his her its them some any more most other such only also very because while between through it"
    " by as be name please tell give explain describe write make use find list one two three first new good"
    " people time day way i i'm i'd don't doesn't isn't can't that's what's let's".split()
)
# Names and interjections look like languages that few data sets hold.
_WIDESPREAD = frozenset(
    "af az ca cs cy da de eo es et eu fi fr ga gl hr hu id is it lt lv ms mt nb nl nn no oc pl pt ro sk sl sq sv sw tl"
    " tr vi".split()
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LATIN = letters("latin")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+")
_QUOTED = re.compile(r"\"[^\"]{1,300}\"|“[^”]{1,300}”|«[^»]{1,300}»|\*[^*]{1,300}\*")


class _Identifier(Protocol):
    def rank(self, text: str) -> list[tuple[str, float]]: ...


def foreign_language(text: str, language: str) -> str | None:
    """Return the code of the language in which an English text is in fact written; None if it seems to be English.

    Only `language` "en" is judged: the script tells whether a text is Chinese. What stands in quotation marks is not
    looked at, since an English question may be about a sentence of another language.
    """
    if language != "en":
        return None
    sample = _QUOTED.sub(" ", _ADDRESS.sub(" ", text[:SAMPLE_CHARACTERS]))
    words = [word.lower().replace("’", "'") for word in _WORD.findall(sample)]
    if len(words) < FEWEST_WORDS or not _LATIN.search(sample):
        return None
    if sum(word in _COMMONEST for word in words) >= COMMON_SHARE * len(words):
        return None
    likely = dict(_identifier().rank(" ".join(words)))
    best = max(likely, key=lambda code: likely[code])
    return best if likely["en"] <= UNLIKELY and best in _WIDESPREAD else None


@cache
def _identifier() -> _Identifier:
    # Loaded when first needed: it takes a quarter of a second.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped, unused-ignore]

    identifier: _Identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return identifier
