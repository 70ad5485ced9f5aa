"""Take out of a text what was certainly not meant to be said, and leave the rest as it is."""

import re

from pipeline.text.debris.wording import debris_wording
from pipeline.text.scripts import HAN

_THOUGHT = (
    r"(?:\w{1,12}:)?(?:think|thinking|antthinking|thoughts?|reason|reasoning|reflection|scratchpad|analysis"
    r"|inner_?thoughts?|inner_?monologue|chain_?of_?thought|cot)"
)
THOUGHT_END = re.compile(rf"(?:<|&lt;)/{_THOUGHT}\s*(?:>|&gt;)|◁/think▷|\[/THINK\]", re.IGNORECASE)
THOUGHT_START = re.compile(rf"(?:<|&lt;){_THOUGHT}\s*(?:>|&gt;)|◁think▷|\[THINK\]", re.IGNORECASE)
_THOUGHT_MARKS = "<&◁["
"""A tag of a thought has one of them."""
# "Thought: ... Final Answer: ...", each at the start of a line, perhaps in bold.
_LABELED_THOUGHT = re.compile(
    r"\s*[*#_ ]{0,6}(?:thinking|thoughts?|thought process|reasoning(?: process)?|chain of thought|analysis"
    r"|思考(?:过程)?|推理(?:过程)?)"
    r"[*_ ]{0,3}[:：]",
    re.IGNORECASE,
)
_LABELED_ANSWER = re.compile(
    r"\n[*#_ ]{0,6}(?:(?:final )?(?:answer|response|output|reply)|(?:最终)?(?:答案|回答|回复))"
    r"[*_ ]{0,3}[:：][*_ ]{0,3}",
    re.IGNORECASE,
)
_ASKS_FOR_THOUGHT = re.compile(
    r"reason|think|thought|explain|why|steps?\b|analy|how\b|推理|思考|解释|为什么|步骤|分析", re.IGNORECASE
)
_HARMONY_FINAL = re.compile(r"<\|channel\|>\s*final\b[^<]*<\|message\|>", re.IGNORECASE)
_HARMONY_END = re.compile(r"<\|(?:end|return|call)\|>")

# Tokens of chat formats: <|im_end|>, </s>, [INST], <start_of_turn>, <eoa>. Not <b> or other HTML, which is markup.
CONTROL_TOKEN = re.compile(
    r"<[|｜][^<>|｜]{0,40}[|｜]>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<(?:eo[ahms]|bos|eos|pad|unk|mask|unused\d{1,3})>"
    r"|\[(?:gMASK|sop|eop|EOS|BOS|PAD|UNK|CLS|SEP)\]"
)
# A token at the beginning may open another speaker's turn, but for those that begin a whole text.
_AT_EDGES = re.compile(
    rf"^(?:\s*(?:<s>|<bos>|<[|｜]begin[▁_]of[▁_](?:text|sentence)[|｜]>))+\s*|\s*(?:(?:{CONTROL_TOKEN.pattern})\s*)+$"
)
_SWITCH = re.compile(r"(?:^|\s)/(?:no_?)?think\b\s*")
_HASHES = re.compile(r"\s*#{2,}\s*$")

# [^1^], [^1] and 【1†source】 are always citations; [1][2] where it touches its word or closes a clause, and [1, 2] in
# the latter place only: "a[1]" is an index, "the numbers [1, 2] are" a list, and "[5]" a whole answer.
_NUMBER = r"\[\d{1,3}\]"
_CLOSES = r"(?=\s*(?:[.,;:!?。，；：！？]|\n|$))"
_CITATION = re.compile(
    r"\s?(?:\[\^\d{1,3}\^?\]|\[citation needed\]|【\d{1,3}(?:[:：]\d{1,3})?†[^【】]{0,80}】)"
    rf"|(?:(?<=[^\W\d_]{{3}})|(?<=[.,;:!?。，；：！？”’\"')）])|(?<=[{HAN}]))"
    rf"(?:{_NUMBER})+"
    rf"|(?<=[^\W_])\s(?:{_NUMBER})+{_CLOSES}"
    rf"|(?<=[^\W_]{{3}})\s?\[\d{{1,3}}(?:\s?[,，–-]\s?\d{{1,3}}){{1,3}}\]{_CLOSES}",
    re.IGNORECASE,
)
_CODE = re.compile(r"(```.*?(?:```|$)|`[^`\n]*`)", re.DOTALL)
# No citation has the number 0 or a name: such a text counts elements.
_INDEX = re.compile(r"\w\[(?:0|[A-Za-z_]\w{0,30}|-1)\]")
_CITED_SOURCE = re.compile(r"^\s*(?:\[\^?\d{1,3}\^?\]\s*:?|\[\d{1,3}\]:)\s*\S.*$")
_BLANKS = re.compile(r"[ \t]{2,}")
_SPACE_BEFORE_MARK = re.compile(r"[ \t]+(?=[.,;:!?。，！？；：])")
_LINE_BREAK = re.compile(r"(?<=[^\W\d_])[ \t]*\n[ \t]*(?=[a-z])")
_LAST_WORD = re.compile(r"[^\W\d_]+$")


