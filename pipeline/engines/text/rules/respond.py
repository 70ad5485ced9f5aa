"""Task "respond": the data set's own answer, cut to what is said in one breath, in words.

Variables `question` (already spoken) and `answer`; options `answer_limit` (default 100 words or characters: the hard
limit of Ke-SpeechChat) and `answer_target` (default 40, ours: no sentence is added once this many are reached).
`allow_latin` (default off) lets Latin words stand in Chinese. Fields: `question`, `answer`.
"""

import re

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules.answer_structure import Written, is_verse, take_apart, without_parentheses
from pipeline.engines.text.rules.limits import beginning, is_endless
from pipeline.engines.text.rules.patterns import RespondWording, first_match, respond_wording
from pipeline.engines.text.rules.spoken_list import speak_list
from pipeline.text.sentences import with_end_mark
from pipeline.text.verbalize import text_length, unspeakable, verbalize

# Fenced code and tables, before their marks are stripped.
_BLOCK = re.compile(r"```|~~~|^\s*\|.+\|", re.MULTILINE)
_ANSWER_LIMIT = 100
_ANSWER_TARGET = 40
# Words or characters with which a cut answer still says something.
_SAYS_ENOUGH = {"en": 12, "zh": 18}


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
    odd = unspeakable(question + spoken, language, allow_latin=bool(request.options.get("allow_latin")))
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
    written = take_apart(answer, language)
    lengths = [text_length(line, language) for line in written.lines]
    if is_verse(written.lines, wording.verse_words, lengths) and not written.items:
        return Failure(Reason.ANSWER_NOT_SPEAKABLE, "lines that are no sentences")
    if written.items:
        return _with_list(question, written, wording, language, target, limit)
    return _prose(question, written.prose, wording, language, target, limit)


def _with_list(
    question: str, written: Written, wording: RespondWording, language: str, target: int, limit: int
) -> str | Failure:
    said = speak_list(question, written, wording, language, target, limit)
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
    """Whole sentences until the target is reached, never beyond the limit."""
    whole = wording.needs_whole.search(question) is not None
    kept: list[str] = []
    used = 0
    for sentence in sentences:
        mark = "," if sentence.rstrip().endswith((":", "：")) else "."
        spoken = with_end_mark(verbalize(without_parentheses(sentence), language), mark, language)
        length = text_length(spoken, language)
        found = first_match(wording.not_spoken, sentence)
        if found and (whole or not kept):
            return Failure(Reason.ANSWER_NOT_SPEAKABLE, found[:40])
        if found or used + length > limit or (used >= target and not whole):
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


def _without_loose_end(
    spoken: list[str], written: tuple[str, ...], wording: RespondWording, language: str
) -> list[str]:
    """No last sentence that promises what has been cut off, as long as enough is left."""
    kept = list(spoken)
    cut = len(kept) < len(written)
    while kept and (
        written[len(kept) - 1].rstrip("\"”’'").endswith((":", "：")) or (cut and wording.announces.search(kept[-1]))
    ):
        kept.pop()
    rest = sum(text_length(s, language) for s in kept[:-1])
    if cut and rest >= _SAYS_ENOUGH[language] and wording.dangling.search(kept[-1]):
        kept.pop()
    return kept
