"""Clean a question, its material or an answer, and say what makes it nobody's words for speech."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from manifests.reasons import Reason
from pipeline.text.debris import mending
from pipeline.text.debris.wording import DebrisWording, Pattern, debris_wording

LONGEST_LOOKED_AT = 20_000
"""Characters. A longer text is left as it is: it is ten times too long to be spoken, and the length is what is wrong
with it."""

# Media that stand inside a text as a token or a tag; Markdown's pictures and links are the screening's matter.
_MEDIUM = "image|img|video|audio|picture|pic|photo|speech|sound|figure|图片|图像|照片|视频|音频|语音"
_MEDIA = re.compile(
    rf"</?(?:{_MEDIUM}|vision_start|image_start|video_start|im_start)\b(?:\s[^<>]{{0,300}})?/?>"
    rf"|<\|?(?:{_MEDIUM}|vision)(?:_pad|_start|_end|_bos|_eos|_placeholder|here|[_-]?\d{{1,3}})?\|?>"
    rf"|\[(?:{_MEDIUM})(?:[_ ]?\d{{1,3}})?\]|\[(?:{_MEDIUM})\s?[:：][^\[\]\n]{{1,200}}\]"
    rf"|\{{(?:{_MEDIUM})(?:_?\d{{1,3}})?\}}|data:(?:image|audio|video)/\w+;base64,",
    re.IGNORECASE,
)
# A template that was never filled in, as the whole text.
_UNFILLED = re.compile(
    r"\W*?(?:\[|\{{1,2}|<|\$\{)\s*(?:instruction|input|question|prompt|query|text|user_?input|message|content|answer"
    r"|response|output|placeholder|(?:insert|your|add)\b[^\[\]{}<>]{0,40})\s*(?:\]|\}{1,2}|>)\W*",
    re.IGNORECASE,
)
# What a letter leaves for its writer to fill in: "Dear [Customer's name]".
_BLANK = re.compile(
    r"\[(?:your|my|insert|recipient|sender|company|customer|client|employer|first|last|full)?[ '’s]{0,3}"
    r"(?:names?|date|address|city|phone|e-?mail|position|title|number|here|company|recipient|sender|signature)"
    r"(?: [\w ]{1,20})?\]"
    r"|[\[【](?:(?:你|您|我|公司|客户|收件人|寄件人|联系人)的?)?"
    r"(?:姓名|名字|日期|公司|地址|电话|邮箱|职位|名称|联系方式)[\]】]",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z][^<>]{0,100}>", re.IGNORECASE)
_LINE_ENDS = re.compile("[\u2028\u2029\x0b\x0c\x85]")
_INPUT_LABEL = re.compile(r"\s*(?:input|context|输入|上下文)\s*[:：]\s*", re.IGNORECASE)
_MARKS_AROUND = " \t\r\n.。!！?？,，;；:：\"“”'‘’`*_~-–—…<>[](){}（）【】「」《》"
_ONLY_DASHES = re.compile(r"[-–—_.…\s]+")
# "A: ..." and "B: ..." are two people, or the options of a choice.
_CONVERSATION = re.compile(r"\s*A\s*[:：].*\n\s*B\s*[:：]", re.DOTALL)
_LABEL_END = r"\s*[:：]\s*"
_START = r"(?:^|\n[ \t]*|(?<=[.!?。！？\"”])\s*)"
_SHORT_ERROR = 160
"""Characters that an error message has at most. A longer text that begins like one is about errors."""
_REMEMBERED = 64
"""Texts: stages ask several times in a row about the same one."""


@dataclass(frozen=True, slots=True)
class Debris:
    """What makes a text unfit, and the reason of its row; `found` quotes the text."""

    reason: Reason
    what: str
    found: str = ""

    @property
    def detail(self) -> str:
        return f"{self.what}: {self.found}" if self.found else self.what


class Cleaned(NamedTuple):
    """A text with what could be mended mended; `debris` is what could not."""

    text: str
    debris: Debris | None = None


@lru_cache(maxsize=_REMEMBERED)
def clean_question(text: str) -> Cleaned:
    """Clean what the user says, without its material."""
    said = _said(text)
    if isinstance(said, Cleaned):
        return said
    wording = debris_wording()
    said = mending.with_joined_lines(mending.without_tokens(said))
    own = _labels().own_question.match(said)
    if own:
        said = said[own.end() :]
    said = _labels().empty_answer.sub("", said).strip()
    return Cleaned(said, _question_debris(said, bool(own), wording))


@lru_cache(maxsize=_REMEMBERED)
def clean_material(text: str) -> Cleaned:
    """Clean what a question is about. It may be anything, so only what stands for nothing or for media counts."""
    if len(text) > LONGEST_LOOKED_AT:
        return Cleaned(text)
    label = _INPUT_LABEL.match(text)
    core = text[label.end() if label else 0 :].strip(_MARKS_AROUND)
    if debris_wording().no_input.fullmatch(core) or (not core and _ONLY_DASHES.fullmatch(text.strip())):
        return Cleaned("")
    return Cleaned(text, _media(text))


@lru_cache(maxsize=_REMEMBERED)
def clean_answer(text: str, question: str = "") -> Cleaned:
    """Clean what the agent says to `question`."""
    said = _said(text)
    if isinstance(said, Cleaned):
        return said
    wording = debris_wording()
    said = mending.without_labeled_thought(mending.without_tokens(said), question)
    said = mending.without_citations(mending.without_page(said))
    if not _CONVERSATION.match(said):
        said = _labels().own_answer.sub("", said)
    said = mending.with_joined_lines(_first_turn(said))
    return Cleaned(said, _answer_debris(said, question, wording))


def _said(text: str) -> str | Cleaned:
    """Return the text without thoughts; or the whole outcome, where nothing more is to be looked for."""
    if len(text) > LONGEST_LOOKED_AT:
        return Cleaned(text)
    text = _LINE_ENDS.sub("\n", text)
    if found := _media(text):
        return Cleaned(text, found)
    said = mending.without_thoughts(text)
    return Cleaned(text, Debris(Reason.DEBRIS, "a thought without an end")) if said is None else said


def _media(text: str) -> Debris | None:
    found = _MEDIA.search(text) if any(mark in text for mark in "<[{") or ";base64," in text else None
    return Debris(Reason.MEDIA, "a token of media", _short(found[0])) if found else None


def _question_debris(said: str, labeled: bool, wording: DebrisWording) -> Debris | None:
    if found := mending.CONTROL_TOKEN.search(said):
        return Debris(Reason.DEBRIS, "a token of a chat format", found[0])
    if found := _UNFILLED.fullmatch(said):
        return Debris(Reason.DEBRIS, "a template that was not filled in", _short(found[0]))
    # Without a label of its own, a question with labels in it may be about a conversation.
    if found := (_labels().any_turn if labeled else _labels().heading).search(said):
        return Debris(Reason.DEBRIS, "a second turn", _short(found[0]))
    if found := wording.declines.match(said) or wording.machine.match(said):
        return Debris(Reason.REFUSED, "the question declines", _short(found[0]))
    if _is_error(said, wording):
        return Debris(Reason.DEBRIS, "an error message", _short(said))
    return None


def _answer_debris(said: str, question: str, wording: DebrisWording) -> Debris | None:
    core = said.strip(_MARKS_AROUND)
    if not core or wording.no_answer.fullmatch(core) or _UNFILLED.fullmatch(said):
        return Debris(Reason.NO_ANSWER, "a placeholder", _short(said))
    if wording.no_answer_unless_asked.fullmatch(core) and not wording.asks_for_word.search(question):
        return Debris(Reason.NO_ANSWER, "a placeholder", core)
    agrees = wording.only_agrees.fullmatch(core) and not wording.asks_permission.search(question)
    if agrees or wording.only_announces.fullmatch(core):
        return Debris(Reason.NO_ANSWER, "a promise without an answer", core)
    if _is_error(said, wording) and not wording.about_errors.search(question):
        return Debris(Reason.NO_ANSWER, "an error message", _short(said))
    if found := mending.CONTROL_TOKEN.search(said):
        return Debris(Reason.DEBRIS, "a token of a chat format", found[0])
    if ("[" in said or "【" in said) and (found := _BLANK.search(said)):
        return Debris(Reason.DEBRIS, "a blank that was not filled in", found[0])
    if found := wording.declines.match(said.strip()):
        return Debris(Reason.REFUSED, "the answer declines", _short(found[0]))
    if (found := wording.machine.search(said)) and not wording.about_agent.search(question):
        return Debris(Reason.REFUSED, "the answer says that a machine gives it", _short(found[0]))
    return None


def _is_error(said: str, wording: DebrisWording) -> bool:
    return len(said) <= _SHORT_ERROR and bool(wording.error.match(_TAG.sub("", said).lstrip(_MARKS_AROUND)))


def _first_turn(said: str) -> str:
    """Cut off the turns that a model has made up behind its own: a user's label, at the start of a line or sentence.

    A text that begins with such a label is a conversation and stays whole.
    """
    label = None
    if ":" in said or "：" in said:
        label = _labels().user_turn.search(said) or _labels().made_up_turn.search(said)
    if label is None or not said[: label.start()].strip():
        return said
    before = said[: label.start()].strip()
    # Question and answer pairs that were asked for begin with a lead-in: "Here are two questions:".
    return said if before.endswith((":", "：")) else before


@dataclass(frozen=True, slots=True)
class _Labels:
    """Patterns of the labels of turns, each with its colon."""

    own_question: Pattern
    own_answer: Pattern
    empty_answer: Pattern
    any_turn: Pattern
    heading: Pattern
    user_turn: Pattern
    made_up_turn: Pattern


@cache
def _labels() -> _Labels:
    wording = debris_wording()
    user, question = wording.user_label.pattern, wording.question_label.pattern
    agent, answer = wording.agent_label.pattern, wording.answer_label.pattern
    made_up = (
        rf"{_START}(?:{question}){_LABEL_END}.{{1,400}}?{_START}(?:{answer}|{agent}){_LABEL_END}"
        rf"|{_START}(?:instruction|指令){_LABEL_END}"
    )
    return _Labels(
        own_question=re.compile(rf"\s*(?:{user}|{question}){_LABEL_END}(?=\S)", re.I),
        own_answer=re.compile(rf"^\s*(?:{agent}|{answer}){_LABEL_END}(?=\S)", re.I),
        empty_answer=re.compile(rf"{_START}(?:{agent}|{answer}){_LABEL_END}$", re.I),
        any_turn=re.compile(rf"{_START}(?:{user}|{agent}|{question}){_LABEL_END}", re.I),
        heading=re.compile(rf"{_START}(?:### ?\w+){_LABEL_END}", re.I),
        user_turn=re.compile(rf"{_START}(?:{user}){_LABEL_END}", re.I),
        made_up_turn=re.compile(made_up, re.I | re.S),
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
