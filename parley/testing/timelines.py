"""Finished rows with a timeline."""

from dataclasses import replace

from manifests.schema import Dialogue, Event, Timeline
from parley.testing.corpora import RATE, make_kept, make_turn


def make_timed(number: int = 0) -> Dialogue:
    """Make a kept dialogue: the user asks for 0.1 s, the agent answers 0.05 s later for 0.2 s; the user says "right"
    0.1 s into it; a second backchannel was left out. Clips have no silence at their edges."""
    left_out = replace(make_turn("user", "okay", 8), kind="backchannel", take=None)
    beside = replace(make_turn("user", "right", 9, RATE // 20), kind="backchannel", start_sample=4000)
    turns = (
        replace(make_turn("user", f"what is number {number}", 2 * number, RATE // 10), start_sample=0),
        replace(make_turn("agent", f"it is number {number}", 2 * number + 1, RATE // 5), start_sample=2400),
        left_out,
        beside,
    )
    events = (
        Event("turn", "user", 0, 1600, 0),
        Event("turn", "agent", 2400, 5600, 1),
        Event("backchannel", "user", 4000, 4800, 3),
        Event("overlap", "user", 4000, 4800, 3, "turn 1"),
    )
    return replace(make_kept(number), turns=turns, timeline=Timeline("human", RATE, 5600, events))
