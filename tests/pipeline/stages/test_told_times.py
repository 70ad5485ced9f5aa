"""render moves a synthesizer's word times with the clip: to its own rate, by what is trimmed and by what is padded."""

from dataclasses import replace

import numpy as np
import pytest

from manifests.audio import decode
from manifests.schema import Word, WordTimes
from parley.testing import make_context, make_dialogue, tone_recipe
from parley.testing.stages import make_take, take_of
from pipeline.audio.samples import encode
from pipeline.stages.contract import run_stage
from pipeline.stages.render import RENDER

RATE, DELIVERED = 24_000, 16_000


def rendered(times: WordTimes | None, edge_ms: int) -> tuple[np.ndarray, WordTimes | None]:
    """Half a second of silence, a burst, silence, a second burst, silence; the delivered samples and times."""
    burst = np.sin(2 * np.pi * 440 * np.arange(RATE // 4) / RATE)
    parts = [np.zeros(RATE // 2), burst, np.zeros(RATE // 4), burst, np.zeros(RATE)]
    clip = encode(np.concatenate(parts).astype(np.float32) * 0.5, RATE, "wav")
    dialogue = make_dialogue(spoken=True)
    first = replace(dialogue.turns[0], take=make_take(audio=clip, word_times=times))
    dialogue = replace(dialogue, turns=(first, dialogue.turns[1]))
    recipe = tone_recipe(f"render.sample_rate={DELIVERED}", f"render.edge_silence_ms={edge_ms}")
    (row,) = run_stage(RENDER, [dialogue], make_context(recipe))
    take = take_of(row.turns[0])
    assert take.audio is not None
    return decode(take.audio)[0], take.word_times


@pytest.mark.parametrize("edge_ms", [0, 150, 400])
def test_each_word_lies_on_its_sound(edge_ms: int) -> None:
    words = (Word("one", 12_000, 18_000), Word("unknown", None, None), Word("two", 24_000, 30_000))
    samples, times = rendered(WordTimes("test", "word", words), edge_ms)
    assert times is not None and times.words[1] == Word("unknown", None, None)
    loud = np.flatnonzero(np.abs(samples) > 0.1)
    gap = int(np.argmax(np.diff(loud)))
    one, _, two = times.words
    found = [one.start_sample, one.end_sample, two.start_sample, two.end_sample]
    heard = [int(loud[0]), int(loud[gap]), int(loud[gap + 1]), int(loud[-1])]
    assert np.abs(np.subtract(found, heard)).max() < DELIVERED // 200
    assert (one.start_sample or 0) == pytest.approx(edge_ms * 16, abs=80)


def test_times_outside_of_what_is_left_are_clipped_and_no_times_stay_none() -> None:
    whole = (Word("sigh", 0, 6_000), Word("one", 12_000, 60_000))
    samples, times = rendered(WordTimes("test", "word", whole, "by ear"), 0)
    assert times is not None and times.problem == "by ear"
    assert times.words[0] == Word("sigh", 0, 0) and times.words[1].end_sample == len(samples)
    assert rendered(None, 150)[1] is None
