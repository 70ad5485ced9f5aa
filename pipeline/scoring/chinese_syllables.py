"""Count the errors of a Chinese transcript that can be heard: by toned syllables, so that homophones are none.

A recognizer writes 她 for 他 and 做 for 作: the ear cannot tell them apart, but the character error rate counts them.
Every character of a normalized text stands for one token: its syllable with its tone, or itself where it has none
(digits, Latin letters). So the two rates have one denominator.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from rapidfuzz.distance import Levenshtein

from manifests.schema import AlignmentChunk

# What the readings depend on, beside the version of the normalizer: pyproject.toml pins the release of pypinyin.
_PHRASE_LENGTHS = (4, 3, 2)
# All three are "de" after what they modify, and recognizers mix them up; in 土地, 目的, 得到 a phrase says otherwise.
_PARTICLES = frozenset("的地得")
_PARTICLE = "de"
_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


def syllables(text: str) -> list[str]:
    """Return one token for each character of a normalized text: "他重新做2个" is tā chóng xīn zuò èr gè."""
    return [_syllable(text, at) for at in range(len(text))]


def syllable_edits(reference: str, hypothesis: str, alignment: Sequence[AlignmentChunk]) -> int:
    """Count the toned syllables to replace, insert or delete; never more than the characters.

    `alignment` is that of the characters of both normalized texts. A character that both have at the same place of it
    has been heard: it counts as equal, however the characters beside it would have it read.
    """
    edits = sum(max(len(chunk.meant), len(chunk.heard)) for chunk in alignment if chunk.kind != "equal")
    if edits == abs(len(reference) - len(hypothesis)):
        return edits  # whatever is read, so many more syllables are on one side
    meant: list[str] = []
    heard: list[str] = []
    differs = 0
    for chunk in alignment:
        if chunk.kind == "equal":
            at, other = len(meant), len(heard)
            meant.extend(reference[at : at + len(chunk.meant)])
            heard.extend(hypothesis[other : other + len(chunk.heard)])
            continue
        ours = [_syllable(reference, at) for at in range(len(meant), len(meant) + len(chunk.meant))]
        theirs = [_syllable(hypothesis, at) for at in range(len(heard), len(heard) + len(chunk.heard))]
        if chunk.kind == "substitute":
            _settle_particles(chunk, ours, theirs)
        differs += ours != theirs
        meant += ours
        heard += theirs
    if edits == 1 or not differs:
        return differs
    return min(edits, Levenshtein.distance(meant, heard))


def _settle_particles(chunk: AlignmentChunk, meant: list[str], heard: list[str]) -> None:
    """Read 目地 like 目的 before it: without a phrase a particle takes the reading opposite, if it can be read so."""
    for at, (ours, theirs) in enumerate(zip(meant, heard, strict=True)):
        if theirs == _PARTICLE and ours in _readings(chunk.heard[at]):
            heard[at] = ours
        elif ours == _PARTICLE and theirs in _readings(chunk.meant[at]):
            meant[at] = theirs


def _syllable(text: str, at: int) -> str:
    character = text[at]
    if character in _DIGITS:
        return _digit(text, at)
    readings = _readings(character)
    if len(readings) == 1:
        return readings[0]
    in_phrase = _in_phrase(text, at)
    if in_phrase is not None:
        return in_phrase
    if character in _PARTICLES:
        return _PARTICLE
    return readings[0] if readings else character


@cache
def _dictionaries() -> tuple[Mapping[int, str], Mapping[str, list[list[str]]]]:
    """Load the readings of characters and of phrases: 45 MB and most of a second, so not before they are needed."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

    return PINYIN_DICT, PHRASES_DICT


@lru_cache(maxsize=1 << 15)
def _readings(character: str) -> tuple[str, ...]:
    found = _dictionaries()[0].get(ord(character))
    return tuple(found.split(",")) if found else ()


def _in_phrase(text: str, at: int) -> str | None:
    """Return the reading that the longest phrase around the character gives it, the first of those as long."""
    phrases = _dictionaries()[1]
    for length in _PHRASE_LENGTHS:
        for start in range(max(at - length + 1, 0), min(at, len(text) - length) + 1):
            phrase = phrases.get(text[start : start + length])
            if phrase is not None:
                return str(phrase[at - start][0])
    return None


def _digit(text: str, at: int) -> str:
    """Read a digit that stands alone, as the 1 of 1起 (一起) does; among others it has no syllable of its own."""
    beside = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
    if any(character.isdecimal() or character == "." for character in beside):
        return text[at]
    return _readings(_DIGITS[text[at]])[0]
