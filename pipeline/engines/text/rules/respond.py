"""Task "respond": the data set's own answer, cut to what is said in one breath, in words.

The answer is taken apart into prose and list items. A short list is said as a sentence ("apples, pears and plums", or
"first ..., second ..."); prose is said sentence by sentence, as far as the target and the limit allow.

Variables `question` (already spoken) and `answer`; options `answer_limit` (default 100 words or characters: the hard
limit of Ke-SpeechChat) and `answer_target` (default 40, ours: no sentence is added once this length is reached).
`allow_latin` (default off) allows Latin words in Chinese. Fields: `question`, `answer`.
"""

import re
from dataclasses import dataclass

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules.patterns import RespondWording, beginning, first_match, is_endless, respond_wording
from pipeline.text.sentences import split_sentences, with_end_mark
from pipeline.text.verbalize import strip_markup, text_length, unsaid, verbalize

_ANSWER_LIMIT = 100
_ANSWER_TARGET = 40
# With this many words or characters, a cut answer still says something.
_SAYS_ENOUGH = {"en": 12, "zh": 18}

# A sentence that only turns the thought is no longer than this.
_LEADS_ON = {"en": 5, "zh": 10}
# Items up to this long are named in a row; longer items are counted off.
_SHORT_ITEM = {"en": 4, "zh": 8}
# A lead-in such as "they include" runs on into items up to this long.
_RUN_ON_ITEM = {"en": 9, "zh": 14}
# An explanation up to this long belongs to its item.
_SHORT_BODY = {"en": 5, "zh": 6}
# Longer items without a name of their own are not said as a list.
_LONGEST_ITEM = {"en": 22, "zh": 36}
# Nobody follows a longer list.
_MOST_ITEMS = 10
_FEWEST_ITEMS = 3
# Lower-case words inside names: "Joan of Arc".
_IN_NAMES = frozenset("a an and at by de for in la of on or the to van von with".split())

# Fenced code and tables, before their marks are stripped.
_BLOCK = re.compile(r"```|~~~|^\s*\|.+\|", re.MULTILINE)
_ITEM = re.compile(
    r"^(?P<indent>\s*)(?:[-*•–]\s*|\(?\d{1,2}(?:[.)、．](?!\d)|\s*[：:])\s*|[a-zA-Z]\)\s*)(?P<text>[^\s\d*-].*|\d[^.)、].*)$"
)
_HEAD = re.compile(r"^(?P<head>[^:：。.!?！？]{2,70}?)\s*(?:[:：]|\s[-–—]+\s|——)\s*(?P<body>\S.*)?$")
_PARENTHESES = re.compile(r"\s*[（(][^()（）]*[)）]")
_TERMINAL = re.compile(r"[.!?。！？:：][\"”’」')]*$")
_SENTENCE = re.compile(r"\w[.!?。！？][\"”’」]?$")
_PAUSE = re.compile(r"[,:，：]")
_END = re.compile(r"[\s.,;:。，；：、!！]+$")


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """`prose` has the sentences before the first list (all of them if there is no list), `items` that list.

    `more_lists` says whether the answer has further lists. `lines` are the lines that are not blank.
    """

    prose: tuple[str, ...]
    items: tuple[str, ...]
    more_lists: bool
    lines: tuple[str, ...]


def respond(request: TextRequest) -> TextAnswer | Failure:
    answer = beginning(request.variables.get("answer", "").strip())
    if not answer:
        return Failure(Reason.NO_ANSWER, "the data set has no answer, and rules write none")
    language = request.language
    question = beginning(request.variables.get("question", ""))
    if is_endless(question) or is_endless(answer):
        return Failure(Reason.UNPRONOUNCEABLE, "an endless word or number")
    question = verbalize(question, language)
    spoken = _spoken_answer(question, answer, request)
    if isinstance(spoken, Failure):
        return spoken
    odd = unsaid(f"{question} {spoken}", language, allow_latin=bool(request.options.get("allow_latin")))
    if odd or not text_length(spoken, language) or not text_length(question, language):
        return Failure(Reason.UNPRONOUNCEABLE, " ".join(odd[:10]) or "nothing is left to say")
    return TextAnswer({"question": question, "answer": spoken})


