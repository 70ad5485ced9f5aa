"""What happens in a dialogue where two people can be heard at once: each step adds one kind of thing, if it is drawn.

A step chooses among the places that the texts allow, and does nothing where there is none. Where a language model has
marked an exchange, the steps that it can serve take its places and its words.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from manifests.schema import Cue, Label, Role, Turn, TurnKind
from manifests.words import words_of
from pipeline.stages._overlap_draft import Draft, Draws
from pipeline.stages._overlap_text import (
    Slip,
    clause_ends,
    false_starts,
    interruptible,
    joined,
    measures,
    pauses,
    place_behind,
    self_corrections,
    with_slip,
)
from pipeline.stages._overlap_wording import OverlapWording, Saying
from pipeline.text.lengths import text_length
from pipeline.text.sentences import split_sentences


@dataclass(frozen=True, slots=True)
class Marked:
    """What a language model wrote about exchange `number`; its fields are those of the task "overlap"."""

    number: int
    fields: Mapping[str, str]

    @property
    def user(self) -> int:
        return 2 * self.number

    @property
    def agent(self) -> int:
        return 2 * self.number + 1


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step may use: the draws of its dialogue, the wording of the language, and the limits of the texts."""

    draws: Draws
    language: str
    wording: OverlapWording
    question_limit: int
    answer_limit: int
    marked: Marked | None = None

    def text(self, number: int) -> str:
        """Return the text of a turn as it was before anything happened."""
        return self.draws.dialogue.turns[number].text or ""

    def numbers(self, role: Role) -> list[int]:
        return [i for i, turn in enumerate(self.draws.dialogue.turns) if turn.role == role and turn.kind == "turn"]

    def is_short(self, text: str) -> bool:
        """Tell whether a user may say so much in one turn."""
        return text_length(text, self.language) <= self.question_limit

    def is_brief(self, word: str) -> bool:
        """Tell whether a listener may say this at the end of any clause."""
        return text_length(word, self.language) <= measures(self.language).word


def false_start(draft: Draft, scene: Scene) -> Draft:
    """Let the user begin one of the turns twice."""
    if scene.marked:
        said = scene.marked.fields["restart"]
        return _slip(draft, scene, "false-start", [(scene.marked.user, Slip("false_start", 0, said))] if said else [])
    turns = scene.numbers("user")
    options = [(i, slip) for i in turns for slip in false_starts(scene.text(i), scene.language, scene.wording)]
    return _slip(draft, scene, "false-start", options)


def self_correction(draft: Draft, scene: Scene) -> Draft:
    """Let the user say a word wrongly first."""
    if scene.marked:
        return _slip(draft, scene, "self-correction", _marked_correction(draft, scene, scene.marked))
    options = [
        (i, slip)
        for i in scene.numbers("user")
        if not draft.turns[i].labels
        for slip in self_corrections(scene.text(i), scene.language, scene.wording)
    ]
    return _slip(draft, scene, "self-correction", options)


def _marked_correction(draft: Draft, scene: Scene, marked: Marked) -> list[tuple[int, Slip]]:
    said, quote = marked.fields["correction"], marked.fields["correction_before"]
    last = place_behind(quote, scene.text(marked.user), scene.language) if said else None
    if last is None:
        return []
    more = _count(draft.turns[marked.user].text, scene) - _count(scene.text(marked.user), scene)
    return [(marked.user, Slip("self_correction", last + 1 - _count(quote, scene) + more, said))]


def _count(text: str | None, scene: Scene) -> int:
    return len(words_of(text or "", scene.language))


def _slip(draft: Draft, scene: Scene, what: str, options: Sequence[tuple[int, Slip]]) -> Draft:
    if not options:
        return draft
    number, slip = scene.draws.pick(what, options)
    turn = with_slip(draft.turns[number], slip, scene.language, scene.wording)
    return draft if turn is None or not scene.is_short(turn.text or "") else draft.with_turn(number, turn)


def pause(draft: Draft, scene: Scene) -> Draft:
    """Let the user stop and think inside a turn."""
    if scene.marked:
        return _marked_pause(draft, scene, scene.marked)
    places = [(i, at) for i in scene.numbers("user") for at in pauses(draft.turns[i], scene.language, scene.wording)]
    if not places:
        return draft
    return _paused(draft, *scene.draws.pick("pause", places))


