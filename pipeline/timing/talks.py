"""Defines a talk: who speaks when, of two; the common shape of recordings and of Parley's own timelines.

Timelines say of themselves which turn is a backchannel and who was interrupted. In recordings both are told from the
times alone, by rules that the statistics state (`parley timing stats`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from manifests.schema import Channel, Dialogue

CHANNELS: tuple[Channel, Channel] = ("user", "agent")
JOINED_S = 0.18
"""Two stretches of one speaker with a shorter pause between them are one. Ours: the field uses 0.15 to 0.2 s."""

_Kind = Literal["floor", "backchannel", "aside"]


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Holds a stretch of speech of one speaker, in seconds.

    `words` is how many there are, where that is known. `interrupts` tells what is labeled as an interruption.
    """

    start_s: float
    end_s: float
    kind: _Kind = "floor"
    words: int | None = None
    interrupts: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """Holds the speech of two speakers, sorted, stretches of one speaker never overlapping.

    `is_directed` tells whether it is known who is the agent; otherwise the first to speak stands as the user.
    `is_labeled` tells whether the kinds of the stretches are known. `stops_s` are the times from an interruption to
    where the other one stopped, and `lags_s` those from a word to the backchannel that answers it, as far as they are
    labeled.
    """

    name: str
    user: tuple[Stretch, ...]
    agent: tuple[Stretch, ...]
    is_directed: bool
    is_labeled: bool
    stops_s: tuple[float, ...] = ()
    lags_s: tuple[float, ...] = ()

    def of(self, channel: Channel) -> tuple[Stretch, ...]:
        return self.user if channel == "user" else self.agent


def talk_of(dialogue: Dialogue) -> Talk | None:
    """Return the talk of a dialogue with a timeline, by its events; None if it has none.

    Whoever is in the background takes no part. Pauses that were put into a turn divide it.
    """
    timeline = dialogue.timeline
    if timeline is None:
        return None
    rate = timeline.sample_rate
    kinds: dict[str, _Kind] = {"turn": "floor", "backchannel": "backchannel", "aside": "aside"}
    pauses: dict[int | None, list[tuple[int, int]]] = {}
    for event in timeline.events:
        if event.kind == "pause":
            pauses.setdefault(event.turn, []).append((event.start_sample, event.end_sample))
    interrupting = {event.turn for event in timeline.events if event.kind == "barge_in"}
    found: dict[Channel, list[Stretch]] = {"user": [], "agent": []}
    for event in timeline.events:
        if kind := kinds.get(event.kind):
            start = event.start_sample
            for begins, ends in (*sorted(pauses.get(event.turn, [])), (event.end_sample, event.end_sample)):
                interrupts = start == event.start_sample and event.turn in interrupting
                found[event.channel].append(Stretch(start / rate, begins / rate, kind, interrupts=interrupts))
                start = ends
    return Talk(
        dialogue.dialogue_id,
        joined(found["user"]),
        joined(found["agent"]),
        is_directed=True,
        is_labeled=True,
        stops_s=tuple((e.end_sample - e.start_sample) / rate for e in timeline.events if e.kind == "stop"),
        lags_s=tuple(draw.value for draw in timeline.draws if draw.name == "backchannel_lag_s"),
    )


def recorded_talk(name: str, parties: dict[str, list[Stretch]], agent: str | None) -> Talk:
    """Return the talk of two parties, by their names; `agent` is the name of the one who is the agent, if it is there.

    What is told of the kinds comes from the times: see `_kinds`.
    """
    first, second = sorted(parties, key=lambda party: (min(parties[party]).start_s, party))
    if agent in (first, second):
        first, second = (first, second) if second == agent else (second, first)
    user, agents = joined(parties[first]), joined(parties[second])
    return Talk(name, _kinds(user, agents), _kinds(agents, user), agent in (first, second), is_labeled=False)


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return the stretches of one speaker in order, those of one kind with a pause below JOINED_S as one."""
    found: list[Stretch] = []
    for stretch in sorted(stretches):
        last = found[-1] if found else None
        if last is not None and last.kind == stretch.kind and stretch.start_s - last.end_s < JOINED_S:
            words = None if None in (last.words, stretch.words) else (last.words or 0) + (stretch.words or 0)
            found[-1] = replace(last, end_s=max(last.end_s, stretch.end_s), words=words)
        else:
            found.append(stretch)
    return tuple(found)


SHORT_S, SHORT_WORDS = 1.0, 2
"""A backchannel is shorter, and has at most so many words: the thresholds of Full-Duplex-Bench."""


def _kinds(own: Sequence[Stretch], other: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Tell who takes the floor: not who begins and ends while the other one speaks on. If short, a backchannel."""
    found, place = [], 0
    for stretch in own:
        while place < len(other) and other[place].end_s <= stretch.end_s:
            place += 1
        around = place < len(other) and other[place].start_s < stretch.start_s
        short = stretch.end_s - stretch.start_s < SHORT_S and (stretch.words or 0) <= SHORT_WORDS
        kind: _Kind = "floor" if not around else "backchannel" if short else "aside"
        found.append(replace(stretch, kind=kind))
    return tuple(found)
