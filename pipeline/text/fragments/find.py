"""Decide whether a row is a task about a given text, and return that text without the task."""

from dataclasses import dataclass

from pipeline.text.fragments.clean import cut, is_text, plain_material
from pipeline.text.fragments.patterns import TaskWording, task_wording
from pipeline.text.fragments.segments import Segments, before_seam, find_segments, read
from pipeline.text.verbalize import LANGUAGES

# Characters read of a long order: what it asks for stands at its beginning or at its end.
_ORDER_HEAD, _ORDER_TAIL = 260, 160


@dataclass(frozen=True, slots=True)
class Fragment:
    """The material of a task: `kind` is one of `KINDS`, `text` is one line without markup."""

    kind: str
    text: str


def find_fragment(instruction: str, material: str, language: str, limit: int) -> Fragment | None:
    """Return the material of a task about a given text, cut to `limit` words (characters in Chinese).

    None means that the row must be passed on whole: it asks for an answer, for advice or for something to be written;
    or its material is a parameter (a word, a number, a name, code) instead of a text; or its language has no patterns.
    Never raises.
    """
    if language not in LANGUAGES or limit <= 0:
        return None
    wording = task_wording(language)
    for segments in find_segments(read(instruction), read(material), wording):
        if fragment := _fragment(segments, language, limit, wording):
            return fragment
    return None


def _fragment(segments: Segments, language: str, limit: int, wording: TaskWording) -> Fragment | None:
    order = _clip(wording.form.sub("", " ".join(segments.order.split())))
    kind = _kind_of(order, wording)
    if kind is None or (segments.pointed and not wording.pointer.search(order)):
        return None
    lines = _without_orders(before_seam(segments.material), wording)
    if kind == "question_answering":
        lines = _without_questions(lines)
    text = plain_material("\n".join(lines), language, wording)
    fewest = wording.fewest.get(kind, wording.fewest["text"])
    if not is_text(text, language, fewest) or text in order:
        return None
    kept = cut(text, language, limit)
    return Fragment(kind, kept) if kept else None


def _kind_of(order: str, wording: TaskWording) -> str | None:
    if wording.foreign.search(order):
        return None
    return next((kind for kind, pattern in wording.kinds if pattern.search(order)), None)


def _clip(order: str) -> str:
    if len(order) <= _ORDER_HEAD + _ORDER_TAIL:
        return order
    return f"{order[:_ORDER_HEAD]} {order[-_ORDER_TAIL:]}"


def _without_orders(material: str, wording: TaskWording) -> list[str]:
    """Drop the lines at both ends that talk about the task ("Keep it short.", "Now summarize the above.")."""
    lines = [line.strip() for line in material.splitlines() if line.strip()]
    while lines and _is_of_the_task(lines[0], wording):
        lines = lines[1:]
    while lines and (_is_of_the_task(lines[-1], wording) or _is_label_of_reply(lines[-1], wording)):
        lines = lines[:-1]
    return lines


def _without_questions(lines: list[str]) -> list[str]:
    """Drop the questions that follow a passage."""
    while len(lines) > 1 and lines[-1].endswith(("?", "？")):
        lines = lines[:-1]
    return lines


def _is_of_the_task(line: str, wording: TaskWording) -> bool:
    order = line[:_ORDER_HEAD]
    if wording.remark.match(order) or wording.refers_back.search(order):
        return True
    return bool(wording.command.match(order) and wording.points_beside.search(order))


def _is_label_of_reply(line: str, wording: TaskWording) -> bool:
    return line.endswith((":", "：")) and bool(wording.reply_label.match(f"\n{line}"))
