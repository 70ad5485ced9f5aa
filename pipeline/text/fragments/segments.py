"""List where an order and its material may stand in a row, the surest guess first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.text.fragments.patterns import TaskWording
from pipeline.text.sentences import next_sentence_starts
from pipeline.text.verbalize import strip_markup

# Of longer texts only both ends are read: the order stands there, and no pattern has to search more than this.
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 3600, 400
# Marks where a piece was cut out. It is neither a line end nor a space, so it stays until the material is read.
_SEAM = "\x01"
_MAX_COLONS = 4
_LONGEST_CHOICE = 16
_MAX_SENTENCES = 60

_BLANK = re.compile(r"_{3,}|[＿﹍]{2,}")
_SPACES = re.compile(r"[^\S\n]{2,}")
_LINES = re.compile(r"\n\s*\n\s*")
_SECTION_MARK = re.compile(r"^#{1,6}\s*", re.MULTILINE)
_BETWEEN_NAMES = re.compile(r"\s*(?:[,，、/;；]|\bor\b|\band\b|或者?|还是|和)\s*")
_COLON = re.compile(r"(?<!\d)[:：](?!//)|(?<=\d)：|(?<=\d):(?!\d)|\s[-–—]\s(?=[\"“])")
_QUOTED = re.compile(r"“([^“”\n]{8,})”|\"([^\"\n]{8,})\"|「([^「」\n]{4,})」|『([^『』\n]{4,})』|“([^“”\n]{4,7})”")


@dataclass(frozen=True, slots=True)
class Segments:
    """An order and its possible material. If `pointed`, they belong together only if the order points at a text."""

    order: str
    material: str
    pointed: bool = False


def read(text: str) -> str:
    """Return `text` without markup, cut in the middle if it is long; blank lines become single line ends."""
    text = text.replace(_SEAM, "")
    if len(text) > _HEAD_CHARACTERS + _TAIL_CHARACTERS:
        text = f"{text[:_HEAD_CHARACTERS]}\n{_SEAM}\n{text[-_TAIL_CHARACTERS:]}"
    text = _SPACES.sub(" ", _BLANK.sub("...", "\n".join(text.splitlines())))
    text = strip_markup(_LINES.sub("\n", text))
    return _SECTION_MARK.sub("", text).strip()


def find_segments(instruction: str, material: str, wording: TaskWording) -> Iterator[Segments]:
    """Yield the ways to split a row into order and material; the caller takes the first that makes sense.

    Both texts are as `read` returns them.
    """
    request = _without_reply(instruction, wording)
    if material:
        yield from _in_field(request, material, wording)
    yield from _behind_label(request, wording)
    yield from _before_question(request, wording)
    yield from _behind_colon(request, wording)
    yield from _on_further_lines(request)
    yield from _in_quotes(request, wording)
    yield from _before_order(request, wording)
    yield from _in_sentences(request, wording)


def before_seam(text: str) -> str:
    """Return the part of a text before the piece that was cut out; other texts come back unchanged."""
    return text.partition(_SEAM)[0]


def _without_reply(text: str, wording: TaskWording) -> str:
    """Return the last request of a marked conversation, without the answer to it."""
    if wording.speaker.match(text):
        turns = [turn for turn in wording.speaker.split(text) if turn.strip()]
        text = wording.reply_speaker.split(turns[-1], maxsplit=1)[0].strip() if turns else ""
    reply = wording.reply_label.search(text)
    if reply and text[: reply.start()].strip():
        text = text[: reply.start()].strip()
    if label := wording.order_label.match(text):
        text = text[label.end() :].strip()
    return text


def _in_field(request: str, material: str, wording: TaskWording) -> Iterator[Segments]:
    if label := wording.order_label.match(material):
        yield Segments(material[label.end() :], request)
    beginning = f"{request}\n"
    yield Segments(request, material.removeprefix(beginning) if material.startswith(beginning) else material)


def _behind_label(text: str, wording: TaskWording) -> Iterator[Segments]:
    r"""Split "Summarize this.\nText: ..." at the label."""
    for label in wording.material_mark.finditer(text):
        before, after = text[: label.start()], text[label.end() :]
        if before.strip():
            yield Segments(before, after)
            return
        order = wording.order_label.search(after)
        if order:
            yield Segments(after[order.end() :], after[: order.start()])
            return


def _before_question(text: str, wording: TaskWording) -> Iterator[Segments]:
    r"""Split "A passage ...\nQuestion: ..." before the question."""
    if label := wording.question_label.search(text):
        yield Segments(text[label.start() :].strip(), text[: label.start()])


def _behind_colon(text: str, wording: TaskWording) -> Iterator[Segments]:
    for number, colon in enumerate(_COLON.finditer(text)):
        if number == _MAX_COLONS:
            return
        head, tail = text[: colon.start()], text[colon.end() :]
        line = head.rpartition("\n")[2]
        if _inside_quotes(line) or wording.not_material.search(head):
            continue
        if line != head and not wording.pointer.search(line):
            # The speaker of a line, or the name of a field: part of the material.
            continue
        if wording.announces.search(head) or (wording.chooses.search(head) and _is_choice(tail)):
            # What follows on the line is what to choose from.
            choice, _, tail = tail.partition("\n")
            head = f"{head}: {choice}"
        yield Segments(head, tail)


def _is_choice(tail: str) -> bool:
    """Whether the first of several lines lists short names to choose from."""
    first, _, rest = tail.partition("\n")
    names = [name for name in _BETWEEN_NAMES.split(first.strip(" .。")) if name]
    return bool(rest) and len(names) >= 2 and all(len(name) <= _LONGEST_CHOICE for name in names)


def _on_further_lines(text: str) -> Iterator[Segments]:
    first, _, rest = text.partition("\n")
    if rest:
        yield Segments(first, rest)


def _in_quotes(text: str, wording: TaskWording) -> Iterator[Segments]:
    found = [match for match in _QUOTED.finditer(text) if not _is_name(text, match, wording)]
    if found:
        longest = max(found, key=lambda match: len(match[0]))
        yield Segments(f"{text[: longest.start()]} {text[longest.end() :]}", longest[0])


def _is_name(text: str, quoted: re.Match[str], wording: TaskWording) -> bool:
    before, behind = text[max(0, quoted.start() - 40) : quoted.start()], text[quoted.end() : quoted.end() + 20]
    return bool(wording.names_a_work.search(before) or wording.named_behind.search(behind))


def _before_order(text: str, wording: TaskWording) -> Iterator[Segments]:
    r"""Split "...\n\nSummarize the text above." before its last line."""
    rest, _, last = text.rpartition("\n")
    if rest:
        yield Segments(last, rest)


def _in_sentences(text: str, wording: TaskWording) -> Iterator[Segments]:
    """Split a single line: its first or its last sentence is the order."""
    if "\n" in text:
        return
    cuts = sorted({0, *next_sentence_starts(text[:_HEAD_CHARACTERS]), len(text)})
    if not 3 <= len(cuts) <= _MAX_SENTENCES:
        return
    rest = 1
    while rest < len(cuts) - 1 and wording.remark.match(text[cuts[rest] :].lstrip()):
        rest += 1
    yield Segments(text[: cuts[1]], text[cuts[rest] :], pointed=True)
    yield Segments(text[cuts[-2] :], text[: cuts[-2]], pointed=True)


def _inside_quotes(head: str) -> bool:
    return head.count('"') % 2 == 1 or head.count("“") > head.count("”") or head.count("「") > head.count("」")