def _marked_pause(draft: Draft, scene: Scene, marked: Marked) -> Draft:
    quote = marked.fields["pause_after"]
    at = place_behind(quote, scene.text(marked.user), scene.language) if quote else None
    if at is None:
        return draft
    for label in draft.turns[marked.user].labels:  # words that were put in before the place
        at += label.last_word - label.first_word + 1 if label.first_word <= at else 0
    return _paused(draft, marked.user, at)


def _paused(draft: Draft, number: int, at: int) -> Draft:
    turn = draft.turns[number]
    labels = sorted((*turn.labels, Label("pause", at, at)), key=lambda label: label.first_word)
    return draft.with_turn(number, replace(turn, labels=tuple(labels)))


def barge_in(draft: Draft, scene: Scene, stop_phrase: bool = False) -> Draft:
    """Let the user break into an answer: with the next question, or with a few words where the answer is the last."""
    marked = scene.marked
    hosts = [marked.agent] if marked else scene.numbers("agent")[-1:] if stop_phrase else scene.numbers("agent")
    options = {host: places for host in hosts if (places := _breaks(draft, scene, host))}
    if not options:
        return draft
    host = scene.draws.pick("barge-in", list(options))
    cue = Cue(host, scene.draws.pick("barge-in-word", options[host]))
    if host + 1 < len(draft.turns):
        turn = _led(draft.turns[host + 1], scene.draws.pick("barge-in-lead", scene.wording.leads), scene)
        return draft.with_turn(host + 1, replace(turn, cue=cue))
    saying = scene.wording.stop if stop_phrase else _saying(scene, scene.text(host))
    turns = [Turn("user", "", text=saying.say, cue=cue), Turn("agent", "", text=saying.reply)]
    return draft.behind(host, *turns[: 2 if saying.reply else 1])


def _breaks(draft: Draft, scene: Scene, host: int) -> list[int]:
    then = draft.turns[host + 1].text or "" if host + 1 < len(draft.turns) else ""
    if not scene.marked:
        return interruptible(scene.text(host), then, scene.language, scene.wording)
    place = place_behind(scene.marked.fields["interrupt_after"], scene.text(host), scene.language)
    if place is None or not (then or scene.marked.fields["interruption"]):
        return []
    return [place]


def _saying(scene: Scene, answer: str) -> Saying:
    if scene.marked:
        return Saying(scene.marked.fields["interruption"], scene.marked.fields["reply"])
    first = next(iter(split_sentences(answer, scene.language)), "")
    filled = (replace(one, reply=one.reply.replace("{again}", first)) for one in scene.wording.interruptions)
    fitting = [one for one in filled if text_length(one.reply, scene.language) <= scene.answer_limit]
    return scene.draws.pick("barge-in-says", fitting)


def _led(turn: Turn, lead: str, scene: Scene) -> Turn:
    """Put words before the turn's own, unless it becomes too long."""
    text, count = joined(lead, turn.text or "", scene.language, scene.wording), _count(lead, scene)
    if not scene.is_short(text) or _count(text, scene) != _count(turn.text, scene) + count:
        return turn
    moved = (replace(a, first_word=a.first_word + count, last_word=a.last_word + count) for a in turn.labels)
    return replace(turn, text=text, labels=tuple(moved))


def silence(draft: Draft, scene: Scene) -> Draft:
    """Let the user say nothing for a while behind an answer, until the agent asks."""
    free = [i for i in scene.numbers("agent") if draft.cut_at(i) is None and not draft.is_followed(i)]
    if not free:
        return draft
    host = scene.draws.pick("silence", free)
    words = scene.draws.pick("silence-words", scene.wording.silences)
    asked = Turn("agent", "", text=words.ask)
    if host + 1 < len(draft.turns):
        return draft.behind(host, asked).with_turn(host + 1, _led(draft.turns[host + 1], words.next, scene))
    return draft.behind(host, asked, Turn("user", "", text=words.last), Turn("agent", "", text=words.reply))


