"""Task "rewrite": one written request becomes one short spoken question.

Variables `instruction`, `material` (may be ""); options `fillers` (default off), `max_length` (default 60 words in
English, 80 characters in Chinese) and `allow_latin` (default off: no Latin words in Chinese). Field: `question`. The
engine cannot invent the new question that Ke-SpeechChat
asks of a language model for classification and summaries: it says the request and its material instead.
"""

import random
import re

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules.limits import MAX_CHARACTERS, is_endless
from pipeline.engines.text.rules.patterns import Fillers, RewriteWording, rewrite_wording
from pipeline.engines.text.rules.question_templates import ask
from pipeline.engines.text.rules.screen import judge_source
from pipeline.engines.text.rules.split_request import SourceText, read_source
from pipeline.text.sentences import with_end_mark
from pipeline.text.verbalize import text_length, unspeakable, verbalize

_MAX_LENGTH = {"en": 60, "zh": 80}
# Up to this many words, a single thing takes the place of "the given word" inside the request.
_MAX_INSERTED_WORDS = 4
_FRAME = re.compile(r"^(?:(?:can|could) you (?:please )?|please |你能|能不能|可以帮我|请帮我|麻烦你)", re.IGNORECASE)


def rewrite(request: TextRequest) -> TextAnswer | Failure:
    instruction = request.variables.get("instruction", "")
    material = request.variables.get("material", "")
    if not instruction.strip():
        return Failure(Reason.EMPTY_ROW, "no instruction")
    limit = int(request.options.get("max_length", _MAX_LENGTH[request.language]))
    if len(instruction) + len(material) > MAX_CHARACTERS:
        length = text_length(f"{instruction} {material}", request.language)
        return _refuse(instruction, material, request.language, max(length, limit + 1), limit, [])
    if is_endless(instruction) or is_endless(material):
        return Failure(Reason.UNPRONOUNCEABLE, "an endless word or number")
    question = _spoken_question(request, instruction, material)
    length = text_length(question, request.language)
    odd = unspeakable(question, request.language, allow_latin=bool(request.options.get("allow_latin")))
    if length == 0 or length > limit or odd:
        return _refuse(instruction, material, request.language, length, limit, odd)
    return TextAnswer({"question": question})


def _spoken_question(request: TextRequest, instruction: str, material: str) -> str:
    language = request.language
    wording = rewrite_wording(language)
    chance = random.Random(request.seed)
    source = _insert(read_source(instruction, material, wording, language), wording)
    question = ask(source.request, bool(source.material), wording, language, chance)
    joined = _join(question, source.material, wording, chance)
    if request.options.get("fillers"):
        joined = _with_fillers(question, wording.fillers, chance, language) + joined[len(question) :]
    return with_end_mark(verbalize(joined, language), ".", language)


def _insert(source: SourceText, wording: RewriteWording) -> SourceText:
    """ "the past tense of the given verb" + "sing" is "the past tense of the verb sing"."""
    thing = source.material.rstrip(".。")
    match = wording.insertion.search(source.request)
    if not match or not thing or "," in thing or len(thing.split()) > _MAX_INSERTED_WORDS:
        return source
    named = thing if match["kind"] == "input" else f"the {match['kind']} {thing}"
    request = f"{source.request[: match.start()]}{named}{source.request[match.end() :]}"
    return SourceText(request, "")


def _join(question: str, material: str, wording: RewriteWording, chance: random.Random) -> str:
    if not material:
        return question
    # A bridge such as "Here it is." suits one thing; questions about a statement stand before it as they are.
    join = chance.choice(wording.joins) if wording.imperative.search(_bare(question)) else wording.plain_join
    return join.format(question=question, material=material[0].upper() + material[1:])


def _bare(question: str) -> str:
    return _FRAME.sub("", question)


def _with_fillers(question: str, fillers: Fillers, chance: random.Random, language: str) -> str:
    if fillers.inner and chance.random() < fillers.inner_share:
        places = [match.end() for match in fillers.after.finditer(question)]
        if places:
            place = chance.choice(places)
            question = question[:place] + chance.choice(fillers.inner) + question[place:]
    if chance.random() < fillers.opening_share:
        question = chance.choice(fillers.opening) + _lower_first(question, language)
    return question


def _lower_first(text: str, language: str) -> str:
    first = text.split(" ", 1)[0]
    keep = language == "zh" or first in {"I", "I'm", "I'd", "I'll", "I've"} or not first[1:].islower()
    return text if keep else text[0].lower() + text[1:]


def _refuse(instruction: str, material: str, language: str, length: int, limit: int, odd: list[str]) -> Failure:
    """A question that cannot be said gets the reason that lies in its source, if one does."""
    if found := judge_source(instruction, material, language):
        return Failure(found.reason, found.detail)
    if length > limit:
        return Failure(Reason.TOO_LONG, f"length {length}, the limit is {limit}")
    if length == 0:
        return Failure(Reason.UNCLEAR, "nothing is left to say")
    return Failure(Reason.UNPRONOUNCEABLE, " ".join(odd[:10]))