def _spoken_answer(question: str, answer: str, request: TextRequest) -> str | Failure:
    language = request.language
    wording = respond_wording(language)
    limit = int(request.options.get("answer_limit", _ANSWER_LIMIT))
    target = min(limit, int(request.options.get("answer_target", _ANSWER_TARGET)))
    if block := _BLOCK.search(answer):
        return Failure(Reason.ANSWER_NOT_SPEAKABLE, block.group().strip()[:40])
    written = _take_apart(answer, language)
    lengths = [text_length(line, language) for line in written.lines]
    if _is_verse(written.lines, wording.verse_words, lengths) and not written.items:
        return Failure(Reason.ANSWER_NOT_SPEAKABLE, "lines that are no sentences")
    if written.items:
        return _with_list(question, written, wording, language, target, limit)
    return _prose(question, written.prose, wording, language, target, limit)


def _with_list(
    question: str, written: WrittenAnswer, wording: RespondWording, language: str, target: int, limit: int
) -> str | Failure:
    said = _speak_list(question, written, wording, language, target, limit)
    if said is not None:
        return said
    prose = tuple(s for s in written.prose if not wording.announces.search(s) and s[-1] not in ":：")
    whole = wording.asks_for_list.search(question) or wording.needs_whole.search(question)
    if whole or sum(text_length(s, language) for s in prose) < _SAYS_ENOUGH[language]:
        return Failure(Reason.ANSWER_NOT_SPEAKABLE, "a list that is too long to be said")
    return _prose(question, prose, wording, language, target, limit)


def _prose(
    question: str, sentences: tuple[str, ...], wording: RespondWording, language: str, target: int, limit: int
) -> str | Failure:
    """Say whole sentences until the target is reached, never beyond the limit."""
    whole = wording.needs_whole.search(question) is not None
    target = limit if wording.needs_more.search(question) else target
    kept: list[str] = []
    used = 0
    for sentence in sentences:
        mark = "," if sentence.rstrip().endswith((":", "：")) else "."
        spoken = with_end_mark(verbalize(_without_parentheses(sentence), language), mark, language)
        length = text_length(spoken, language)
        found = first_match(wording.not_spoken, sentence)
        if found and (whole or not kept):
            return Failure(Reason.ANSWER_NOT_SPEAKABLE, found[:40])
        leads_on = bool(kept) and _leads_on(kept[-1], wording, language)
        if found or used + length > limit or (used >= target and not whole and not leads_on):
            break
        kept.append(spoken)
        used += length
    cut = len(kept) < len(sentences)
    if not kept or (cut and whole):
        return Failure(Reason.ANSWER_TOO_LONG, f"the first possible end is beyond the limit of {limit}")
    kept = _without_loose_end(kept, sentences, wording, language)
    if not kept:
        return Failure(Reason.ANSWER_NOT_SPEAKABLE, "only announces what would follow")
    return ("" if language == "zh" else " ").join(kept)


def _leads_on(sentence: str, wording: RespondWording, language: str) -> bool:
    """Tell whether the sentence only turns the thought, such as "However, this is untrue."."""
    return text_length(sentence, language) <= _LEADS_ON[language] and bool(wording.turns.search(sentence))


def _without_loose_end(
    spoken: list[str], written: tuple[str, ...], wording: RespondWording, language: str
) -> list[str]:
    """Drop last sentences that promise what has been cut off, as long as enough is left."""
    kept = list(spoken)
    cut = len(kept) < len(written)
    while kept and (
        written[len(kept) - 1].rstrip("\"”’'").endswith((":", "：")) or (cut and wording.announces.search(kept[-1]))
    ):
        kept.pop()
    rest = sum(text_length(s, language) for s in kept[:-1])
    # The first of several reasons is better than their announcement alone.
    dangles = cut and wording.dangling.search(kept[-1]) if kept else None
    if dangles and rest >= _SAYS_ENOUGH[language] and not wording.announces.search(kept[-2]):
        kept.pop()
    return kept


# A written answer taken apart: prose, and the items of its first list.


def _take_apart(answer: str, language: str) -> WrittenAnswer:
    """Split the answer, without markup, into sentences and top-level list items."""
    lines = [line.rstrip() for line in strip_markup(answer).splitlines() if line.strip()]
    matches = [_ITEM.match(line) for line in lines]
    first = next((i for i, match in enumerate(matches) if match), len(lines))
    items: list[str] = []
    ended = more = False
    for line, match in zip(lines[first:], matches[first:], strict=True):
        indented = line.startswith((" ", "\t"))
        if match and not ended and len(match["indent"]) <= len(_indent(lines[first])):
            items.append(match["text"].strip())
        elif match and ended:
            more = True
        elif not match and not indented:
            ended = True
    prose = [sentence for line in lines[:first] for sentence in split_sentences(line.strip(), language)]
    return WrittenAnswer(tuple(prose), tuple(items), more, tuple(lines))


