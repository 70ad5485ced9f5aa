"""arrange puts every turn where the draws say, cuts at words, and lays nobody over their own voice."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.audio import decode
from manifests.schema import Cue, Dialogue, Label, Role, Turn, TurnKind, Watermark
from manifests.words import words_of
from parley.testing import audit_stage
from pipeline.stages.arrange import ARRANGE
from tests.pipeline.stages.arranged import (
    EDGE,
    GAP,
    RATE,
    WORD,
    arranged,
    arranging,
    dialogue,
    draws_of,
    speech_of,
    spoken,
)

STEP = WORD + GAP
ASKED, ANSWERED = "what is rye bread", "it is bread that is made of rye flour"


def interrupted(**changes: bool) -> Dialogue:
    """A question, an answer that is interrupted behind its third word, and the answer to the interruption."""
    return dialogue(
        spoken("user", ASKED),
        spoken("agent", ANSWERED, **changes),
        spoken("user", "wait please", cue=(1, 2)),
        spoken("agent", "yes"),
    )


def test_a_turn_begins_the_drawn_gap_after_the_speech_before_it() -> None:
    row = arranged(dialogue(spoken("user", ASKED), spoken("agent", ANSWERED), spoken("user", "thanks")), arranging())
    draws = draws_of(row)
    for before, number in ((0, 1), (1, 2)):
        gap = draws["gap_s", number] + draws.get(("shift_s", number), 0)
        assert speech_of(row, number)[0] - speech_of(row, before)[1] == round(gap * RATE)
        assert row.turns[number].start_sample == speech_of(row, number)[0] - EDGE
    assert row.turns[0].start_sample == 0
    assert row.timeline is not None and row.timeline.profile == "human"
    last = row.turns[2]
    assert last.audio is not None and last.start_sample is not None
    assert row.timeline.num_samples == last.start_sample + last.audio.num_samples


def test_an_interrupted_agent_stops_at_the_end_of_a_word() -> None:
    row = arranged(interrupted(), arranging(profile="salm"))
    onset = speech_of(row, 2)[0]
    agent = row.turns[1]
    assert onset == speech_of(row, 1)[0] + 2 * STEP + WORD
    # 0.64 s after the onset the agent is in the sixth word, "made", and stops behind it.
    assert (agent.text, agent.unsaid) == ("it is bread that is made", " of rye flour")
    assert speech_of(row, 1)[1] == speech_of(row, 1)[0] + 5 * STEP + WORD
    assert agent.take is not None and agent.take.word_times is not None and agent.audio is not None
    assert [word.text for word in agent.take.word_times.words] == "it is bread that is made".split()
    samples, _ = decode(agent.audio)
    assert len(samples) == EDGE + 5 * STEP + WORD + EDGE and not samples[-EDGE:].any()
    assert agent.take.dry is not None and agent.take.dry.audio.num_samples > len(samples)
    assert row.timeline is not None
    found = {event.kind: event for event in row.timeline.events if event.kind in ("barge_in", "stop")}
    assert {kind: (e.channel, e.turn, e.cause) for kind, e in found.items()} == {
        "barge_in": ("user", 2, "turn 1"),
        "stop": ("agent", 1, "turn 2"),
    }
    assert {(e.start_sample, e.end_sample) for e in found.values()} <= {
        (onset, speech_of(row, 1)[1]),
        (onset, min(speech_of(row, 1)[1], speech_of(row, 2)[1])),
    }
    assert speech_of(row, 3)[0] >= max(speech_of(row, 1)[1], speech_of(row, 2)[1])


def test_an_agent_that_stops_at_the_very_word_leaves_no_empty_event() -> None:
    row = arranged(
        dialogue(spoken("user", "w0 w1"), spoken("agent", "w0", cue=(0, 0))), arranging(profile="turn_based")
    )
    assert row.turns[0].unsaid == " w1" and row.timeline is not None
    found = {event.kind: (event.start_sample, event.end_sample) for event in row.timeline.events}
    assert found == {"turn": speech_of(row, 1), "barge_in": speech_of(row, 1)}


def test_without_word_times_an_interruption_waits_and_says_so() -> None:
    row = arranged(interrupted(timed=False), arranging(profile="salm"))
    assert (row.turns[1].text, row.turns[1].unsaid) == (ANSWERED, None)
    assert speech_of(row, 2)[0] == speech_of(row, 1)[1] + round(0.64 * RATE)
    assert row.timeline is not None
    causes = [event.cause for event in row.timeline.events if event.turn == 2 and event.kind == "turn"]
    assert causes == ["waits for the end of turn 1: its word 2 has no times"]
    assert not [event for event in row.timeline.events if event.kind in ("barge_in", "stop")]


def test_a_backchannel_is_heard_beside_its_word_and_an_unsaid_word_has_none() -> None:
    turns = list(interrupted().turns)
    turns[2] = replace(turns[2], cue=Cue(1, 4))
    early, late = (spoken("user", "right", "backchannel", (1, word)) for word in (0, 7))
    row = arranged(dialogue(*turns, early, late), arranging(profile="duplexgen"))
    lag = round(draws_of(row)["backchannel_lag_s", 4] * RATE)
    assert speech_of(row, 4)[0] == speech_of(row, 1)[0] + WORD + lag
    left = row.turns[5]
    assert left.start_sample is None and left.take is not None and left.take.reason == "not_placed"
    assert row.timeline is not None
    assert [event.cause for event in row.timeline.events if event.kind == "overlap"][:1] == ["turn 1"]


def test_a_backchannel_moves_the_next_turn_of_its_speaker_and_not_over_it() -> None:
    turns = (*interrupted().turns, spoken("user", "oh i see", "backchannel", (1, 2)))
    row = arranged(dialogue(*turns), arranging(profile="salm"))
    beside, after = row.turns[4], row.turns[2]
    assert beside.audio is not None and beside.start_sample is not None
    assert after.start_sample == beside.start_sample + beside.audio.num_samples
    assert draws_of(row)["shift_s", 2] > 0


def test_pauses_are_put_behind_their_words_and_move_what_follows() -> None:
    label = (Label("pause", 0, 1), Label("self_correction", 1, 2), Label("pause", 2, 2))
    row = arranged(dialogue(spoken("user", ASKED, labels=label), spoken("agent", "bread")), arranging())
    assert row.timeline is not None
    first, second = [event for event in row.timeline.events if event.kind == "pause"]
    assert first.start_sample == EDGE + STEP + WORD
    lengths = [event.end_sample - event.start_sample for event in (first, second)]
    assert lengths[::-1] == [round(d.value * RATE) for d in row.timeline.draws if d.name == "pause_s"]
    take, audio = row.turns[0].take, row.turns[0].audio
    assert take is not None and take.word_times is not None and audio is not None
    assert take.word_times.words[3].start_sample == EDGE + 3 * STEP + sum(lengths)
    samples, _ = decode(audio)
    assert not samples[first.start_sample : first.end_sample].any()
    assert samples[take.word_times.words[3].start_sample] == pytest.approx(0.3, abs=1e-3)
    (corrected,) = [event for event in row.timeline.events if event.kind == "self_correction"]
    assert (corrected.start_sample, corrected.end_sample) == (EDGE + STEP, EDGE + 2 * STEP + WORD + lengths[0])


def test_an_agent_that_asks_a_silent_user_has_waited_for_them() -> None:
    turns = (spoken("user", ASKED), spoken("agent", ANSWERED), spoken("agent", "are you there"), spoken("user", "yes"))
    row = arranged(dialogue(*turns), arranging(silence="{fixed_s: 6}"))
    assert speech_of(row, 2)[0] - speech_of(row, 1)[1] == 6 * RATE
    assert draws_of(row)["silence_s", 2] == 6 and ("silence_s", 3) not in draws_of(row)


def test_a_user_can_keep_the_agent_waiting() -> None:
    context = arranging(silence_share=1, silence="{fixed_s: 6}")
    row = arranged(dialogue(spoken("user", ASKED), spoken("agent", ANSWERED), spoken("user", "thanks")), context)
    assert row.timeline is not None
    (silence,) = [event for event in row.timeline.events if event.kind == "silence"]
    assert (silence.channel, silence.turn, silence.end_sample - silence.start_sample) == ("user", 2, 6 * RATE)


def test_an_agent_asks_again_after_a_silence_of_the_user() -> None:
    turns = (spoken("user", ASKED), spoken("agent", ANSWERED), spoken("agent", "hello"), spoken("user", "yes"))
    row = arranged(dialogue(*turns), arranging(silence="{fixed_s: 4}"))
    assert speech_of(row, 2)[0] - speech_of(row, 1)[1] == 4 * RATE
    assert draws_of(row)["silence_s", 2] == 4 and ("gap_s", 2) not in draws_of(row)
    assert row.timeline is not None
    assert [(e.channel, e.turn) for e in row.timeline.events if e.kind == "silence"] == [("user", 2)]


def test_a_tail_is_silence_behind_the_last_word_and_changes_nothing_else() -> None:
    rows = [replace(interrupted(), dialogue_id=f"row-{number}") for number in range(30)]
    long = [arranged(row, arranging(tail="{histogram: {low_s: 0, width_s: 10, counts: [1]}}")) for row in rows]
    tails = [draws_of(row)["tail_s", None] for row in long]
    assert 0 <= min(tails) < 2 and 8 < max(tails) <= 10
    for row, tail, before in zip(long, tails, (arranged(row, arranging()) for row in rows), strict=True):
        assert row.timeline is not None and before.timeline is not None
        assert row.timeline.num_samples == before.timeline.num_samples + round(tail * RATE)
        assert (row.turns, row.timeline.events) == (before.turns, before.timeline.events)
        assert row.timeline.draws[:-1] == before.timeline.draws
    negative = arranged(interrupted(), arranging(tail="{fixed_s: -3}"))
    assert draws_of(negative)["tail_s", None] == 0


def test_a_long_pause_is_a_silence_of_its_own_speaker() -> None:
    row = dialogue(spoken("user", ASKED), spoken("agent", ANSWERED, labels=(Label("pause", 1, 1),)))
    found = arranged(row, arranging(pause="{fixed_s: 2}"))
    assert found.timeline is not None
    assert [(e.channel, e.turn) for e in found.timeline.events if e.kind == "silence"] == [("agent", 1)]


def test_a_missing_take_of_the_floor_leaves_the_row_and_one_beside_it_is_left_out() -> None:
    row = interrupted()
    faulty = replace(row, turns=(*row.turns[:3], replace(row.turns[3], take=None)))
    found = arranged(faulty, arranging())
    assert found.timeline is None and found.turns[1].text == ANSWERED
    assert found.turns[1].take is not None and found.turns[1].take.dry is not None
    beside = replace(spoken("user", "right", "backchannel", (1, 0)), take=None)
    found = arranged(dialogue(*row.turns, beside), arranging())
    assert found.timeline is not None and found.turns[4].start_sample is None


def test_a_further_pass_begins_again_from_the_dry_takes() -> None:
    context = arranging()
    late = spoken("user", "right", "backchannel", (1, 7))
    once = arranged(dialogue(*interrupted().turns, late), context)
    assert once.turns[4].reason == "not_placed" and once.turns[4].take is not None
    assert replace(arranged(once, context), provenance=once.provenance) == once
    marked = [
        replace(turn, take=replace(turn.take, watermark=Watermark("tone", None, 1.0)))
        if turn.take and turn.start_sample is not None
        else turn
        for turn in once.turns
    ]
    again = arranged(replace(once, turns=tuple(marked)), context)
    assert [turn.take and turn.take.watermark for turn in again.turns] == [None] * 5
    assert again.turns == once.turns


@pytest.mark.parametrize(
    ("turn", "detail"),
    [
        (spoken("user", "stop", cue=(7, 0)), "turn 2: its cue names turn 7, which is no turn that takes the floor"),
        (spoken("user", "stop", cue=(1, 9)), "turn 2: its cue names word 9 of turn 1, which has 9 words"),
        (spoken("user", "stop", cue=(0, 0)), "turn 2: it interrupts turn 0, which is not what the other speaker says"),
        (
            spoken("user", "stop", labels=(Label("pause", 0, 4),)),
            "turn 2: a pause of words 0 to 4, but it has 1 words",
        ),
    ],
)
def test_a_cue_that_names_nothing_is_a_reject(turn: Turn, detail: str) -> None:
    row = arranged(dialogue(spoken("user", ASKED), spoken("agent", ANSWERED), turn), arranging())
    assert (row.status, row.reason) == ("rejected", "no_timeline")
    assert row.detail is not None and row.detail.startswith(detail)


def test_takes_of_different_rates_are_a_reject() -> None:
    other = spoken("agent", ANSWERED)
    assert other.take is not None and other.take.audio is not None
    slow = replace(other, take=replace(other.take, audio=replace(other.take.audio, sample_rate=8000)))
    row = arranged(dialogue(spoken("user", ASKED), slow), arranging())
    assert row.detail == "takes of different sample rates: 8000, 16000 Hz; render gives them one"


Plan = tuple[Role, int, TurnKind, tuple[int, int] | None, bool, bool]
"""Role, number of words, kind, cue, whether there is a pause behind the first word, whether the words have times."""


@st.composite
def plans(draw: st.DrawFn) -> list[Plan]:
    """Turns that take the floor, some of which interrupt, and turns beside them."""
    found: list[Plan] = []
    host: int | None = None
    for place in range(draw(st.integers(1, 5))):
        length = draw(st.integers(1, 8))
        cue = (host, draw(st.integers(0, found[host][1] - 1))) if host is not None and draw(st.booleans()) else None
        host = len(found)
        found.append(("agent" if place % 2 else "user", length, "turn", cue, draw(st.booleans()), draw(st.booleans())))
        for _ in range(draw(st.integers(0, 2))):
            where = (host, draw(st.integers(0, length - 1))) if draw(st.booleans()) else None
            kind: TurnKind = draw(st.sampled_from(("backchannel", "aside", "background")))
            found.append((draw(st.sampled_from(("user", "agent"))), draw(st.integers(1, 3)), kind, where, False, True))
    return found


def planned(plan: Plan) -> Turn:
    role, length, kind, cue, pause, timed = plan
    text = " ".join(f"w{number}" for number in range(length))
    return spoken(role, text, kind, cue, (Label("pause", 0, 0),) if pause else (), timed)


CONTEXTS = {name: arranging(profile=name) for name in ("human", "salm", "duplexgen", "omniflatten", "turn_based")}


@settings(max_examples=60)
@given(plans(), st.sampled_from(sorted(CONTEXTS)))
def test_nobody_speaks_over_themselves_and_what_is_said_is_what_is_heard(turns: list[Plan], profile: str) -> None:
    row = dialogue(*map(planned, turns))
    found = arranged(row, CONTEXTS[profile])
    timeline = found.timeline
    assert timeline is not None
    for role in ("user", "agent"):
        clips = sorted(
            (turn.start_sample, turn.start_sample + turn.audio.num_samples)
            for turn in found.turns
            if turn.role == role and turn.start_sample is not None and turn.audio is not None
        )
        assert all(before[1] <= after[0] for before, after in pairwise(clips))
        assert all(0 <= start < end <= timeline.num_samples for start, end in clips)
    for turn, before in zip(found.turns, row.turns, strict=True):
        assert turn.whole_text == before.text
        assert (turn.reason == "not_placed") == (turn.start_sample is None)
        if turn.start_sample is not None and turn.take and turn.take.word_times and turn.audio:
            heard = [word.text for word in turn.take.word_times.words]
            assert heard == [word.text for word in words_of(turn.text or "", "en")]
            loud = np.flatnonzero(decode(turn.audio)[0])
            assert loud[0] == EDGE and turn.audio.num_samples - 1 - loud[-1] in (EDGE, EDGE + 1)
    keys = [(event.start_sample, event.channel, event.kind) for event in timeline.events]
    assert keys == sorted(keys)
    assert all(0 <= event.start_sample < event.end_sample <= timeline.num_samples for event in timeline.events)


def test_a_timeline_depends_on_its_row_alone() -> None:
    rows = [replace(interrupted(), dialogue_id=f"row-{number}") for number in range(4)]
    context = arranging(silence_share=0.5)
    audit_stage(ARRANGE, rows, context)
    assert len({draws_of(arranged(row, context))["gap_s", 1] for row in rows}) == 4
