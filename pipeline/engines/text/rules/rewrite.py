"""Task "rewrite": one written request becomes one short spoken question.

The text is split into the request and its material, the request is asked aloud, and the two are joined again. The
rules cannot invent a new question, as Ke-SpeechChat asks a language model to do for classification and summaries: they
say the request and its material instead.

Variables `instruction`, `material` (may be ""); options `fillers` (default off), `max_length` (default 60 words in
English, 80 characters in Chinese) and `allow_latin` (default off: no Latin words in Chinese). Field: `question`.
"""

import random
import re
from dataclasses import dataclass

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules.patterns import MAX_CHARACTERS, Fillers, RewriteWording, is_endless, rewrite_wording
from pipeline.engines.text.rules.screen import judge_source
from pipeline.text.sentences import split_sentences, with_end_mark
from pipeline.text.verbalize import strip_markup, text_length, unsaid, verbalize

_MAX_LENGTH = {"en": 60, "zh": 80}
# Up to this many words, a single thing takes the place of "the given word" inside the request.
_MAX_INSERTED_WORDS = 4
_POLITE_OPENING = re.compile(
    r"^(?:(?:can|could) you (?:please )?|please |你能|能不能|可以帮我|请帮我|麻烦你)", re.IGNORECASE
)

_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\(?\d{1,2}[.)、](?!\d)\s*)")
_INPUT_MARK = re.compile(r"\s*(?:###\s*)?(?:输入|\bInput)\s*[:：]\s*")
_BLANK_LINES = re.compile(r"\s*\n\s*")
_SENTENCE_MARK = re.compile(r"[.。!！?？,，;；、:：]$")
_LABELED = re.compile(r"^([^:：=\n]{1,24}?)\s*[:：=]\s*(.+)$")
# What stands behind the label is what somebody says.
_SAID = re.compile(r"[.!?。！？][\"”’」]?\s*$")
_INLINE = re.compile(r"^(?P<head>.{4,}?)(?:[:：]\s*(?P<tail>\S.*)|\s*[:：]?\s*\n\s*(?P<lines>.+))$", re.DOTALL)
_NO_WORD = re.compile(r"[\W_]+")
_TIME_OR_RATIO = re.compile(r"\d\s*[:：]\s*\d")

# "for me" ends a short order only, and none that has such a word already.
_SHORT_ORDER = 9
_ME = re.compile(r"\b(?:me|my|i)\b", re.I)
# Some words and their end: a sentence, not a term or a list of names.
_WORDING = re.compile(r"^(?:[^\s,]+\s+){3,}.*[.!?…][\"'”’]?$", re.DOTALL)
_END = re.compile(r"[\s.。!！,，:：;；]+$")
_QUOTES = {'"': '"', "“": "”", "「": "」"}
# Orders that set the scene for the real one.
_SCENE = re.compile(r"^(?:imagine|suppose|pretend|assume|consider|想象|假设|假如)", re.I)
# An order about the other sentences.
_POINTS = re.compile(r"\b(?:following|this|above|given)\b|以下|下面|这个|该|上述|给定", re.I)
# "Given a word, use it": the order follows the clause.
_CLAUSE = re.compile(r"^((?:given|based on|using|from|in|for|with|if|imagine|according to|as)\b[^,.]*,)\s+(.+)$", re.I)


@dataclass(frozen=True, slots=True)
class SourceText:
    """A row of the data set: `request` on one line, without orders about the format; `material`, also on one line, is
    what the request is about, "" if there is none."""

    request: str
    material: str


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
    odd = unsaid(question, request.language, allow_latin=bool(request.options.get("allow_latin")))
    if length == 0 or length > limit or odd:
        return _refuse(instruction, material, request.language, length, limit, odd)
    return TextAnswer({"question": question})


def _spoken_question(request: TextRequest, instruction: str, material: str) -> str:
    language = request.language
    wording = rewrite_wording(language)
    rng = random.Random(request.seed)
    source = _insert(_split_source(instruction, material, wording, language), wording)
    question = _ask(source.request, bool(source.material), wording, language, rng)
    joined = _join(question, source.material, wording, rng)
    if request.options.get("fillers"):
        joined = _with_fillers(question, wording.fillers, rng, language) + joined[len(question) :]
    return with_end_mark(verbalize(joined, language), ".", language)


def _refuse(instruction: str, material: str, language: str, length: int, limit: int, odd: list[str]) -> Failure:
    """Reject a question that cannot be said, with the reason that lies in its source, if one does."""
    if found := judge_source(instruction, material, language):
        return Failure(found.reason, found.detail)
    if length > limit:
        return Failure(Reason.TOO_LONG, f"length {length}, the limit is {limit}")
    if length == 0:
        return Failure(Reason.UNCLEAR, "nothing is left to say")
    return Failure(Reason.UNPRONOUNCEABLE, " ".join(odd[:10]))


