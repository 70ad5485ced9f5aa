"""Prepares and checks texts that will be spoken, whoever wrote them: rules and models must pass the same checks.

Typographic marks are removed first. Language models write them from habit, whatever the prompt says, and nobody hears
them: to ask again because of a curly apostrophe would cost a whole answer. Then digits, signs and brackets are put
into words where their reading is sure (`mended`); of what is left (unsure numbers, lists, Markdown) the checks
complain.

Each check returns a `Complaint` that can be shown to the author, or None. Lengths are as `text_length` counts them:
words in English, characters in Chinese.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.engines.contract import Complaint
from pipeline.engines.text.rules.screen import asks_for_something
from pipeline.recipe import Recipe
from pipeline.stages._exchanges import with_texts
from pipeline.stages._mending import mended
from pipeline.text.debris import Debris, clean_answer, clean_question, foreign_language
from pipeline.text.lengths import text_length
from pipeline.text.repeated import bare, is_nearly
from pipeline.text.replacements import Rule, RuleTable
from pipeline.text.scripts import HAN, in_language
from pipeline.text.topic import may_be_about
from pipeline.text.verbalize import unspeakable

_INVISIBLE = (re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]"), "")
_RULES: dict[str, tuple[Rule, ...]] = {
    "en": (
        _INVISIBLE,
        (re.compile("\u00a0"), " "),
        (re.compile("[’‘ʼ]"), "'"),
        (re.compile('[“”«»"]'), ""),
        (re.compile("\u2011"), "-"),
        (re.compile("…"), "..."),
        # An en dash without spaces is a range, and a colon without one a time of day: both have a sound.
        (re.compile(r" *— *| +– +|; *|: +"), ", "),
    ),
    "zh": (
        _INVISIBLE,
        (re.compile('[“”‘’「」『』《》〈〉"]'), ""),
        (re.compile(f"(?<=[{HAN}])[·・](?=[{HAN}])"), ""),
        (re.compile("…+(?=[。？！]|$)"), ""),
        (re.compile(f" +[-–]+ *(?=[{HAN}])"), "，"),
        (re.compile(rf"(?<=[{HAN}]) *(?:[：；;—…]+|[:,](?!\d)) *"), "，"),
        (re.compile(rf"(?<=[{HAN}])\?"), "？"),
        (re.compile(rf"(?<=[{HAN}])!"), "！"),
        (re.compile(rf"(?<=[{HAN}])\.(?![.\w])"), "。"),
        (re.compile(f"(?<=[{HAN}。，？！、]) +(?=[{HAN}])"), ""),
    ),
}
_TABLES = {language: RuleTable(rules) for language, rules in _RULES.items()}
_REMEMBERED = 64
"""Texts: each is asked for twice in a row, to be checked and to be used."""
_QUESTION_LENGTH = 60
"""The longest question that the recipe's defaults allow in English, in words."""
_HAN = re.compile(f"[{HAN}]")
_QUESTION_MARK = re.compile("[?？]")
_STATEMENT = re.compile("[.。!！]$")
_WISH = re.compile(
    r"(?:(?:hey|so|um|uh|well|and|please),? )*"
    r"(?:tell|explain|describe|give|help|show|name|list|suggest|recommend|teach|let|i|i'd|we)\b|.*(?:请|告诉|说说|讲讲|介绍|帮|想)",
    re.IGNORECASE,
)
"""How people ask without a question mark."""
_FILLERS = re.compile(
    r"^(?:(?:hey|hi|so|um|uh|er|well|oh|okay|ok|and|but)\b[,.!?]*\s*|[嗯哦噢哎诶欸嘿啊呃唉][，,。！!？?]*\s*|(?:那个|这个|那)[，,]\s*)+",
    re.IGNORECASE,
)
"""What may stand before the words of a question, and is no part of them."""
_ASKS_FOR_TEXT = re.compile(
    r"\b(?:please|could you|can you|would you)\b(?: please)? (?:provide|share|send|give|specify)(?: me)?(?: with)?"
    r" (?:the|your|more|some|any|further|additional|a bit more)\b[^.?!]{0,40}"
    r"\b(?:texts?|sentences?|questions?|passages?|articles?|paragraphs?|details|context|information|material|document)\b"
    r"|(?:请|麻烦|能否|可以|能)(?:您|你)?(?:先|再|重新)?(?:提供|发给我|补充|给我)[^。？！]{0,12}"
    r"(?:信息|内容|文本|文章|句子|段落|问题|材料|细节|背景)",
    re.IGNORECASE,
)
"""An agent who is given no material asks for it; in a corpus, nobody ever gives it."""
_LINE_BREAK = re.compile(r"[\n\r\v\f\x85\u2028\u2029]")
_SHOWN_CHARACTERS = 10
_LONGEST_GREETING = 16
_LETTERS_OF_HAN = 3
"""Letters, of which a Han character counts as three: "good morning" and 早上好 are answers to themselves."""
# No spoken word is as long as this.
_ENDLESS = re.compile(r"[^\W_]{60,}")