def without_thoughts(text: str) -> str | None:
    """Return what follows a model's thoughts; None if they have no end.

    Some chat templates put the opening tag into the prompt, so a closing tag counts without it.
    """
    text = final_channel(text)
    if not any(mark in text for mark in _THOUGHT_MARKS):
        return text
    ends = list(THOUGHT_END.finditer(text))
    rest = text[ends[-1].end() :] if ends else text
    return None if THOUGHT_START.search(rest) else rest.strip() if ends else rest


def without_labeled_thought(answer: str, question: str) -> str:
    """Return what stands behind the label of an answer, where a label of thoughts opens the text; else the text.

    Thoughts that the question asks for are part of the answer.
    """
    if not _LABELED_THOUGHT.match(answer) or _ASKS_FOR_THOUGHT.search(question):
        return answer
    answers = list(_LABELED_ANSWER.finditer(answer))
    return answer[answers[-1].end() :].strip() if answers else answer


def final_channel(text: str) -> str:
    """Return what a model of the harmony format (gpt-oss) says in its last final channel; other texts unchanged."""
    finals = list(_HARMONY_FINAL.finditer(text)) if "<|" in text else []
    return _HARMONY_END.split(text[finals[-1].end() :])[0].strip() if finals else text


def without_tokens(text: str) -> str:
    """Remove control tokens and hashes from the ends, and switches wherever they stand."""
    text = _SWITCH.sub(" ", text) if "/" in text else text
    if "<" in text or "[" in text:  # every token has one of them
        text = _AT_EDGES.sub("", text)
    return _HASHES.sub("", text) if "##" in text else text


def without_page(text: str) -> str:
    """Remove the lines of the page that the text was copied from, and the sources of its citations."""
    lines = text.split("\n")
    page = debris_wording().page_line
    kept = [line for line in lines if not page.fullmatch(line.strip())]
    while kept and (not kept[-1].strip() or _is_source(kept)):
        kept.pop()
    return "\n".join(kept).strip() if len(kept) < len(lines) else text


def without_citations(text: str) -> str:
    """Remove citations from prose: in code, and where elements are counted, "items[1]" is an index."""
    if ("[" not in text and "【" not in text) or _INDEX.search(text):
        return text
    parts = _CODE.split(text)
    bare = "".join(part if part.startswith("`") else _CITATION.sub("", part) for part in parts)
    return text if bare == text else _SPACE_BEFORE_MARK.sub("", _BLANKS.sub(" ", bare)).strip()


def with_joined_lines(text: str) -> str:
    """Join a line that ends inside a phrase ("name a", "fruit") with the next one."""
    return _LINE_BREAK.sub(_joined, text) if "\n" in text else text


def _joined(found: re.Match[str]) -> str:
    start = found.string.rfind("\n", 0, found.start()) + 1
    last = _LAST_WORD.search(found.string, start, found.start())
    return " " if last and debris_wording().runs_into_next_line.fullmatch(last[0]) else found[0]


def _is_source(lines: list[str]) -> bool:
    """Tell whether the last line is "[1] ..." below prose: a source, not the first item of a list of such items."""
    return len(lines) > 1 and bool(_CITED_SOURCE.match(lines[-1])) and not _CITED_SOURCE.match(lines[0])
