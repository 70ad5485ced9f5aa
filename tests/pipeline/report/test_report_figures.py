"""The numbers of a report are those of the corpus's rows, counted by hand here."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from manifests.schema import Dialogue, Event, Timeline
from parley.testing import make_failed
from pipeline.report.errors import Errors
from pipeline.report.flow import Flow
from pipeline.report.limits import STEPS, Limits
from pipeline.report.rows import LEVELS, PEAKS, peaks, row_data
from pipeline.report.sample import Sample
from pipeline.report.sound import Sound
from pipeline.report.voices import VoiceCounts
from pipeline.stages.gate import GateSettings
from tests.pipeline.report.reported import row, rows


def kept_by(found: Any, metric: str, limit: float) -> int:
    steps = found["metrics"].get(metric, {"steps": []})["steps"]
    return sum(rows for step, rows, *_ in steps if step <= round(limit * STEPS))


def limits_of(dialogues: list[Dialogue], **settings: Any) -> Any:
    limits = Limits(GateSettings(**settings))
    for dialogue in dialogues:
        limits.add(dialogue, limits.rate(dialogue))
    return limits.figures()


def test_the_flow_has_every_row_with_its_stage_and_reason() -> None:
    flow = Flow(["rewrite", "screen", "cast", "synthesize", "gate"])
    for dialogue in [*rows(), replace(make_failed(20), provenance=(), status="rejected", reason="empty_row")]:
        flow.add(dialogue)
    found = flow.figures()
    assert (found["input"], found["kept"]) == (12, 5)
    assert [stage["stage"] for stage in found["stages"]] == ["ingest", "cast", "gate"]
    assert [(r["reason"], r["rows"]) for r in found["stages"][2]["reasons"]] == [
        ("error_rate", 4),
        ("hallucination_loop", 1),
    ]
    assert found["input"] == found["kept"] + sum(r["rows"] for s in found["stages"] for r in s["reasons"])
    assert all(r["meaning"] for s in found["stages"] for r in s["reasons"])


def test_errors_before_and_after_the_gate() -> None:
    errors = Errors()
    for dialogue in [row(0), row(2, user=(6, 1)), row(5, user=(5,), status="rejected", reason="error_rate")]:
        errors.add(dialogue)
    found = errors.figures()
    (language,) = found["language"]
    # Three dialogues of 40 words: first takes have 0, 6 and 5 errors, the two that are kept end with 0 and 1.
    assert (language["before"]["turns"], language["before"]["rate"]) == (6, pytest.approx(11 / 120))
    assert (language["after"]["turns"], language["after"]["rate"]) == (4, pytest.approx(1 / 80))
    first, second = found["attempt"]
    assert (first["attempt"], first["before"]["turns"], first["after"]["turns"]) == (1, 6, 3)
    assert (second["attempt"], second["before"]["turns"], second["before"]["rate"]) == (2, 1, pytest.approx(1 / 20))
    assert [one["class"] for one in found["length"]] == ["11–20"]
    voices = {one["voice"]: one["before"]["rate"] for one in errors.voices()}
    assert voices["en-user-2"] == pytest.approx(6 / 20) and voices["en-agent-0"] == pytest.approx(0)


def test_turns_that_are_heard_over_another_have_a_rate_of_their_own() -> None:
    """Two rows of 20 words a turn: in one the agent begins before the user ends, in the other it waits."""

    def placed(number: int, agent_start: int, errors: tuple[int, ...], **changes: Any) -> Dialogue:
        found = row(number, user=errors, **changes)
        turns = tuple(replace(t, start_sample=s) for t, s in zip(found.turns, (0, agent_start), strict=True))
        events = [Event("turn", "user", 0, 1000, 0), Event("turn", "agent", agent_start, agent_start + 1000, 1)]
        if agent_start < 1000:
            events.append(Event("overlap", "agent", agent_start, 1000, 1, "turn 0"))
        return replace(found, turns=turns, timeline=Timeline("test", 16_000, 3000, tuple(events)))

    errors = Errors()
    errors.add(placed(0, 900, (6, 2)))
    errors.add(placed(1, 1000, (1,)))
    errors.add(placed(2, 900, (5,), status="rejected", reason="error_rate"))
    errors.add(row(3))
    alone, over = errors.figures()["overlap"]
    assert (alone["class"], over["class"]) == ("alone", "over another")
    assert (over["before"]["turns"], over["before"]["rate"]) == (4, pytest.approx(11 / 80))
    assert (over["after"]["turns"], over["after"]["rate"]) == (2, pytest.approx(2 / 40))
    assert (alone["before"]["turns"], alone["after"]["rate"]) == (2, pytest.approx(1 / 40))


def test_a_take_without_a_score_is_counted_as_unheard() -> None:
    errors = Errors()
    silent = row(0)
    turn = replace(silent.turns[0], take=replace(silent.turns[0].take, hearing=None), attempts=())  # type: ignore[type-var]
    errors.add(replace(silent, turns=(turn, silent.turns[1])))
    assert errors.figures()["unheard"] == 1


def test_the_recipes_own_limit_keeps_what_was_kept() -> None:
    found = limits_of(rows(), cer_limit=0.05, wer_limit=0.10)
    assert kept_by(found, "wer", 0.10) == sum(d.status == "kept" and d.wer is not None for d in rows())
    assert kept_by(found, "cer", 0.05) == sum(d.status == "kept" and d.cer is not None for d in rows())


def test_another_limit_keeps_others() -> None:
    found = limits_of(rows())
    assert [kept_by(found, "wer", limit) for limit in (0, 0.0249, 0.025, 0.0999, 0.10, 0.125, 0.299, 0.3, 1)] == [
        1, 1, 2, 3, 4, 5, 5, 6, 6,
    ]  # fmt: skip
    assert kept_by(found, "cer", 0.075) == 2
    assert found["out_of_reach"] == 3, "a loop, a reason of a stranger, and a row that was never spoken"


def test_limits_beside_the_error_rate_stay() -> None:
    worst = row(6, user=(12,), status="rejected", reason="error_rate")  # 60 % in one turn, 30 % in all
    assert kept_by(limits_of([worst]), "wer", 0.3) == 1
    assert kept_by(limits_of([worst], worst_turn_limit=0.5), "wer", 1) == 0


def test_borderline_rows_are_within_two_points() -> None:
    limits = Limits(GateSettings())
    assert [limits.is_borderline(row(0, user=(n,)), n / 40) for n in range(7)] == [False] * 4 + [True] + [False] * 2
    assert not Limits(None).is_borderline(row(0, user=(4,)), 0.1)


def test_a_sample_has_what_is_rare() -> None:
    dialogues = [row(n, reason=None) for n in range(300)]
    dialogues += [replace(make_failed(1000 + n)) for n in range(60)]
    dialogues += [row(2000, user=(1,), status="rejected", reason="hallucination_loop")]

    def chosen(count: int) -> list[tuple[str, int]]:
        sample = Sample(count)
        for number, dialogue in enumerate(dialogues):
            sample.offer(dialogue, (dialogue.status, number), borderline=number in range(0, 300, 30))  # type: ignore[arg-type]
        return list(sample.chosen())

    found = chosen(40)
    assert found == chosen(40) and len(found) == len(set(found)) == 40
    kinds = [dialogues[n].reason for _, n in found]
    assert "hallucination_loop" in kinds and kinds.count("no_voice") >= 5
    assert sum(n in range(0, 300, 30) for _, n in found) >= 9, "borderline"
    assert len(chosen(1000)) == len(dialogues), "a small corpus is shown whole"
    assert [status for status, _ in found] == sorted((s for s, _ in found), key=["kept", "rejected", "failed"].index)


def test_rates_of_speech_and_quality_are_those_of_kept_turns() -> None:
    sound = Sound()
    for dialogue in rows():
        sound.add(dialogue)
    found = {one["measure"]: one["languages"] for one in sound.figures()}
    assert found["words_per_s"]["en"]["mean"] == pytest.approx(10) and found["words_per_s"]["en"]["turns"] == 8
    assert "zh" not in found["words_per_s"] and found["characters_per_s"]["zh"]["mean"] == pytest.approx(10)
    assert found["dnsmos_ovrl"]["en"]["mean"] == pytest.approx(3.1) and "utmos" not in found
    assert all(sum(one["counts"]) == one["turns"] for languages in found.values() for one in languages.values())


def test_voices_by_gender_where_a_bank_tells() -> None:
    voices, errors = VoiceCounts(), Errors()
    for dialogue in rows():
        voices.add(dialogue)
        errors.add(dialogue)
    known = voices.figures({"en-user-0": "female"}, errors.voices())
    groups = {(g["language"], g["role"], g["gender"]): g["voices"] for g in known["groups"]}
    assert groups["en", "user", "female"] == 1 and groups["en", "user", ""] == 3
    assert known["voices"][0]["before"]["rate"] >= known["voices"][-1]["before"]["rate"]
    assert not voices.figures(None, errors.voices())["genders_known"]


def test_peaks_are_those_of_the_clip() -> None:
    samples = np.zeros(16_000, dtype=np.float32)
    samples[8000] = -0.5
    found = peaks(samples)
    assert len(found) == PEAKS and found.count(LEVELS[-1]) == 1 and found.index(LEVELS[-1]) == PEAKS // 2
    assert peaks(samples[:0]) == "" and len(peaks(samples[:7])) == 7 and peaks(samples[:50]).strip("A") == ""
    assert "<" not in LEVELS and len(set(LEVELS)) == 64


def test_a_row_shows_all_takes_and_only_the_last_counts() -> None:
    found = row_data(row(2, user=(6, 1)), 0.025, False)
    first, last = found["t"][0]["k"]
    assert ("f" not in first, first["r"], last["f"]) == (True, "error_rate", True) and "r" not in last
    assert last["h"][0]["e"]["a"][0][0] == "s" and last["h"][0]["e"]["a"][1][0] == "e"
    assert len(last["h"][0]["e"]["a"][1]) == 2, "what was heard as meant is not written twice"


def test_a_row_without_turns_and_one_without_a_sample_rate() -> None:
    """Input that cannot be read has no turns; a stranger's clip may claim any rate."""
    bare = replace(row(0), turns=(), status="rejected", reason="unreadable_row")
    silent = row(1)
    turns = tuple(
        replace(t, take=replace(t.take, audio=replace(t.take.audio, sample_rate=0)))  # type: ignore[type-var, union-attr]
        for t in silent.turns
    )
    for dialogue in (bare, replace(silent, turns=turns)):
        limits = Limits(None)
        limits.add(dialogue, limits.rate(dialogue))
        for part in (Flow(), Errors(), Sound(), VoiceCounts()):
            part.add(dialogue)
        assert row_data(dialogue, None, False)["t"] == [] or dialogue.turns


def test_no_private_path_of_a_detail_reaches_the_page() -> None:
    found = row_data(replace(row(0), detail="cannot read /home/somebody/secret.wav"), None, False)
    assert found["d"] == "cannot read secret.wav"
