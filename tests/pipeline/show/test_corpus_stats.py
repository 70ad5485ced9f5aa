"""What people read about a corpus, from numbers as `manifests.stats` gives them."""

from typing import Any

from pipeline.show.corpus_stats import format_stats

RATES = {"0.5": 0.0, "0.9": 0.025, "1.0": 1.0}
LOUDNESS = {"0.0": -30.0, "0.5": -23.0, "1.0": -20.125}


def numbers(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "recipe": "made",
        "rows": {"input": 1204, "kept": 1200, "rejected": 3, "failed": 1},
        "yield": 0.996678,
        "reasons": {"error_rate": 3, "no_voice": 1},
        "turns": {"kept": 2400, "rejected": 6, "failed": 2},
        "audio_h": {"kept": 12.345, "rejected": 0.0, "failed": 0.0},
        "languages": {},
        "voices": {"user": 20, "agent": 1},
        "error_rate": {
            "kept": {"en": {"wer": {"rows": 1100, "mean": 0.0123, "quantiles": RATES}}},
            "rejected": {"zh": {"cer": {"rows": 1, "mean": 1.0, "quantiles": RATES}}},
            "failed": {},
        },
        "attempts": {"kept": {"1": 2399, "2": 1}, "rejected": {"1": 5, "3": 1}, "failed": {}},
        "second_opinions": {"kept": {}, "rejected": {"en": {"recognizer_wrong": 1, "voice_wrong": 2000}}},
        "agreement": {"kept": {}, "rejected": {}},
        "quality": {
            "kept": {"en": {"loudness_lufs": {"turns": 2400, "mean": -22.5, "quantiles": LOUDNESS}}},
            "rejected": {},
        },
    }
    return found | changes


def test_everything():
    assert format_stats(numbers()) == (
        """\
recipe made: 1,204 rows, 99.7% kept

status     rows  turns  audio h
kept      1,200  2,400    12.35
rejected      3      6     0.00
failed        1      2     0.00

3  error_rate
1  no_voice

error rate of kept rows   rows   mean    50%    90%     100%
en wer                   1,100  1.23%  0.00%  2.50%  100.00%

error rate of rejected rows  rows     mean    50%    90%     100%
zh cer                          1  100.00%  0.00%  2.50%  100.00%

quality of kept turns  turns     mean       0%      50%     100%
en loudness_lufs       2,400  -22.500  -30.000  -23.000  -20.125

kept turns by takes: 1: 2,399, 2: 1
rejected turns by takes: 1: 5, 3: 1
failed turns by takes: none
second opinions on rejected en takes: recognizer wrong 1, voice wrong 2,000
voices of kept rows: 20 user, 1 agent"""
    )


def test_an_empty_corpus():
    nothing = {"rows": dict.fromkeys(("input", "kept", "rejected", "failed"), 0), "yield": None, "reasons": {}}
    text = format_stats(
        numbers(**nothing, error_rate={}, quality={"kept": {}}, attempts={}, second_opinions={}, agreement={})
    )
    assert text.startswith("recipe made: 0 rows, - kept\n\nstatus    rows  turns")
    assert "quality" not in text and "error rate" not in text and "\n\n\n" not in text
