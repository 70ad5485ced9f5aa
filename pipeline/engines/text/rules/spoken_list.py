"""A short list said as a sentence: "apples, pears and plums", or "first ..., second ..."."""

import re

from pipeline.engines.text.rules.answer_structure import Written, heads, without_parentheses
from pipeline.engines.text.rules.patterns import RespondWording, first_match
from pipeline.text.verbalize import text_length, verbalize

# Items up to this long are named in a row; longer ones are counted off.
_SHORT_ITEM = {"en": 4, "zh": 8}
# A lead-in such as "they include" runs on into items up to this long.
_RUN_ON_ITEM = {"en": 9, "zh": 14}
# An explanation up to this long belongs to its item.
_SHORT_BODY = {"en": 5, "zh": 6}
# Longer items without a name of their own are not said as a list.
_LONGEST_ITEM = {"en": 22, "zh": 36}
# More than that nobody follows.
_IN_NAMES = frozenset("a an and at by de for in la of on or the to van von with".split())
_MOST_ITEMS = 10
_FEWEST_ITEMS = 3
_SENTENCE = re.compile(r"\w[.!?。！？][\"”’」]?$")
_PAUSE = re.compile(r"[,:，：]")
_END = re.compile(r"[\s.,;:。，；：、!！]+$")


def speak_list(
    question: str, written: Written, wording: RespondWording, language: str, target: int, limit: int
) -> str | None:
    """The lead-in and the items as speech, or None where they do not make a spoken answer within the limit.

    Items may be left off only where neither the question nor the lead-in says how many there are.
    """
    found = _items(question, written, wording, language)
    if found is None:
        return None
    items, sentences = found
    lead = _lead(written, wording, language)
    counts = _counts(f"{question} {lead}", wording, language)
    if counts and len(items) not in counts:
        return None
    whole = counts or wording.needs_whole.search(question)
    fewest = len(items) if whole else min(_FEWEST_ITEMS, len(items))
    if fewest > _MOST_ITEMS:
        return None
    for number in range(min(len(items), _MOST_ITEMS), fewest - 1, -1):
        text = verbalize(_say(lead, items[:number], sentences, wording, language), language)
        length = text_length(text, language)
        if length <= target or (number == fewest and length <= limit):
            return text
    return None


def _items(question: str, written: Written, wording: RespondWording, language: str) -> tuple[list[str], bool] | None:
    """What is said of each item: all of it where that is short, else its name; and whether they are sentences.

    None where neither will do.
    """
    if written.more_lists or len(written.items) < 2:
        return None
    if any(first_match(wording.not_spoken, item) for item in written.items):
        return None
    whole = tuple(without_parentheses(item) for item in written.items)
    names = heads(whole, _SHORT_BODY[language], language)
    if names is None or (wording.needs_bodies.search(question) and not _counts(question, wording, language)):
        names = whole
    items = [_END.sub("", name) for name in names]
    lengths = [text_length(verbalize(item, language), language) for item in items]
    if min(lengths) == 0 or max(lengths) > _LONGEST_ITEM[language]:
        return None
    return items, all(_SENTENCE.search(name) for name in names)


def _lead(written: Written, wording: RespondWording, language: str) -> str:
    """The sentence before the list, if it says something by itself."""
    if not written.prose:
        return ""
    lead = _END.sub("", without_parentheses(written.prose[-1]))
    if wording.empty_lead.search(lead) or wording.leans_on.search(lead) or first_match(wording.not_spoken, lead):
        return ""
    return lead if text_length(lead, language) <= _LONGEST_ITEM[language] else ""


def _counts(text: str, wording: RespondWording, language: str) -> set[int]:
    """The numbers of things that the text speaks of."""
    words = "|".join(wording.numbers)
    pattern = rf"(?:{words})(?=[个种条项点位件类])" if language == "zh" else rf"\b(?:{words})\b"
    return {wording.numbers[found.lower()] for found in re.findall(pattern, verbalize(text, language), re.IGNORECASE)}


def _say(lead: str, items: list[str], sentences: bool, wording: RespondWording, language: str) -> str:
    longest = max(text_length(item, language) for item in items)
    if sentences or any(_PAUSE.search(item) for item in items):
        longest = _LONGEST_ITEM[language]
    blank, end = ("", "。") if language == "zh" else (" ", ".")
    row = wording.comma.join(items[:-1]) + wording.and_ + items[-1]
    if lead and longest <= _RUN_ON_ITEM[language] and wording.runs_on.search(lead):
        return f"{lead}{blank}{_in_a_row(items, wording, language)}{end}"
    if lead and wording.runs_on.search(lead):
        return f"{lead}{wording.comma}{wording.comma.join(_counted_off(items, wording, language))}{end}"
    counted = end + blank
    said = (
        row[0].upper() + row[1:]
        if longest <= _SHORT_ITEM[language]
        else counted.join(part[0].upper() + part[1:] for part in _counted_off(items, wording, language))
    )
    return f"{lead}{end}{blank}{said}{end}" if lead else f"{said}{end}"


def _in_a_row(items: list[str], wording: RespondWording, language: str) -> str:
    lower = _lowered(items, language)
    return wording.comma.join(lower[:-1]) + wording.and_ + lower[-1]


def _counted_off(items: list[str], wording: RespondWording, language: str) -> list[str]:
    parts = []
    for i, (ordinal, item) in enumerate(zip(wording.ordinals, _lowered(items, language), strict=False)):
        template = wording.last_item if i == len(items) - 1 else wording.item
        parts.append(template.format(ordinal=ordinal, item=item))
    return parts


def _lowered(items: list[str], language: str) -> list[str]:
    lower = [_lower_first(item, language) for item in items]
    if any(before != after for before, after in zip(items, lower, strict=True)):
        # Not a list of names, so that its single words are none either.
        return [item[0].lower() + item[1:] if item[1:].islower() else item for item in lower]
    return lower


def _lower_first(item: str, language: str) -> str:
    """Lower case inside a sentence, unless the item is a name, all of whose words have capitals."""
    words = item.split()
    if language == "zh" or not any(word.islower() and word not in _IN_NAMES for word in words[1:]):
        return item
    return item if not words[0][1:].islower() else item[0].lower() + item[1:]
