"""Times of other words than ours, and borders that the sound tells better."""

import numpy as np
import pytest

from pipeline.engines.shared.word_times import bounded, fit_spans, word_times


@pytest.mark.parametrize(
    ("text", "language", "pieces", "spans"),
    [
        ("Well, it's 5.", "en", [("well", 0, 5), ("it", 5, 6), ("'s", 6, 8), ("5", 9, 11)], [(0, 5), (5, 8), (9, 11)]),
        ("A café—no", "en", [("a", 0, 1), ("cafe", 2, 3), ("no", 4, 5)], [(0, 1), (2, 5)]),
        ("你好，我。", "zh", [("你", 0, 1), ("好", 1, 2), ("我", 4, 5)], [(0, 1), (1, 2), (4, 5)]),
        # A piece that holds two words tells the times of neither.
        ("Come in now", "en", [("Comein", 0, 4), ("now", 4, 6)], [None, None, (4, 6)]),
        ("你好我", "zh", [("你好", 0, 2), ("我", 2, 3)], [None, None, (2, 3)]),
        # What was left out, or is another word, has none; the others keep theirs.
        ("two red cars", "en", [("two", 0, 2), ("cars", 5, 8)], [(0, 2), None, (5, 8)]),
        ("two red cars", "en", [("two", 0, 2), ("read", 2, 5), ("cars", 5, 8)], [(0, 2), (2, 5), (5, 8)]),
        ("two red cars", "en", [("two", 0, 2), ("blue", 2, 5), ("cars", 5, 8)], [(0, 2), None, (5, 8)]),
    ],
)
def test_pieces_give_their_times_to_the_words_of_which_they_are(text, language, pieces, spans):
    assert fit_spans(text, language, pieces) == spans


def test_words_end_where_the_next_begins_and_where_the_sound_does():
    samples = np.zeros(16_000, np.float32)
    samples[1_600:4_800] = samples[8_000:12_000] = 0.5
    found = bounded([(1_000, 5_000), (4_000, 8_000), None, (7_500, 16_000), (13_000, 14_000)], samples, 16_000)
    assert found == [(1_600, 4_000), (4_000, 4_800), None, (8_000, 12_000), (13_000, 14_000)]


def test_each_word_of_the_text_needs_a_span_or_none():
    times = word_times("test 1", "Yes, it is.", "en", [(0, 5), None, (7, 9)])
    assert [(w.text, w.start_sample, w.end_sample) for w in times.words] == [
        ("Yes,", 0, 5),
        ("it", None, None),
        ("is.", 7, 9),
    ]
    assert times.unit == "word" and not times.is_complete
    with pytest.raises(ValueError):
        word_times("test 1", "Yes, it is.", "en", [(0, 5)])
