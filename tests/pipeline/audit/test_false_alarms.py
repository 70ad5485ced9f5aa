"""False alarms: what some recordings show of a rate of 1e-4, with intervals worked out by hand."""

import pytest

from pipeline.audit.detect import MarkScore
from pipeline.audit.false_alarms import clips_needed, count_false_alarms, own_message
from pipeline.audit.rates import rate
from pipeline.engines.contract import Clip
from tests.pipeline.audit.audited import tones
from tests.tables import each_row

CLIP = tones(0.01)


class Scores:
    """Gives these results, one for each clip, in order; `portions` are the sizes of the batches."""

    def __init__(self, *found: MarkScore) -> None:
        self._found, self.portions = list(found), list[int]()

    def __call__(self, clips: object) -> list[MarkScore]:
        count = len(clips)  # type: ignore[arg-type]
        self.portions.append(count)
        found, self._found = self._found[:count], self._found[count:]
        return found


def counted(*found: MarkScore, own: object = None, marked: tuple[float, ...] = (0.9,), target: float = 1e-4):
    recordings = (Clip(CLIP.samples, CLIP.sample_rate) for _ in found)
    return count_false_alarms(recordings, Scores(*found), 0.5, own, marked, target)  # type: ignore[arg-type]


def quiet(count: int) -> list[MarkScore]:
    return [MarkScore(i / count / 10) for i in range(count)]


@each_row(("target", "needed"), [(1e-4, 36_887), (1e-2, 368), (0.5, 6)])
def test_as_many_quiet_recordings_show_the_rate_and_one_fewer_does_not(target: float, needed: int) -> None:
    """The upper end for 0 of n is 1 - 0.025 ** (1 / n)."""
    assert clips_needed(target) == needed
    assert rate(0, needed).high <= target < rate(0, needed - 1).high
    if needed < 1000:
        assert counted(*quiet(needed), target=target).shown
        assert not counted(*quiet(needed - 1), target=target).shown


def test_each_recording_at_the_threshold_is_a_false_alarm() -> None:
    found = counted(MarkScore(0.5), MarkScore(0.49), *quiet(98))
    assert (found.recordings, found.at_recipe.hits, found.at_recipe.total, found.shown) == (100, 1, 100, False)
    assert (found.at_recipe.low, found.at_recipe.high) == pytest.approx((0.00025, 0.0545), abs=1e-4)
    assert (found.threshold_at_target, found.marked_at_target) == (None, None), "100 recordings say nothing of it"


def test_the_threshold_at_the_target_needs_as_many_recordings_as_it_is_small() -> None:
    found = counted(MarkScore(0.7), *quiet(99), target=0.01, marked=(0.6, 0.05))
    assert found.threshold_at_target == pytest.approx(98 / 990)
    assert found.marked_at_target and (found.marked_at_target.hits, found.marked_at_target.total) == (1, 2)
    assert counted(MarkScore(0.7), *quiet(98), target=0.01).threshold_at_target is None


def test_what_the_detector_failed_on_is_no_evidence() -> None:
    found = counted(*quiet(5), *[MarkScore(0.0, failed=True)] * 3)
    assert (found.recordings, found.unmeasured, found.at_recipe.total) == (8, 3, 5)
    nothing = counted(*[MarkScore(0.0, failed=True)] * 3)
    assert (nothing.at_recipe.total, nothing.at_recipe.high, nothing.shown) == (0, 1.0, False)


def test_the_corpus_s_own_message_is_counted_apart() -> None:
    own = own_message(0xA3F1, 16, 2)
    marks = [MarkScore(0.9, "a3f1"), MarkScore(0.9, "a3f2"), MarkScore(0.9, "5c0e"), MarkScore(0.4, "a3f1")]
    found = counted(*marks, own=own)
    assert found.at_recipe.hits == 3
    assert found.with_message and (found.with_message.hits, found.with_message.total) == (2, 4)
    assert own_message(0, 0, 2) is None


def test_recordings_come_in_batches() -> None:
    scores = Scores(*quiet(70))
    count_false_alarms((CLIP for _ in range(70)), scores, 0.5, None, ())
    assert scores.portions == [32, 32, 6]
