"""Write English contractions in full: "it's" is "it is", "it's been" is "it has been"."""

from functools import lru_cache

from pipeline.scoring.english_words import (
    CONTRACTED_ENDINGS,
    CONTRACTIONS,
    DID_BEFORE,
    HAD_BEFORE,
    HAS_BEFORE,
    NOT_PAST,
    STEMS_OF_IS,
)

# "shouldn't've" has two; a word with more than three is not a contraction.
_MAX_APOSTROPHES = 3


def expand(words: list[str]) -> list[str]:
    """Replace every contraction by the words that it stands for. A possessive merely loses its apostrophe."""
    at_apostrophes = [at for at, word in enumerate(words) if "'" in word]
    if not at_apostrophes:
        return words
    result: list[str] = []
    done = 0
    for at in at_apostrophes:
        result.extend(words[done:at])
        following = next((word for word in words[at + 1 : at + 3] if word.isalpha()), "")
        result.extend(_expand(words[at], following in HAS_BEFORE, _is_after_had(following)))
        done = at + 1
    result.extend(words[done:])
    return result


def _is_after_had(word: str) -> bool:
    """Whether the word is a participle and not an infinitive: "I'd gone" is "I had gone", "I'd go" is "I would go"."""
    return word in HAD_BEFORE or (len(word) > 4 and word.endswith("ed") and word not in NOT_PAST)


@lru_cache(maxsize=65536)
def _expand(word: str, is_after_has: bool, is_after_had: bool) -> tuple[str, ...]:
    if word in CONTRACTIONS:
        return tuple(CONTRACTIONS[word].split())
    stem, _, ending = word.rpartition("'")
    if word.count("'") > _MAX_APOSTROPHES:
        return (word.replace("'", ""),)
    if ending == "s" and stem in STEMS_OF_IS:
        return stem, "has" if is_after_has else "is"
    if ending == "s" and stem.endswith("s"):  # "James's" and "James'"
        return (stem.replace("'", ""),)
    if ending == "t" and stem.endswith("n"):
        verb = stem[:-1].replace("'", "")
        return (verb, "not") if verb else ("not",)
    if stem and ending in CONTRACTED_ENDINGS:
        verb = "had" if ending == "d" and is_after_had else CONTRACTED_ENDINGS[ending]
        if ending == "d" and stem in DID_BEFORE:
            verb = "did"
        return (*(_expand(stem, False, False) if "'" in stem else (stem,)), verb)
    return (word.replace("'", ""),)