def question_limit(recipe: Recipe, language: str) -> int:
    """Return the length of the longest allowed question, in words, or in characters of an unspaced script."""
    return recipe.texts.question_limit.get(language, _QUESTION_LENGTH)


def check_spoken(
    fields: Mapping[str, str], dialogue: Dialogue, recipe: Recipe, *, question: str = "", unlike: Iterable[str] = ()
) -> Complaint | None:
    """Say what is wrong with the `question` and the `answer` of an exchange.

    Where `fields` has no question, `question` is unchanged; the new one must not repeat any of `unlike`.
    """
    language, latin = dialogue.language, recipe.texts.allow_latin
    asked, said = spoken_texts(fields, language, question)
    limit = question_limit(recipe, language)
    return (
        check_question(asked, language, limit, unlike=unlike, allow_latin=latin)
        or check_still_asks(asked, question)
        or check_answer(said, language, recipe.texts.answer_limit, allow_latin=latin, question=asked)
    )


def spoken_texts(fields: Mapping[str, str], language: str, question: str = "") -> tuple[str, str]:
    """Return question and answer as they will be spoken: without what was certainly not meant to be said, and in words
    as far as their reading is sure."""
    asked, said = fields.get("question", question), fields.get("answer", "")
    return spoken_question(asked, language), spoken_text(clean_answer(said, asked).text, language)


def spoken_question(text: str, language: str) -> str:
    """Return the question as it will be spoken, likewise."""
    return spoken_text(clean_question(text).text, language)


def with_spoken(dialogue: Dialogue, number: int, fields: Mapping[str, str], question: str = "") -> Dialogue:
    """Put these texts into that exchange of the dialogue."""
    return with_texts(dialogue, number, *spoken_texts(fields, dialogue.language, question))


@lru_cache(maxsize=_REMEMBERED)
def spoken_text(text: str, language: str) -> str:
    """Return the text without typographic marks, and with digits and signs in words where their reading is sure."""
    return mended(without_marks(text, language), language)


def without_marks(text: str, language: str) -> str:
    """Return the text without typographic marks; texts in languages other than en and zh are unchanged."""
    table = _TABLES.get(language)
    bare = table.apply(text) if table else text
    return text if bare == text else bare.strip(" ,，")


def check_question(
    text: str,
    language: str,
    max_length: int,
    *,
    unlike: Iterable[str] = (),
    speakable: bool = True,
    allow_latin: bool = False,
) -> Complaint | None:
    """Say what is wrong with a user's question. `unlike`: texts that it must not repeat; `speakable`: it is final."""
    unsayable = unspeakable(text, language, allow_latin=allow_latin) if speakable else _LINE_BREAK.findall(text)
    return (
        check_present("question", text, language)
        or _debris_complaint("question", clean_question(text).debris)
        or check_language("question", text, language)
        or check_words("question", text)
        or _unpronounceable("question", unsayable)
        or check_length("question", text, language, max_length, Reason.TOO_LONG)
        or check_new("question", text, unlike)
    )


def check_answer(
    text: str, language: str, limit: int, *, allow_latin: bool = False, question: str = ""
) -> Complaint | None:
    """Say what is wrong with the agent's answer to `question`, as it will be spoken."""
    return (
        check_present("answer", text, language)
        or _debris_complaint("answer", clean_answer(text, question).debris)
        or check_not_echoed(text, question)
        or check_language("answer", text, language)
        or check_words("answer", text)
        or _unpronounceable("answer", unspeakable(text, language, allow_latin=allow_latin))
        or check_length("answer", text, language, limit, Reason.ANSWER_TOO_LONG)
    )


def check_present(field: str, text: str, language: str) -> Complaint | None:
    """Complain of a text without a single word, even if it has punctuation marks."""
    return None if text_length(text, language) else Complaint(Reason.TEXT_ENGINE_FAILED, "empty", {"field": field})