# The request, and the material that it is about.


def _split_source(instruction: str, material: str, wording: RewriteWording, language: str) -> SourceText:
    """Separate what is asked from what it is about, wherever the data set put it."""
    text = _INPUT_MARK.sub("\n", strip_markup(instruction)).strip()
    request, inline = _split_inline(_without_format_orders(text, wording), wording)
    own = _flatten(strip_markup(material), wording, language)
    if own and _repeats(own, f"{request} {inline}"):
        own = ""
    parts = [_flatten(inline, wording, language), own]
    joined = (" " if language == "en" else "").join(_with_full_stop(part, language) for part in parts if part)
    return SourceText(_BLANK_LINES.sub("，" if language == "zh" else " ", request.strip()), joined)


def _without_format_orders(text: str, wording: RewriteWording) -> str:
    for pattern in wording.strip:
        text = pattern.sub("", text).strip()
    return text


def _split_inline(text: str, wording: RewriteWording) -> tuple[str, str]:
    """Split at the colon or the first line end into instruction and material, if the first part is a request."""
    match = _INLINE.match(text)
    if not match or _TIME_OR_RATIO.search(text[: (match.end("head") + 3)]):
        return text, ""
    head = match["head"].strip()
    if head.count("“") > head.count("”") or head.count('"') % 2 or head.count("《") > head.count("》"):
        return text, ""
    if not (wording.imperative.search(head) or wording.question.search(head)):
        return text, ""
    return head, (match["tail"] or match["lines"]).strip()


def _flatten(text: str, wording: RewriteWording, language: str) -> str:
    """Turn material with lists and labels into one line of sentences."""
    text = text.strip()
    while label := wording.material_labels.match(text):
        text = text[label.end() :].strip()
    text = text.strip("\"“”'‘’「」[]{}").strip()
    if not text or wording.empty_material.match(text):
        return ""
    lines = [_BULLET.sub("", line).strip() for line in text.splitlines()]
    lines = [_label_as_sentence(line, language) for line in lines if line]
    return (" " if language == "en" else "").join(
        line if i == len(lines) - 1 else _with_comma(line, language) for i, line in enumerate(lines)
    )


def _label_as_sentence(line: str, language: str) -> str:
    """Turn "Age: 43" into "Age is 43"."""
    match = _LABELED.match(line)
    if not match or len(match[1].split()) > 3 or _SAID.search(line) or _TIME_OR_RATIO.search(line[: match.end(1) + 3]):
        return line
    return f"{match[1]}是{match[2]}" if language == "zh" else f"{match[1]} is {match[2]}"


def _with_comma(line: str, language: str) -> str:
    return line if _SENTENCE_MARK.search(line) else line + ("，" if language == "zh" else ",")


def _with_full_stop(text: str, language: str) -> str:
    text = re.sub(r"[,，:：;；、\s]+$", "", text)
    return text if re.search(r"[.!?。！？][\"”’」]?$", text) else text + ("。" if language == "zh" else ".")


def _repeats(material: str, request: str) -> bool:
    """Tell whether the request has all words of the material in a row."""
    plain, whole = (f" {_NO_WORD.sub(' ', text.lower()).strip()} " for text in (material, request))
    return bool(plain.strip()) and plain in whole


# The question: orders become questions, questions get their mark, everything else stays.


def _ask(request: str, has_material: bool, wording: RewriteWording, language: str, rng: random.Random) -> str:
    """Ask the request, of one or more sentences, aloud: its first order, or else its last sentence, as a question."""
    sentences = split_sentences(request, language)
    if not sentences:
        return ""
    orders = [i for i, s in enumerate(sentences) if wording.imperative.search(s) and not _SCENE.search(s)]
    pointing = [i for i in orders if _POINTS.search(sentences[i])]
    asked = (pointing or orders or [len(sentences) - 1])[0]
    said = [
        _ask_sentence(s, has_material, wording, language, rng) if i == asked else _punctuated(s, wording, language)
        for i, s in enumerate(sentences)
    ]
    return ("" if language == "zh" else " ").join(said)


