"""Spirit LM's streams: the golden string, the order at the same time, and spans that cover the words."""

import itertools

import numpy as np
import pytest

from manifests.forms.spirit_lm import Kind, drawn_spans, interleaved, parts_of, stream_text, streams_of
from manifests.forms.units import merged

STREAMS = {"hubert": (28, 28, 22, 22, 15, 15, 78, 78), "pitch": (0, 14, 14, 32), "style": (10,)}


def test_the_golden_string_and_back() -> None:
    text = stream_text(STREAMS)
    assert text == "[St10][Pi0][Hu28][Pi14][Hu22][Hu15][Pi32][Hu78]"
    assert streams_of(text) == {"style": (10,), "pitch": (0, 14, 32), "hubert": (28, 22, 15, 78)}


def test_style_is_not_merged_and_stands_first() -> None:
    text = stream_text({"hubert": (1,) * 50, "style": (7, 7)}, {"hubert": 25.0, "pitch": 12.5, "style": 1.0})
    assert text == "[St7][Hu1][St7]"
    even = {"hubert": 25.0, "pitch": 12.5, "style": 1.0}
    assert stream_text({"hubert": range(4), "pitch": (5, 6)}, even) == "[Pi5][Hu0][Hu1][Pi6][Hu2][Hu3]"
    assert stream_text({"hubert": (3, 3, 7)}) == "[Hu3][Hu7]"


def test_units_fall_behind_the_pitch_as_in_the_released_code() -> None:
    """Unit 2499 stands at 100 s, as pitch 1250 does: at 25 units a second it would stand before it."""
    tail = stream_text({"hubert": [unit % 2 for unit in range(2500)], "pitch": [unit % 2 for unit in range(1251)]})
    assert tail.endswith("[Pi0][Hu1]")


def test_streams_come_back_without_repeats() -> None:
    draw = np.random.Generator(np.random.PCG64(1))
    streams = {
        "hubert": tuple(draw.integers(0, 4, 100).tolist()),
        "pitch": tuple(draw.integers(0, 3, 50).tolist()),
        "style": (3, 3, 5, 3),
    }
    back = streams_of(stream_text(streams))
    assert back["style"] == streams["style"]
    assert all(back[name] == merged(streams[name])[0] for name in ("hubert", "pitch"))
    with pytest.raises(ValueError):
        streams_of("[Hu3] [Hu4]")


def test_spans_cover_the_words_and_take_turns() -> None:
    sizes: dict[Kind, tuple[int, int]] = {"text": (2, 4), "speech": (1, 3)}
    begun = set()
    for seed in range(20):
        spans = drawn_spans(17, sizes, np.random.Generator(np.random.PCG64(seed)))
        assert [span.first for span in spans] == [0, *(span.end for span in spans[:-1])] and spans[-1].end == 17
        assert all(one.kind != other.kind for one, other in itertools.pairwise(spans))
        assert all(sizes[span.kind][0] <= span.end - span.first <= sizes[span.kind][1] for span in spans[:-1])
        begun.add(spans[0].kind)
    assert begun == {"text", "speech"}
    assert drawn_spans(0, sizes, np.random.Generator(np.random.PCG64(0))) == ()


def test_spans_behind_their_marks_and_back() -> None:
    parts: list[tuple[Kind, str]] = [("text", "the cat"), ("speech", "[Hu3][Hu7][Hu200]"), ("text", "the mat")]
    text = interleaved(parts)
    assert text == "[TEXT]the cat [SPEECH][Hu3][Hu7][Hu200][TEXT]the mat"
    assert parts_of(text) == parts
    tight = interleaved(parts, "released", is_spaced=False)
    assert tight == "[Text]the cat[Speech][Hu3][Hu7][Hu200][Text]the mat"
    assert parts_of(tight, "released", is_spaced=False) == parts
    with pytest.raises(ValueError, match="no mark"):
        parts_of("the cat")