def check_length(field: str, text: str, language: str, limit: int, reason: Reason) -> Complaint | None:
    if (length := text_length(text, language)) <= limit:
        return None
    return Complaint(reason, "too_long", {"field": field, "length": str(length), "limit": str(limit)})


def check_words(field: str, text: str) -> Complaint | None:
    """Complain of an overlong word: a model stuck in one letter writes a single word, which no word limit stops."""
    words = _ENDLESS.findall(_HAN.sub(" ", text))
    return _unpronounceable(field, [f"{word[:_SHOWN_CHARACTERS]}..." for word in words])


def check_language(field: str, text: str, language: str) -> Complaint | None:
    if not in_language(text, language):
        return Complaint(Reason.WRONG_LANGUAGE, "wrong_language", {"field": field})
    if (found := foreign_language(text, language)) is None:
        return None
    return Complaint(Reason.WRONG_LANGUAGE, "wrong_language", {"field": field, "seems": found})


def check_not_echoed(answer: str, question: str) -> Complaint | None:
    """Complain of an answer that is the question again, ignoring case, punctuation and the fillers before them.

    A single word may be both ("Hello!"), and so may the few words of a greeting. An answer that asks itself is an echo
    of nearly the same words too; one that does not may be the user's sentence, mended.
    """
    said, asked = _FILLERS.sub("", answer), _FILLERS.sub("", question)
    key = bare(said)
    letters_long = len(key) + (_LETTERS_OF_HAN - 1) * len(_HAN.findall(key))
    if not key or letters_long < _LONGEST_GREETING:
        return None
    if key == bare(asked) or (_QUESTION_MARK.search(answer) and is_nearly(said, asked)):
        return Complaint(Reason.ECHO, "repeated", {"field": "answer"})
    return None


def check_not_asked_back(answer: str) -> Complaint | None:
    """Complain of an agent who asks for the text that the question is about: the question was not whole."""
    if (found := _ASKS_FOR_TEXT.search(answer)) is None:
        return None
    return Complaint(Reason.MISSING_MATERIAL, "empty", {"field": "answer"}, f"answer: asks for material: {found[0]}")


def _debris_complaint(field: str, found: Debris | None) -> Complaint | None:
    if found is None:
        return None
    if found.reason in (Reason.DEBRIS, Reason.MEDIA):
        return Complaint(found.reason, "unpronounceable", {"field": field, "characters": found.found}, found.detail)
    return Complaint(found.reason, "empty", {"field": field}, f"{field}: {found.detail}")


def check_still_asks(question: str, before: str) -> Complaint | None:
    """Complain of a polished question that asks no longer: a weak model answers in its place."""
    if not _QUESTION_MARK.search(before) or _QUESTION_MARK.search(question) or _WISH.match(question):
        return None
    if not _STATEMENT.search(question):
        return None
    return Complaint(Reason.TEXT_ENGINE_FAILED, "empty", {"field": "question"}, "question: asks nothing any more")


def check_asks(question: str, language: str) -> Complaint | None:
    """Complain of a rewritten question that tells instead of asking: a weak model answers the request in its place."""
    if not _STATEMENT.search(question) or _WISH.match(question) or asks_for_something(question, language):
        return None
    return Complaint(Reason.UNCLEAR, "empty", {"field": "question"}, "question: tells instead of asking")


def check_about(question: str, source: str) -> Complaint | None:
    """Complain of a question that has nothing to do with the request that it was made from."""
    if may_be_about(question, source):
        return None
    return Complaint(Reason.TEXT_ENGINE_FAILED, "empty", {"field": "question"}, "question: has left its subject")


def check_new(field: str, text: str, earlier: Iterable[str]) -> Complaint | None:
    """Complain of a text that repeats an earlier one, ignoring case and punctuation."""
    if (key := bare(text)) not in {bare(other) for other in earlier}:
        return None
    return Complaint(Reason.TEXT_ENGINE_FAILED, "repeated", {"field": field}) if key else None


def _unpronounceable(field: str, characters: Iterable[str]) -> Complaint | None:
    """Complain of these characters; white space and control characters are escaped as in JSON, to be visible."""
    shown = [c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in dict.fromkeys(characters)]
    if not shown:
        return None
    values = {"field": field, "characters": " ".join(shown[:_SHOWN_CHARACTERS])}
    return Complaint(Reason.UNPRONOUNCEABLE, "unpronounceable", values)