def _ask_sentence(
    sentence: str, has_material: bool, wording: RewriteWording, language: str, rng: random.Random
) -> str:
    core = _unquoted(_END.sub("", sentence))
    if wording.imperative.search(core):
        core = core.rstrip("?？ ")
    if core.endswith(("?", "？")):
        return core
    if wording.question.search(core) and not wording.imperative.search(core):
        return core + ("？" if language == "zh" else "?")
    if not has_material and (spoken := _spoken(core, wording, rng)):
        return spoken
    lead, order = _order(core, wording, language)
    if order is None:
        if not has_material and wording.topic.search(core):
            return rng.choice(wording.topic_templates).format(topic=core)
        return _punctuated(core, wording, language)
    order = _other_verb(order, wording, language, rng)
    if language == "en":
        order = order[0].lower() + order[1:]
    no_favor = has_material or _ME.search(order) or len(order.split()) > _SHORT_ORDER
    templates = [template for template in wording.templates if not (no_favor and template.endswith("for me?"))]
    asked = rng.choice(templates).format(request=order)
    return f"{lead} {asked[0].lower() + asked[1:]}" if lead else asked


def _unquoted(text: str) -> str:
    whole = len(text) > 2 and text[0] in _QUOTES and text[-1] == _QUOTES[text[0]] and text[0] not in text[1:-1]
    return _END.sub("", text[1:-1]) if whole else text


def _spoken(core: str, wording: RewriteWording, rng: random.Random) -> str | None:
    for pattern, texts in wording.spoken:
        if match := pattern.match(core):
            return match.expand(rng.choice(texts))
    return None


def _order(core: str, wording: RewriteWording, language: str) -> tuple[str, str | None]:
    """Return the clause before the order ("" if there is none), and the order (None if there is none)."""
    if language == "en" and (match := _CLAUSE.match(core)) and wording.imperative.search(match[2]):
        return match[1], match[2]
    return "", core if wording.imperative.search(core) else None


def _other_verb(order: str, wording: RewriteWording, language: str, rng: random.Random) -> str:
    if language == "zh":
        verb = next((verb for verb in wording.verbs if order.startswith(verb)), None)
        return order if verb is None else rng.choice(wording.verbs[verb]) + order[len(verb) :]
    verb, _, rest = order.partition(" ")
    texts = wording.verbs.get(verb.lower())
    if not texts or not rest:
        return order
    rest = re.sub(r"^me\s+", "", rest)
    return f"{rng.choice(texts)} {rest}"


def _punctuated(sentence: str, wording: RewriteWording, language: str) -> str:
    core = _END.sub("", sentence)
    if core.endswith(("?", "？")):
        return core
    if language == "zh":
        return core + ("？" if wording.question.search(core) else "。")
    return core + ("?" if wording.question.search(core) else ".")


# The question joined with its material.


def _insert(source: SourceText, wording: RewriteWording) -> SourceText:
    """Put a short material into the request: "the past tense of the given verb" and "sing" become "the past tense of
    the verb sing"."""
    thing = source.material.rstrip(".。")
    match = wording.insertion.search(source.request)
    if not match or not thing or "," in thing or len(thing.split()) > _MAX_INSERTED_WORDS:
        return source
    named = thing if match["kind"] == "input" else f"the {match['kind']} {thing}"
    request = f"{source.request[: match.start()]}{named}{source.request[match.end() :]}"
    return SourceText(request, "")


def _join(question: str, material: str, wording: RewriteWording, rng: random.Random) -> str:
    if not material:
        return question
    # A question about a statement stands before it without a bridge such as "Here it is."
    order = wording.imperative.search(_POLITE_OPENING.sub("", question))
    join = rng.choice(_joins(question, material, wording)) if order else wording.plain_join
    return join.format(question=question, material=_upper_first(material))


def _upper_first(text: str) -> str:
    """Begin with a capital, but for a name such as iPhone."""
    return text if re.match(r"[a-z]+[A-Z]", text) else text[0].upper() + text[1:]


def _joins(question: str, material: str, wording: RewriteWording) -> tuple[str, ...]:
    """Return the bridges that suit: "It goes like this." stands before wording, "Here they are." before things."""
    if wording.quotes.search(question) and _WORDING.search(material):
        return wording.quote_joins
    return wording.several_joins if wording.several.search(question) else wording.joins


def _with_fillers(question: str, fillers: Fillers, rng: random.Random, language: str) -> str:
    if fillers.inner and rng.random() < fillers.inner_share:
        places = [match.end() for match in fillers.after.finditer(question)]
        if places:
            place = rng.choice(places)
            question = question[:place] + rng.choice(fillers.inner) + question[place:]
    if rng.random() < fillers.opening_share:
        question = rng.choice(fillers.opening) + _lower_first(question, language)
    return question


def _lower_first(text: str, language: str) -> str:
    first = text.split(" ", 1)[0]
    keep = language == "zh" or first in {"I", "I'm", "I'd", "I'll", "I've"} or not first[1:].islower()
    return text if keep else text[0].lower() + text[1:]
