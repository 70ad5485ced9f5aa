"""Where the time of the workers goes: it is counted, added up, and said in words."""

import pytest

from pipeline.job.profile import PoolState, PoolTime, Stopwatch, added, advice, lines
from tests.tables import each_row


def test_time_is_that_of_the_state_before_it():
    moments = iter([10.0, 12.0, 13.0, 20.0])
    stopwatch = Stopwatch(clock=lambda: next(moments))
    stopwatch.look([PoolState("speech", 2, busy=0, free=0, opening=2, is_held=False)])
    stopwatch.look([PoolState("speech", 2, busy=1, free=1, opening=0, is_held=False)])
    stopwatch.look([PoolState("speech", 2, busy=1, free=1, opening=0, is_held=True)])
    stopwatch.look([])
    spent = stopwatch.times["speech"]
    assert spent == PoolTime(2, busy_s=8.0, starved_s=1.0, held_s=7.0, opening_s=4.0, wall_s=10.0)
    assert spent.slots == 2
    assert spent.whole_s == 2 * (20.0 - 10.0)


def test_passes_are_added_up():
    one, two = {"a": PoolTime(2, 1.0, 2.0)}, {"b": PoolTime(1, 5.0), "a": PoolTime(3, 1.0, 0.0, 4.0)}
    assert added([one, two]) == {"a": PoolTime(3, 2.0, 2.0, 4.0), "b": PoolTime(1, 5.0)}


def test_what_the_pools_did_is_counted():
    stopwatch = Stopwatch(clock=iter([0.0, 10.0]).__next__)
    stopwatch.look([PoolState("text", 1, 1, 0, 0, False), PoolState("speech", 2, 2, 0, 0, False)])
    stopwatch.look([])
    stopwatch.count("text", 40, 0.0)
    for _ in range(2):
        stopwatch.count("speech", 4, 25.0)
    text, speech = stopwatch.times["text"], stopwatch.times["speech"]
    assert (text.row_s, text.speed, speech.row_s, speech.speed) == (0.25, 0.0, 2.5, 2.5)
    assert [line.partition("; ")[2] for line in lines(stopwatch.times)] == [
        "40 rows, 4 a second of work",
        "50 s of audio, 2.5 a second of work",
    ]


def test_a_line_for_each_pool_that_did_something():
    times = {"speech": PoolTime(1, 9.0, 1.0), "proof": PoolTime(2, 1.0, 3.0), "text": PoolTime(1)}
    assert lines(times) == [
        "speech: 1 worker, busy 90%, without input 10%, held back 0%, loading 0%",
        "proof: 2 workers, busy 25%, without input 75%, held back 0%, loading 0%",
    ]


@each_row(
    ("busy", "said"),
    [
        pytest.param([0.95, 0.2], "b waits for a: give pools.a more workers, or its engines larger batches", id="two"),
        pytest.param([0.1, 0.9, 0.3], "a and c wait for b: give pools.b more workers, or its engines larger batches",
                     id="several"),
        pytest.param([0.9, 0.9], None, id="balanced"),
        pytest.param([0.3, 0.2], None, id="nobody works: the job was short"),
        pytest.param([0.95], None, id="one pool waits for nobody"),
    ],
)  # fmt: skip
def test_advice_names_the_pool_that_the_others_wait_for(busy, said):
    times = {name: PoolTime(1, share, 1 - share) for name, share in zip("abc", busy, strict=False)}
    assert advice(times) == said
