"""Numbers about a corpus, against a corpus whose numbers are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from manifests.columns import AUDIO_BYTES, parquet_paths
from manifests.distributions import Values
from manifests.schema import Hearing
from manifests.stats import stats
from parley.testing.corpora import make_corpus, make_failed, make_kept, make_kept_take, make_rejected, make_rows
from pipeline.scoring.rates import score
from tests.spreading import backwards


def _retried(row, takes: int):
    take = replace(make_kept_take("user", "what"), reason="too_short")
    return replace(row, turns=(replace(row.turns[0], attempts=(take,) * takes), *row.turns[1:]))


@pytest.fixture
def numbers(tmp_path):
    rows = [replace(make_kept(i, num_samples=1600), wer=i / 10) for i in range(5)]
    rows += [
        replace(
            make_kept(5, num_samples=1600), language="zh", cer=0.02, wer=None, syllable_rate=0.01, user_voice="other"
        )
    ]
    rows += [_retried(make_rejected(6), 3), make_rejected(7), make_failed(8), make_failed(9)]
    return stats(make_corpus(tmp_path, rows, max_rows=2))


def test_golden(numbers):
    rates = numbers.pop("error_rate")
    assert numbers == {
        "recipe": "made",
        "rows": {"input": 10, "kept": 6, "rejected": 2, "failed": 2},
        "yield": 0.6,
        "reasons": {"error_rate": 2, "no_voice": 2},
        "turns": {"kept": 12, "rejected": 4, "failed": 2},
        "audio_h": {
            "kept": pytest.approx(12 * 0.1 / 3600),
            "rejected": pytest.approx(4 * 0.05 / 3600),
            "failed": 0.0,
        },
        "languages": {
            "en": {
                "kept": {"rows": 5, "audio_h": pytest.approx(1 / 3600)},
                "rejected": {"rows": 2, "audio_h": pytest.approx(0.2 / 3600)},
                "failed": {"rows": 0, "audio_h": 0.0},
            },
            "zh": {
                "kept": {"rows": 1, "audio_h": pytest.approx(0.2 / 3600)},
                "rejected": {"rows": 0, "audio_h": 0.0},
                "failed": {"rows": 2, "audio_h": 0.0},
            },
        },
        "voices": {"user": 2, "agent": 1},
        "attempts": {"kept": {"1": 12}, "rejected": {"1": 3, "3": 1}, "failed": {"0": 2}},
        "second_opinions": {"kept": {}, "rejected": {}, "failed": {}},
        "agreement": {"kept": {}, "rejected": {}, "failed": {}},
        "quality": {"kept": {}, "rejected": {}, "failed": {}},
    }
    quantiles = {"0.5": 0.2, "0.9": 0.36, "0.95": 0.38, "0.99": 0.396, "1.0": 0.4}
    assert rates["kept"]["en"] == {
        "wer": {"rows": 5, "mean": pytest.approx(0.2), "quantiles": pytest.approx(quantiles)}
    }
    assert rates["kept"]["zh"]["cer"]["quantiles"]["0.5"] == 0.02 and "wer" not in rates["kept"]["zh"]
    assert rates["kept"]["zh"]["syllable_rate"]["mean"] == 0.01 and "syllable_rate" not in rates["kept"]["en"]
    assert rates["rejected"]["en"]["wer"]["mean"] == 0.5 and rates["failed"] == {}


def _heard_twice(row, *seconds: str | None):
    """The row with one take of its first turn for each reason of a second recognizer."""
    first = Hearing("cheap", "what", None, "error_rate")
    attempts = tuple(
        replace(make_kept_take("user", "what"), number=n, hearings=(first, Hearing("dear", "", None, second)))
        for n, second in enumerate(seconds, 1)
    )
    return replace(row, turns=(replace(row.turns[0], attempts=attempts), *row.turns[1:]))


def test_second_opinions_are_counted_by_language_whoever_was_wrong(tmp_path):
    rows = [_heard_twice(make_kept(0), None), make_kept(1)]
    rows += [_heard_twice(replace(make_kept(2), language="zh"), "error_rate", None)]
    rows += [_heard_twice(make_rejected(n), "error_rate", "hallucination_loop", None) for n in (3, 4, 5)]
    numbers = stats(make_corpus(tmp_path, rows, max_rows=2))
    assert numbers["second_opinions"] == {
        "kept": {
            "en": {"recognizer_wrong": 1, "voice_wrong": 0},
            "zh": {"recognizer_wrong": 1, "voice_wrong": 1},
        },
        "rejected": {"en": {"recognizer_wrong": 3, "voice_wrong": 6}},
    }


def test_how_two_recognizers_agree(tmp_path):
    def heard(text: str | None, reason: str | None = None) -> Hearing:
        return Hearing("one", text, None if text is None else score("what a day", text, "en"), reason)

    pairs = [
        (heard("what a day"), heard("What a day.")),
        (heard("what day", "error_rate"), heard("What day?")),
        (heard("what a day"), heard("watt a day", "error_rate")),
        (heard("what a May", "error_rate"), heard(None, "recognition_failed")),
        (heard(None, "recognition_failed"), heard(None, "recognition_failed")),
    ]
    attempts = tuple(
        replace(make_kept_take("user", "what a day"), number=n, hearings=pair) for n, pair in enumerate(pairs, 1)
    )
    row = make_kept(0)
    row = replace(row, turns=(replace(row.turns[0], attempts=attempts), *row.turns[1:]))
    numbers = stats(make_corpus(tmp_path, [row]))
    assert numbers["agreement"]["kept"]["en"] == {
        "takes": 5,
        "same_words": 2,
        "both_good": 1,
        "first_good": 1,
        "second_good": 1,
        "none_good": 2,
    }
    assert numbers["second_opinions"]["kept"]["en"] == {"recognizer_wrong": 1, "voice_wrong": 2}


def test_ready_for_json(numbers):
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_an_empty_corpus(tmp_path):
    numbers = stats(make_corpus(tmp_path, []))
    assert numbers["yield"] is None and numbers["rows"] == {"input": 0, "kept": 0, "rejected": 0, "failed": 0}


def test_no_audio_is_touched(tmp_path, monkeypatch):
    asked = []

    def spy(names):
        paths = parquet_paths(names)
        asked.extend(paths)
        return paths

    monkeypatch.setattr("manifests.shards.parquet_paths", spy)
    stats(make_corpus(tmp_path, make_rows()))
    assert asked and not set(asked) & set(parquet_paths([AUDIO_BYTES, "turns.take.audio"]))


def test_shards_counted_elsewhere_in_another_order_give_the_same_numbers(tmp_path):
    rows = [replace(make_kept(i), wer=1 / (i + 3), user_voice=f"voice-{i % 3}") for i in range(9)]
    place = make_corpus(tmp_path, [*rows, _retried(make_rejected(9), 2)], max_rows=2)
    assert json.dumps(stats(place, backwards)) == json.dumps(stats(place))


@pytest.mark.parametrize("number", [1, 2, 7, 100])
def test_quantiles_of_counted_values_are_those_of_numpy(number):
    values = np.random.default_rng(number).integers(0, 20, number) / 19
    counted, more = Values(), Values()
    counted.add(values[: number // 2])
    more.add(values[number // 2 :])
    counted.merge(more)
    assert counted.number == number and counted.mean == pytest.approx(values.mean(), abs=1e-12)
    for q in (0.0, 0.5, 0.9, 0.95, 0.99, 1.0):
        assert counted.quantile(q) == pytest.approx(np.quantile(values, q), abs=1e-12)
