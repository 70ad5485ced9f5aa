"""One row shown: found whatever became of it, with every take, and told apart from one that is not there."""

import json
from dataclasses import replace

import pytest

from manifests.errors import UserError
from manifests.rows import find_row, format_row, row_json
from manifests.schema import AlignmentChunk, Hearing, Take
from parley.testing.corpora import (
    make_corpus,
    make_failed,
    make_kept,
    make_kept_take,
    make_rejected,
    make_rows,
    make_score,
    with_take,
    without_bytes,
)

ALIGNMENT = (AlignmentChunk("equal", "what is", "what is"), AlignmentChunk("substitute", "this", "that"))
SCORE = make_score(*ALIGNMENT)


def retaken():
    """A rejected row: the first turn failed, then was misheard by both recognizers; its second turn is fine."""
    row = make_rejected(1)
    lost = Take(1, "voice-user", 7, 0.9, reason="synthesis_failed")
    first = Hearing("cheap", None, None, "recognition_failed")
    second = Hearing("dear", "What is\nthat?", SCORE, "error_rate")
    last = replace(make_kept_take("user", "what is this"), number=2, hearing=second, hearings=(first, second))
    last = replace(last, reason="error_rate")
    turn = replace(row.turns[0], text="What is this?", take=last, attempts=(lost, without_bytes(last)))
    return replace(row, turns=(turn, row.turns[1]), detail="turn 0 (user): error rate 0.333")


def test_a_rejected_row_says_what_was_heard_in_each_take():
    assert format_row(retaken()).splitlines() == [
        "made-00000001: rejected, error_rate",
        "turn 0 (user): error rate 0.333",
        "made row 1, en, wer 50.0%",
        "",
        "turn 0, user: What is this?",
        "  take 1: synthesis_failed (voice voice-user, seed 7, rate 0.9, no audio)",
        "  take 2: error_rate (voice voice-user, seed 0, rate 1, 0.05 s)",
        "    cheap: recognition_failed",
        "    dear (decides): wer 33.3% (1/3 words), edge 0.0%, error_rate",
        "      transcript  What is that?",
        "      meant  what is this",
        "      heard  what is that",
        "                     S",
        "",
        "turn 1, agent: it is number 1",
        "  take 1: accepted (voice voice-agent, seed 3, rate 1, 0.05 s)",
        "    echo 1: wer 0.0% (0/4 words), edge 0.0%",
        "      transcript  it is number 1",
        "      meant  it is number 1",
        "      heard  it is number 1",
        "",
        "S: another word or character was heard, D: it was not heard, I: it was heard and never meant",
    ]


def test_a_take_that_was_not_judged_is_shown_too():
    row = make_kept(0)
    live = replace(row, status="live", turns=(replace(row.turns[0], attempts=()), row.turns[1]))
    assert format_row(live).count("  take 1: accepted") == 2


def test_a_take_that_got_its_reason_in_a_later_pass_is_shown_with_it():
    row = make_rejected(0)
    shown = format_row(replace(row, turns=(with_take(row.turns[0], reason="error_rate"), row.turns[1])))
    assert (shown.count("  take 1: error_rate"), shown.count("  take 1: accepted")) == (1, 1)


def test_a_row_that_was_never_spoken_shows_its_texts():
    assert format_row(make_failed(3)).splitlines() == [
        "made-00000003: failed, no_voice",
        "made row 3, zh",
        "",
        "turn 0, user: say 3",
    ]


def test_an_empty_reference_has_no_rate():
    row = make_kept(0)
    score = make_score(AlignmentChunk("insert", "", "oh no"))
    shown = format_row(replace(row, turns=(with_take(row.turns[0], hearing=Hearing("x", "Oh no", score)),)))
    assert "    x: no rate: normalization leaves nothing of the text; 2 words heard\n" in shown


def test_what_a_terminal_would_obey_is_not_printed():
    row = replace(make_rejected(0), detail="\x1b[2Jgone", reason="\x1b]0;x\x07")
    assert "\x1b" not in format_row(row) and "\x07" not in format_row(row)


@pytest.mark.parametrize(
    ("row_id", "status"), [("made-00000000", "kept"), ("made-00000005", "kept"), ("made-00000009", "failed")]
)
def test_a_row_is_found_whatever_became_of_it(tmp_path, row_id, status):
    rows = make_rows(6, 3, 2)
    found = find_row(make_corpus(tmp_path, rows, max_rows=2), row_id)
    (row,) = [row for row in rows if row.dialogue_id == row_id]
    assert (found.dialogue_id, found.status, found.detail) == (row_id, status, row.detail)
    assert all(turn.audio is None or turn.audio.bytes == b"" for turn in found.turns), "no audio is read"
    assert [turn.text for turn in found.turns] == [turn.text for turn in row.turns]


def test_an_unknown_row_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"^[^\n]*: no row has the id made-99999999$"):
        find_row(make_corpus(tmp_path, make_rows()), "made-99999999")


def test_json_is_the_row_without_bytes(tmp_path):
    data = json.loads(row_json(find_row(make_corpus(tmp_path, [retaken()]), "made-00000001")))
    take = data["turns"][0]["take"]
    assert (take["audio"]["bytes"], take["audio"]["num_samples"]) == (None, 800)
    assert take["hearing"]["score"]["alignment"][1] == {"kind": "substitute", "meant": "this", "heard": "that"}
    assert data["status"] == "rejected" and [a["number"] for a in data["turns"][0]["attempts"]] == [1, 2]
