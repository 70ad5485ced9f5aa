"""What the text of one turn allows: words that are taken back, pauses, places where somebody else can be heard.

Places are numbers of words, as `manifests.words` counts them, from 0: "behind word 3". A slip adds words that the
speaker takes back at once, so that the text without the labeled words is the text from before.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from manifests.languages import is_unspaced
from manifests.schema import Label, Turn
from manifests.timeline import LabelKind
from manifests.words import WordSpan, words_of
from pipeline.stages._overlap_wording import OverlapWording
from pipeline.text.scripts import HAN

_HAN_PAIR = re.compile(rf"(?=([{HAN}]{{2}}))")
_LONG_WORD = re.compile(r"[A-Za-z]{5,}")
_ARTICLE = re.compile(r"(?:a|an|the)", re.IGNORECASE)
_EDGES = re.compile(r"^\W+|\W+$")
_NEAR = 3
"""Words of one kind that are so near in their list are taken for each other: three for four, and not for forty."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How many words of a language make the lengths that people need; a Chinese word is a character here."""

    word: int
    """One word has so many."""
    shortest: int
    """A turn that is interrupted, or begun again, has at least so many."""
    rest: int
    """So many are left of a turn when something happens in it."""
    apart: int
    """So many lie between two short sounds of one listener."""
    sentence: int
    """So many pass while the listener says a sentence to somebody else."""


_SPACED = Measures(word=1, shortest=8, rest=3, apart=5, sentence=10)
_UNSPACED = Measures(word=2, shortest=12, rest=4, apart=8, sentence=16)


def measures(language: str) -> Measures:
    return _UNSPACED if is_unspaced(language) else _SPACED


@dataclass(frozen=True, slots=True)
class Slip:
    """Words that are said before word `word` of a turn, and taken back."""

    kind: LabelKind
    word: int
    said: str


def with_slip(turn: Turn, slip: Slip, language: str, wording: OverlapWording) -> Turn | None:
    """Put the words into the turn and label them; None if they would not be words of their own."""
    text = turn.text or ""
    words, said = words_of(text, language), words_of(slip.said, language)
    count = len(said)
    head, tail = text[: words[slip.word].start], text[words[slip.word].start :]
    longer = joined(head, joined(slip.said, tail, language, wording), language, wording)
    if len(words_of(longer, language)) != len(words) + count:
        return None
    labels = (
        *(_moved(label, slip.word, count) for label in turn.labels),
        Label(slip.kind, slip.word, slip.word + count - 1),
    )
    return replace(turn, text=longer, labels=tuple(sorted(labels, key=lambda label: label.first_word)))


def _moved(label: Label, word: int, count: int) -> Label:
    if label.last_word < word:
        return label
    return replace(label, first_word=label.first_word + count, last_word=label.last_word + count)


def joined(first: str, then: str, language: str, wording: OverlapWording) -> str:
    """Join two parts of what one speaker says; a sentence that goes on with its first word writes it small."""
    first, then = first.strip(), then.strip()
    if is_unspaced(language) or not first or not then:
        return first + then
    opener = _EDGES.sub("", then.split()[0]).lower()
    if first[-1] not in ".!?" and opener in wording.openers:
        then = then[0].lower() + then[1:]
    return f"{first} {then}"


def false_starts(text: str, language: str, wording: OverlapWording) -> list[Slip]:
    """Return the ways in which the speaker may begin twice: with the same words, or with others first."""
    if len(words_of(text, language)) < measures(language).shortest // 2:
        return []
    comma = "，" if is_unspaced(language) else ","
    found = wording.repeats.match(text)
    same = (
        [f"{found[0].strip()}{comma}"]
        if found and found.end() < len(text) and text[found.end()] not in ",，?？"
        else []
    )
    # Beginning with the same words is by far the commonest.
    return [Slip("false_start", 0, said) for said in (*same * len(wording.restarts), *wording.restarts)]


def self_corrections(text: str, language: str, wording: OverlapWording) -> list[Slip]:
    """Return the ways in which a word of the text may first be said wrongly: as another word of its kind."""
    words = words_of(text, language)
    lower, repair, slips = text.lower(), wording.repairs, []
    for line in wording.confused:
        for number, right in enumerate(line):
            near = line[max(0, number - _NEAR) : number + _NEAR + 1]
            wrong = [word for word in near if word.lower() not in lower]
            for found in re.finditer(_alone(right, language), text, re.IGNORECASE):
                at = next(i for i, word in enumerate(words) if word.start <= found.start() < word.end)
                if not _is_part_of_number(right, text, words, at, found.start(), language, wording):
                    slips += [
                        _correction(word, repair[k % len(repair)], words, at, language) for k, word in enumerate(wrong)
                    ]
    return slips


