"""Where the turns of a dialogue lie on one clock, as duplex consumers need it: exact, whatever the sample rates.

A corpus whose turns have `start_sample` says it itself. Others are laid out turn by turn: each begins when the one
before it has ended and a gap, always the same, has passed.
"""

from dataclasses import dataclass
from fractions import Fraction

from manifests.resampling import resampled_length
from manifests.schema import Dialogue, Role


@dataclass(frozen=True)
class Spot:
    """Says where a turn lies: the turn's 0-based number, and its first and past its last moment, in seconds."""

    turn: int
    role: Role
    start: Fraction
    end: Fraction


def spots(dialogue: Dialogue, gap_ms: int) -> list[Spot]:
    """Return where the turns lie, sorted by time. `gap_ms`: silence between turns that have no `start_sample`.

    Where there is a timeline, turns that have no place in it are left out.
    """
    found, clock = [], Fraction(0)
    for number, turn in enumerate(dialogue.turns):
        audio = turn.audio
        if audio is not None and not dialogue.leaves_out(turn):
            rate = dialogue.timeline.sample_rate if dialogue.timeline else audio.sample_rate
            start = clock if turn.start_sample is None else Fraction(turn.start_sample, rate)
            end = start + Fraction(audio.num_samples, audio.sample_rate)
            found.append(Spot(number, turn.role, start, end))
            clock = end + Fraction(gap_ms, 1000)
    return sorted(found, key=lambda spot: spot.start)


def sample_at(moment: Fraction, rate: int) -> int:
    """Return the sample nearest to the moment in seconds, halves up."""
    return resampled_length(moment.numerator, moment.denominator, rate)


def layout_problem(dialogue: Dialogue) -> str | None:
    """Return why the dialogue cannot be laid out on one clock, as a reason to count; None: it can be."""
    heard = [turn for turn in dialogue.turns if not dialogue.leaves_out(turn)]
    if not heard:
        return "it has no turn"
    if any(not (turn.audio and turn.audio.num_samples) for turn in heard):
        return "a turn has no audio"
    starts = [turn.start_sample for turn in heard]
    if any(turn.start_sample is None and turn.kind != "turn" for turn in heard):
        return "a turn that takes no floor has no start"
    if any(start is None for start in starts) and any(start is not None for start in starts):
        return "only some of its turns have a start"
    if any(start is not None and start < 0 for start in starts):
        return "a turn starts before the dialogue"
    ends: dict[Role, Fraction] = {}
    for spot in spots(dialogue, 0):
        if spot.start < ends.get(spot.role, 0):
            return "two turns of one speaker overlap"
        ends[spot.role] = spot.end
    return None