def _item_names(items: tuple[str, ...], longest: int, language: str) -> tuple[str, ...] | None:
    """Return the names of the items if each is "name: explanation"; otherwise None.

    An explanation of up to `longest` does not count as one: it belongs to the item ("cat: noun").
    """
    found = [match for item in items if (match := _HEAD.match(item))]
    if len(found) < len(items):
        return None
    bodies = [match["body"] for match in found if match["body"]]
    if bodies and all(text_length(body, language) <= longest for body in bodies):
        return None
    return tuple(match["head"].strip() for match in found)


def _without_parentheses(text: str) -> str:
    """Remove what stands in parentheses, which nobody says aloud."""
    for _ in range(2):
        text = _PARENTHESES.sub("", text)
    return text


def _is_verse(lines: tuple[str, ...], longest: int, lengths: list[int]) -> bool:
    """Tell whether there are several short lines most of which end no sentence: a poem, a dialogue, an address."""
    if len(lines) < 3:
        return False
    short = sum(count <= longest for count in lengths)
    open_ended = sum(not _TERMINAL.search(line) for line in lines)
    return short >= 0.7 * len(lines) and open_ended >= 0.5 * len(lines)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


# A short list said as a sentence.


def _speak_list(
    question: str, written: WrittenAnswer, wording: RespondWording, language: str, target: int, limit: int
) -> str | None:
    """Say the lead-in and the items; None if they do not make a spoken answer within the limit.

    Items may be left off only if neither the question nor the lead-in says how many there are.
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


def _items(
    question: str, written: WrittenAnswer, wording: RespondWording, language: str
) -> tuple[list[str], bool] | None:
    """Return what is said of each item (all of it if that is short, else its name), and whether they are sentences.

    None if neither will do.
    """
    if written.more_lists or len(written.items) < 2:
        return None
    if any(first_match(wording.not_spoken, item) for item in written.items):
        return None
    whole = tuple(_without_parentheses(item) for item in written.items)
    names = _item_names(whole, _SHORT_BODY[language], language)
    if names is None or (wording.needs_bodies.search(question) and not _counts(question, wording, language)):
        names = whole
    items = [_END.sub("", name) for name in names]
    lengths = [text_length(verbalize(item, language), language) for item in items]
    if min(lengths) == 0 or max(lengths) > _LONGEST_ITEM[language]:
        return None
    return items, all(_SENTENCE.search(name) for name in names)


def _lead(written: WrittenAnswer, wording: RespondWording, language: str) -> str:
    """Return the sentence before the list if it says something by itself; otherwise ""."""
    if not written.prose:
        return ""
    lead = _END.sub("", _without_parentheses(written.prose[-1]))
    if wording.empty_lead.search(lead) or wording.leans_on.search(lead) or first_match(wording.not_spoken, lead):
        return ""
    return lead if text_length(lead, language) <= _LONGEST_ITEM[language] else ""


def _counts(text: str, wording: RespondWording, language: str) -> set[int]:
    """Return the numbers of things that the text mentions."""
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
        pause = "，" if language == "zh" else wording.comma
        return f"{lead}{pause}{pause.join(_counted_off(items, wording, language))}{end}"
    counted = end + blank
    said = (
        row[0].upper() + row[1:]
        if longest <= _SHORT_ITEM[language]
        else counted.join(part[0].upper() + part[1:] for part in _counted_off(items, wording, language))
    )
    # In Chinese the lead-in of a list keeps its sentence open.
    behind = "，" if language == "zh" and longest <= _SHORT_ITEM[language] else f"{end}{blank}"
    return f"{lead}{behind}{said}{end}" if lead else f"{said}{end}"


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
        # The list is not one of names, so its single words are not names either.
        return [item[0].lower() + item[1:] if item[1:].islower() else item for item in lower]
    return lower


def _lower_first(item: str, language: str) -> str:
    """Put the item into lower case, unless it is a name, all of whose words are capitalized."""
    words = item.split()
    if language == "zh" or not any(word.islower() and word not in _IN_NAMES for word in words[1:]):
        return item
    return item if not words[0][1:].islower() else item[0].lower() + item[1:]