def _alone(word: str, language: str) -> str:
    return re.escape(word) if is_unspaced(language) else rf"(?<![\w'-]){re.escape(word)}(?![\w'-])"


def _correction(wrong: str, repair: str, words: Sequence[WordSpan], at: int, language: str) -> Slip:
    if is_unspaced(language):
        return Slip("self_correction", at, f"{wrong}，{repair}")
    if at and _ARTICLE.fullmatch(words[at - 1].text):
        article = words[at - 1].text.lower()
        if article != "the":
            article = "an" if wrong[0].lower() in "aeio" else "a"
        return Slip("self_correction", at - 1, f"{article} {wrong}, {repair}")
    return Slip("self_correction", at, f"{wrong}, {repair}")


def _is_part_of_number(
    right: str, text: str, words: Sequence[WordSpan], at: int, start: int, language: str, wording: OverlapWording
) -> bool:
    number = wording.no_number_beside
    if is_unspaced(language):
        return bool(number.match(right)) and start > 0 and bool(number.match(text[start - 1]))
    if not number.fullmatch(right):
        return False
    beside = [_EDGES.sub("", words[i].text) for i in (at - 1, at + 1) if 0 <= i < len(words)]
    return any(number.fullmatch(word) for word in beside)


def pauses(turn: Turn, language: str, wording: OverlapWording) -> list[int]:
    """Return the words of the turn behind which its speaker may stop and think."""
    text = turn.text or ""
    words, rest = words_of(text, language), measures(language).rest
    inside = {i for label in turn.labels for i in range(label.first_word, label.last_word)}
    return [
        i
        for i in range(rest - 2, len(words) - rest)
        if i not in inside
        and (wording.clause_end.search(words[i].text) or _begins(words[i + 1], text, language, wording))
    ]


def _begins(word: WordSpan, text: str, language: str, wording: OverlapWording) -> bool:
    if is_unspaced(language):
        return wording.pauses_before.match(text, word.start) is not None
    return wording.pauses_before.fullmatch(_EDGES.sub("", word.text)) is not None


def clause_ends(text: str, language: str, wording: OverlapWording) -> list[int]:
    """Return the words behind which a listener may say a word: clauses end there, and some of the text is left."""
    words, least = words_of(text, language), measures(language)
    ends = (i for i, word in enumerate(words[: -least.rest]) if wording.clause_end.search(word.text))
    return [i for i in ends if i >= least.rest - 1]


def interruptible(answer: str, then: str, language: str, wording: OverlapWording) -> list[int]:
    """Return the words of the answer behind which the user may break in with `then`; none if it needs the whole.

    Enough has been said by then, and not all. Words that `then` takes up from the answer have been said too.
    """
    words, least = words_of(answer, language), measures(language)
    count = len(words)
    if count < 1.5 * least.shortest or (then and wording.needs_the_end.search(then)):
        return []
    said = max((_first_at(word, answer, words) for word in _content(then) & _content(answer)), default=0)
    first = max(math.ceil(0.35 * count), next(iter(clause_ends(answer, language, wording)), 0), said)
    return list(range(first, min(int(0.85 * count), count - 1 - least.rest) + 1))


def _content(text: str) -> set[str]:
    return {word.lower() for word in _LONG_WORD.findall(text)} | set(_HAN_PAIR.findall(text))


def _first_at(part: str, text: str, words: Sequence[WordSpan]) -> int:
    end = text.lower().index(part) + len(part)
    return next(i for i, word in enumerate(words) if end <= word.end)


def place_behind(quote: str, text: str, language: str) -> int | None:
    """Return the word of the text at which the quoted words end, where they first stand; None if they do not."""
    wanted, words = _bare(quote, language), _bare(text, language)
    starts = range(len(words) - len(wanted) + 1) if wanted else range(0)
    return next((i + len(wanted) - 1 for i in starts if words[i : i + len(wanted)] == wanted), None)


def _bare(text: str, language: str) -> list[str]:
    return [_EDGES.sub("", word.text).casefold() for word in words_of(text, language)]