def backchannels(draft: Draft, scene: Scene, role: Role, most: int) -> Draft:
    """Let the listener say up to `most` short words beside the other's turns, where clauses end."""
    if scene.marked and role == "user":
        return _marked_backchannel(draft, scene, scene.marked)
    other: Role = "agent" if role == "user" else "user"
    what = f"{role}-backchannel"
    hosts = [i for i in scene.numbers(other) if draft.turns[i].cue is None]
    places = [(host, at) for host in hosts for at in _listening_places(draft.turns[host], role, scene)]
    count = scene.draws.pick(f"{what}-count", range(1, most + 1))
    words = scene.draws.shuffled(f"{what}-words", scene.wording.backchannels[role])
    for host, at in scene.draws.shuffled(what, places):
        fitting = [word for word in words if scene.is_brief(word) or _ends_sentence(draft.turns[host], at, scene)]
        if count and fitting and _is_free(draft, scene, host, at, role, measures(scene.language).apart):
            draft = draft.beside(host, at, Turn(role, "", text=fitting[0], kind="backchannel"))
            words.remove(fitting[0])
            count -= 1
    return draft


def _listening_places(turn: Turn, role: Role, scene: Scene) -> list[int]:
    """Return the words behind which the listener may say a word; an agent that hears a question would answer it."""
    text, slips = turn.text or "", [label for label in turn.labels if label.kind != "pause"]
    words = words_of(text, scene.language)
    return [
        at
        for at in clause_ends(text, scene.language, scene.wording)
        if not any(slip.first_word <= at <= slip.last_word for slip in slips)
        and (role == "user" or words[at].text[-1] not in "?？")
    ]


def _ends_sentence(turn: Turn, at: int, scene: Scene) -> bool:
    return words_of(turn.text or "", scene.language)[at].text[-1] in ".?!。？！"


def _marked_backchannel(draft: Draft, scene: Scene, marked: Marked) -> Draft:
    said, host = marked.fields["backchannel"], marked.agent
    at = place_behind(marked.fields["backchannel_after"], scene.text(host), scene.language) if said else None
    if at is None or not _is_free(draft, scene, host, at, "user", measures(scene.language).apart):
        return draft
    return draft.beside(host, at, Turn("user", "", text=said, kind="backchannel"))


def remark(draft: Draft, scene: Scene, kind: TurnKind, sayings: Sequence[str]) -> Draft:
    """Let something be said beside an answer that is not meant for the agent."""
    if scene.marked and kind == "aside":
        return _marked_aside(draft, scene, scene.marked)
    length = measures(scene.language).sentence
    places = [
        (host, at)
        for host in scene.numbers("agent")
        for at in range(measures(scene.language).rest, _count(scene.text(host), scene))
        if _is_free(draft, scene, host, at, "user", length)
    ]
    if not places:
        return draft
    host, at = scene.draws.pick(kind, places)
    return draft.beside(host, at, Turn("user", "", text=scene.draws.pick(f"{kind}-says", sayings), kind=kind))


def _marked_aside(draft: Draft, scene: Scene, marked: Marked) -> Draft:
    said, host = marked.fields["aside"], marked.agent
    at = place_behind(marked.fields["aside_after"], scene.text(host), scene.language) if said else None
    if at is None or not _is_free(draft, scene, host, at, "user", measures(scene.language).sentence):
        return draft
    return draft.beside(host, at, Turn("user", "", text=said, kind="aside"))


def _is_free(draft: Draft, scene: Scene, host: int, at: int, role: Role, length: int) -> bool:
    """Tell whether a sound of `length` words from behind word `at` on is over before anything else of its channel."""
    cut = draft.cut_at(host)
    if at + length > (_count(draft.turns[host].text, scene) if cut is None else cut):
        return False
    least = measures(scene.language)
    others = ((part.word, part.turns[0]) for part in draft.added if part.host == host and part.word is not None)
    ends = (
        (word, word + (least.apart if turn.kind == "backchannel" else least.sentence))
        for word, turn in others
        if turn.role == role
    )
    return all(at >= end or at + length <= start for start, end in ends)


Step = Callable[[Draft, Scene], Draft]


def run(steps: Iterable[Step], draft: Draft, scene: Scene) -> Draft:
    for step in steps:
        draft = step(draft, scene)
    return draft
