"""Places the takes of a dialogue on one clock: who begins when, and who stops.

One who takes the floor begins a drawn gap after the one before it, or after a silence; one who interrupts begins a
drawn lag after the word of its cue, and the other one stops at the end of a word, once a drawn latency has passed.
What is said beside a turn begins a drawn lag after the word of its cue. Nobody is ever placed over their own voice:
who would be is moved until the channel is free, and by how much is recorded as `shift_s`. Everything is measured from
speech to speech; the silence at the edges of clips may lie over the other speaker's words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from manifests.schema import Channel, Dialogue, Draw
from pipeline.stages._arranged_take import SpokenTake, cut_behind, known_words
from pipeline.stages._cues import Order, order_of
from pipeline.timing.drawing import DrawRecord
from pipeline.timing.profile import Profile, RandomTime

Draws = Callable[[str, RandomTime, int], float]
"""Draws the seconds of a time, by the name of the draw and the number of the turn."""

LARGEST_OVERLAP = 0.5
"""Largest share of either turn that an overlap at a change of the speaker covers: an answer to what was hardly begun
is none, and a turn that ends inside another has not taken the floor. Ours."""


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Says where a take lies: its clip begins at `start_sample` of the timeline.

    `last_word` is the last word that is said, if the take was cut. `waits` says why what a cue asked for was not done.
    """

    take: SpokenTake
    start_sample: int
    last_word: int | None = None
    waits: str | None = None

    @property
    def onset(self) -> int:
        """Where its speech begins."""
        return self.start_sample + self.take.start

    @property
    def offset(self) -> int:
        """Where its speech ends."""
        return self.start_sample + self.take.end

    @property
    def end_sample(self) -> int:
        """Where its clip ends."""
        return self.start_sample + self.take.num_samples


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Says that turn `by` interrupted turn `turn`, and whether that one stopped for it or came to its end anyway."""

    by: int
    turn: int
    stopped: bool


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Holds where the turns lie, by their numbers; a turn that is not there is not placed."""

    placed: dict[int, Placement]
    barge_ins: tuple[BargeIn, ...]
    draws: tuple[Draw, ...]


def place(
    dialogue: Dialogue, takes: Mapping[int, SpokenTake], profile: Profile, draw: Draws, silent: Mapping[int, bool]
) -> Arrangement:
    """Place the takes, which all have one sample rate; those of all turns that take the floor are there.

    `silent` tells which turns are kept waiting for a long time.
    """
    rate = next(iter(takes.values())).sample_rate
    placing = _Placing(dialogue, takes, profile, draw, silent, order_of(dialogue), DrawRecord(rate))
    return placing.run()


@dataclass
class _Placing:
    dialogue: Dialogue
    takes: Mapping[int, SpokenTake]
    profile: Profile
    draw: Draws
    silent: Mapping[int, bool]
    order: Order
    record: DrawRecord
    placed: dict[int, Placement] = field(default_factory=dict)
    barge_ins: list[BargeIn] = field(default_factory=list)
    free: dict[Channel, int] = field(default_factory=lambda: {"user": 0, "agent": 0})

    def run(self) -> Arrangement:
        self._beside(None, None)
        before: int | None = None
        for number in self.order.floor:
            word = self._cued_word(number) if before is not None else None
            if before is not None:
                self._beside(before, word)
            if word is None:
                self._follow(number, before)
            else:
                self._interrupt(number, word)
            before = number
        if before is not None:
            self._beside(before, None)
        return Arrangement(self.placed, tuple(self.barge_ins), tuple(self.record.draws))

    def _drawn(self, name: str, time: RandomTime, turn: int) -> int:
        return self.record.add(name, self.draw(name, time, turn), turn)

    def _cued_word(self, number: int) -> int | None:
        """Return the word behind which the turn interrupts; None: it does not, or nobody knows when the word ends."""
        cue = self.dialogue.turns[number].cue
        return cue.word if cue and self.placed[cue.turn].take.word_end(cue.word) is not None else None

    def _follow(self, number: int, before: int | None) -> None:
        """Place a turn behind the one before it, which it may overlap a little."""
        if before is None:
            self._put(number, self.free[self._role(number)] + self.takes[number].start)
            return
        last = self.placed[before]
        to_agent = self._role(number) == "agent"
        # Who takes the floor twice in a row has waited for the other one, who said nothing.
        if self._role(before) == self._role(number) or (not to_agent and self.silent.get(number)):
            gap = self._drawn("silence_s", self.profile.silence, number)
        else:
            gap = self._drawn("gap_s", self.profile.gap_to_agent if to_agent else self.profile.gap_to_user, number)
        own = self.takes[number]
        overlap = round(LARGEST_OVERLAP * min(last.offset - last.onset, own.end - own.start))
        waits = None
        if cue := self.dialogue.turns[number].cue:
            waits = f"waits for the end of turn {cue.turn}: its word {cue.word} has no times"
        # Who was interrupted may still be speaking when the interruption is over.
        ends = max(last.offset, *(p.offset for n, p in self.placed.items() if self.dialogue.turns[n].kind == "turn"))
        self._put(number, ends + gap, last.offset - overlap, waits)

    def _interrupt(self, number: int, word: int) -> None:
        """Place a turn that interrupts behind that word, and cut the other one."""
        host = self.order.floor[self.order.floor.index(number) - 1]
        other = self.placed[host]
        lag = self._drawn("barge_in_lag_s", self.profile.barge_in_lag, number)
        latency = self._drawn("stop_latency_s", self.profile.stop_latency, number)
        self._put(number, other.start_sample + (other.take.word_end(word) or 0) + lag, other.onset)
        onset = self.placed[number].onset
        if onset >= other.offset:
            return
        stop = max(onset + latency, onset) - other.start_sample
        last = len(other.take.words or ()) - 1
        behind = next((w for w in known_words(other.take) if (other.take.word_end(w) or 0) >= stop and w < last), None)
        if behind is not None and (other.take.word_end(behind) or 0) < other.take.end:
            cut = Placement(cut_behind(other.take, behind), other.start_sample, behind, other.waits)
            self.placed[host] = cut
            self.free[self._role(host)] = cut.end_sample
        self.barge_ins.append(BargeIn(number, host, behind is not None))

    def _beside(self, host: int | None, until: int | None) -> None:
        """Place what is said beside a turn; `until` is the word behind which it is interrupted.

        What waits for a later word, or for a word whose times are not known, is not placed.
        """
        for number in self.order.beside.get(host, ()):
            if number not in self.takes:
                continue
            turn, start = self.dialogue.turns[number], 0
            if host is not None:
                beside = self.placed[host]
                start = beside.offset
                if turn.cue is not None:
                    end = beside.take.word_end(turn.cue.word)
                    if end is None or (until is not None and turn.cue.word > until):
                        continue
                    start = beside.start_sample + end
                elif until is not None:
                    continue
            lag = 0
            if turn.kind == "backchannel":
                lag = self._drawn("backchannel_lag_s", self.profile.backchannel_lag, number)
            self._put(number, start + lag)

    def _put(self, number: int, onset: int, earliest: int = 0, waits: str | None = None) -> None:
        """Place the turn so that its speech begins at `onset`, or as soon after it as its channel is free."""
        take = self.takes[number]
        start = max(onset - take.start, earliest - take.start, self.free[self._role(number)])
        if moved := start + take.start - onset:
            self.record.add("shift_s", moved / self.record.sample_rate, number)
        self.placed[number] = Placement(take, start, waits=waits)
        self.free[self._role(number)] = start + take.num_samples

    def _role(self, number: int) -> Channel:
        return self.dialogue.turns[number].role
