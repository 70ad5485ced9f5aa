"""The NeMo exporter: every way in which its data set loses text or sound and says nothing is refused or mended."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UserError
from manifests.export.contract import Export
from manifests.schema import Dialogue
from parley.testing.corpora import with_take
from parley.testing.duplex import make_duplex
from parley.testing.exports import export_rows
from tests.shar import cuts_of, facts, pairs
from tests.tracks import changed, check_tracks, clip, file_samples, spoken

FRAME = 0.08
COUNT = {"tokenizer": "characters", "characters_per_token": 4.0}


def exported(directory: Path, *rows: Dialogue, **settings: Any) -> tuple[Export, Path]:
    result, out = export_rows("nemo-duplex", rows, directory, **(COUNT | settings))
    return result, out / "train"


def refused(directory: Path, row: Dialogue, **settings: Any) -> list[str]:
    """The reasons for which this row is refused, beside one that is not."""
    result, out = exported(directory, spoken(9), row, **settings)
    assert result.written == 2 - sum(result.refused.values()) and len(cuts_of(out / "cuts.000000.jsonl.gz")) < 3
    return list(result.refused)


def frames(seconds: float, rate: int = 16_000) -> int:
    """Frames of 80 ms as Lhotse counts them."""
    hop = round(FRAME * rate)
    return (round(seconds * rate) + hop // 2) // hop


@pytest.mark.parametrize("gap_ms", [0, 640])
def test_tracks_have_the_rates_that_are_configured_and_end_in_silence(tmp_path: Path, gap_ms: int) -> None:
    rows = [spoken(0), spoken(1, "zh")]
    result, out = exported(tmp_path, *rows, gap_ms=gap_ms)
    assert (result.written, dict(result.refused)) == (2, {})
    cuts = cuts_of(out / "cuts.000000.jsonl.gz")
    fields = [pairs(out / f"{name}.000000.tar") for name in ("recording", "target_audio")]
    for row, cut, (_, user_file, _), (_, agent_file, _) in zip(rows, cuts, *fields, strict=True):
        (user, user_rate), (agent, agent_rate) = file_samples(user_file), file_samples(agent_file)
        assert (user_rate, agent_rate) == (16_000, 22_050)
        assert (
            len(user) / 16_000 == len(agent) / 22_050 == cut["duration"] == cut["custom"]["target_audio"]["duration"]
        )
        assert len(user) % 1280 == 0 == len(agent) % 1764, "whole frames"
        last = max(each["start"] + each["duration"] for each in cut["supervisions"])
        assert frames(last) < frames(cut["duration"]), "the last end mark has a frame"
        assert cut["duration"] - last >= FRAME - 1e-9
        assert {each["speaker"] for each in cut["supervisions"]} == {"user", "agent"}
        for number in (1, 3):  # the agent's turns, at the agent's rate
            start = round(cut["supervisions"][number]["start"] * 22_050)
            expected = clip(row, number, 22_050)
            assert abs(agent[start : start + len(expected)] - expected).max() <= 0.5 / 32768
        for each in (each for each in facts(cut, 16_000) if each["role"] == "user"):
            user[each["start_sample"] : each["start_sample"] + each["num_samples"]] = 0
        assert not user.any()


def test_at_one_rate_both_tracks_are_the_corpus(tmp_path: Path) -> None:
    _, out = exported(tmp_path, spoken(0), agent_rate=16_000)
    (cut,) = cuts_of(out / "cuts.000000.jsonl.gz")
    (_, user, _), (_, agent, _) = (pairs(out / f"{name}.000000.tar")[0] for name in ("recording", "target_audio"))
    tracks = {"user": file_samples(user)[0], "agent": file_samples(agent)[0]}
    check_tracks(spoken(0), facts(cut, 16_000), tracks, 16_000)


def test_text_that_does_not_fit_into_the_frames_is_refused(tmp_path: Path) -> None:
    # A clip of about a second has 12 or 13 frames; 49 characters are 13 tokens, with the mark 14.
    reason = "a turn has more text tokens than frames"
    assert refused(tmp_path / "agent", changed(spoken(0), 1, lambda turn: replace(turn, text="x" * 49))) == [reason]
    assert refused(tmp_path / "user", changed(spoken(0), 2, lambda turn: replace(turn, text="x" * 60))) == [reason]
    assert refused(tmp_path / "fits", changed(spoken(0), 1, lambda turn: replace(turn, text="x" * 40))) == []


def test_the_count_of_tokens_is_exact_at_the_border(tmp_path: Path) -> None:
    """A start mark and n tokens fit if the end mark is n + 1 frames behind the start."""
    _, out = exported(tmp_path / "first", spoken(0))
    turn = cuts_of(out / "cuts.000000.jsonl.gz")[0]["supervisions"][1]
    room = frames(turn["start"] + turn["duration"]) - frames(turn["start"]) - 1
    one = {"characters_per_token": 1.0}
    short = spoken(0)
    for number in range(4):
        short = changed(short, number, lambda each: replace(each, text="a"))
    result, _ = exported(tmp_path / "fits", changed(short, 1, lambda each: replace(each, text="a" * room)), **one)
    assert result.written == 1
    result, _ = exported(
        tmp_path / "over", short, changed(short, 1, lambda each: replace(each, text="a" * (room + 1))), **one
    )
    assert dict(result.refused) == {"a turn has more text tokens than frames": 1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda turn: replace(turn, text=None), "a turn has no text"),
        (lambda turn: replace(turn, text="  "), "a turn has no text"),
        (lambda turn: replace(turn, text="wait <|12|> here"), "a text holds what NeMo takes for a time mark"),
        (lambda turn: with_take(turn, audio=None), "a turn has no audio"),
    ],
)
def test_what_the_data_set_would_spoil_is_refused(tmp_path: Path, change: Any, reason: str) -> None:
    assert refused(tmp_path, changed(spoken(0), 1, change)) == [reason]


def test_a_dialogue_without_the_agent_has_nothing_to_learn(tmp_path: Path) -> None:
    alone = replace(spoken(0), turns=spoken(0).turns[:1])
    assert refused(tmp_path, alone) == ["it has no turn of the agent"]


def test_two_turns_of_the_agent_must_not_meet_in_a_frame(tmp_path: Path) -> None:
    twice = changed(spoken(0), 2, lambda turn: replace(turn, role="agent"))
    assert refused(tmp_path / "met", twice, gap_ms=0) == ["two turns of one speaker meet in a frame"]
    assert refused(tmp_path / "apart", twice, gap_ms=160) == []


def test_a_tokenizer_must_be_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs the setting tokenizer"):
        export_rows("nemo-duplex", [spoken(0)], tmp_path)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UserError, match="there is no directory"):
        exported(tmp_path / "other", spoken(0), tokenizer=str(tmp_path / "absent"))


@pytest.mark.slow  # imports transformers
def test_a_directory_that_holds_no_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="tokenizer: cannot load"):
        exported(tmp_path / "third", spoken(0), tokenizer=str(tmp_path / "empty"))


def test_a_guess_is_said(tmp_path: Path) -> None:
    result, _ = exported(tmp_path, spoken(0))
    assert list(result.notes) == [
        "text tokens were not counted with the model's tokenizer: 4 characters were taken for one"
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"agent_rate": 22_051}, "a frame of 80 ms is no whole number of samples at 22051 Hz"),
        ({"user_rate": 0}, "no whole number of samples at 0 Hz"),
        ({"characters_per_token": 0.0}, "characters_per_token must be above 0"),
        ({"frame_ms": 0}, "frame_ms must be"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        exported(tmp_path, spoken(0), **settings)


def test_a_mixed_dialogue_is_written_whole_with_what_was_placed(tmp_path: Path) -> None:
    """A track that ends a second after the last turn ends so here too, and what was left out has no supervision."""
    talk = make_duplex(
        0,
        ("user", "hello", 0.0, 0.8),
        ("agent", "hm", 0.4, 0.3, "backchannel"),
        ("agent", "yes", 0.9, 0.7),
        seconds=2.6,
    )
    left_out = replace(talk.turns[1], start_sample=None, take=None, text=None)
    for number, row in enumerate((talk, replace(talk, turns=(talk.turns[0], left_out, talk.turns[2])))):
        result, out = exported(tmp_path / str(number), row)
        assert (result.written, dict(result.refused)) == (1, {})
        [cut] = cuts_of(out / "cuts.000000.jsonl.gz")
        texts = ["hello", "hm", "yes"] if number == 0 else ["hello", "yes"]
        assert [each["text"] for each in cut["supervisions"]] == texts
        assert cut["duration"] == pytest.approx(33 * FRAME), "2.6 s, up to a whole frame"
