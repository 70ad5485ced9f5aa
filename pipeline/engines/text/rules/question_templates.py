"""How a request is asked aloud: orders become questions, questions get their mark, everything else stays."""

import random
import re

from pipeline.engines.text.rules.patterns import RewriteWording
from pipeline.text.sentences import split_sentences

# "for me" closes a short order only, and none that has the word already.
_SHORT_ORDER = 9
_ME = re.compile(r"\b(?:me|my|i)\b", re.I)
_END = re.compile(r"[\s.。!！,，:：;；]+$")
_QUOTES = {'"': '"', "“": "”", "「": "」"}
# Orders that set a scene for the real one.
_SCENE = re.compile(r"^(?:imagine|suppose|pretend|assume|consider|想象|假设|假如)", re.I)
# "Given a word, use it": the order follows the clause.
_CLAUSE = re.compile(r"^((?:given|based on|using|from|in|for|with|if|imagine|according to|as)\b[^,.]*,)\s+(.+)$", re.I)


def ask(request: str, has_material: bool, wording: RewriteWording, language: str, chance: random.Random) -> str:
    """The request, one or more sentences, as it is asked aloud; its first order, else its last sentence, is framed."""
    sentences = split_sentences(request, language)
    if not sentences:
        return ""
    orders = [i for i, s in enumerate(sentences) if wording.imperative.search(s) and not _SCENE.search(s)]
    asked = orders[0] if orders else len(sentences) - 1
    said = [
        _ask_one(s, has_material, wording, language, chance) if i == asked else _closed(s, wording, language)
        for i, s in enumerate(sentences)
    ]
    return ("" if language == "zh" else " ").join(said)


def _ask_one(sentence: str, has_material: bool, wording: RewriteWording, language: str, chance: random.Random) -> str:
    core = _unquoted(_END.sub("", sentence))
    if wording.imperative.search(core):
        core = core.rstrip("?？ ")
    if core.endswith(("?", "？")):
        return core
    if wording.question.search(core) and not wording.imperative.search(core):
        return core + ("？" if language == "zh" else "?")
    if not has_material and (spoken := _spoken(core, wording, chance)):
        return spoken
    lead, order = _order(core, wording, language)
    if order is None:
        return _closed(core, wording, language)
    order = _other_verb(order, wording, language, chance)
    if language == "en":
        order = order[0].lower() + order[1:]
    no_favor = has_material or _ME.search(order) or len(order.split()) > _SHORT_ORDER
    frames = [frame for frame in wording.frames if not (no_favor and frame.endswith("for me?"))]
    framed = chance.choice(frames).format(request=order)
    return f"{lead} {framed[0].lower() + framed[1:]}" if lead else framed


def _unquoted(text: str) -> str:
    whole = len(text) > 2 and text[0] in _QUOTES and text[-1] == _QUOTES[text[0]] and text[0] not in text[1:-1]
    return _END.sub("", text[1:-1]) if whole else text


def _spoken(core: str, wording: RewriteWording, chance: random.Random) -> str | None:
    for pattern, texts in wording.spoken:
        if match := pattern.match(core):
            return match.expand(chance.choice(texts))
    return None


def _order(core: str, wording: RewriteWording, language: str) -> tuple[str, str | None]:
    """The clause before the order, or "", and the order, or None where there is none."""
    if language == "en" and (match := _CLAUSE.match(core)) and wording.imperative.search(match[2]):
        return match[1], match[2]
    return "", core if wording.imperative.search(core) else None


def _other_verb(order: str, wording: RewriteWording, language: str, chance: random.Random) -> str:
    if language == "zh":
        verb = next((verb for verb in wording.verbs if order.startswith(verb)), None)
        return order if verb is None else chance.choice(wording.verbs[verb]) + order[len(verb) :]
    verb, _, rest = order.partition(" ")
    texts = wording.verbs.get(verb.lower())
    if not texts or not rest:
        return order
    rest = re.sub(r"^me\s+", "", rest)
    return f"{chance.choice(texts)} {rest}"


def _closed(sentence: str, wording: RewriteWording, language: str) -> str:
    core = _END.sub("", sentence)
    if core.endswith(("?", "？")):
        return core
    if language == "zh":
        return core + ("？" if wording.question.search(core) else "。")
    return core + ("?" if wording.question.search(core) else ".")
