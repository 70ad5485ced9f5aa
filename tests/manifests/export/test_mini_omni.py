"""The Mini-Omni exporters: rows of ids of the five tasks, interruption states, and what they refuse."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import UserError
from manifests.forms.mini_omni import TASKS, answer_of, prompt_of
from manifests.forms.snac import books_of, snac_books
from manifests.schema import Dialogue
from parley.testing.corpora import with_take
from parley.testing.duplex import make_duplex, make_tokens
from parley.testing.exports import export_rows
from parley.testing.talks import make_talk
from tests.text_tokenizer import make_text_tokenizer

BOOKS = ((11, 12), (21, 22, 23, 24), (31, 32, 33, 34, 35, 36, 37, 38))
SNAC = {"hop_length": 2048, "sample_rate": 24_000}


def with_snac(dialogue: Dialogue, *books: tuple[int, ...]) -> Dialogue:
    made = make_tokens("snac-24khz", *(books or BOOKS), **SNAC)
    return replace(dialogue, turns=tuple(with_take(turn, tokens=(made,)) for turn in dialogue.turns))


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_text_tokenizer(tmp_path_factory.mktemp("tokenizers") / "bytes"))


def test_each_exchange_has_a_row_of_each_task(tmp_path: Path, tokenizer: str) -> None:
    talk = with_snac(make_talk(0, "rye", "yes", "ok", "so", seconds=0.1))
    result, out = export_rows("mini-omni", [talk], tmp_path, text_tokenizer=tokenizer)
    rows = lines(out / "train.jsonl")
    assert result.written == 1 and [(row["round"], row["task"]) for row in rows] == [
        (number, task) for number in (1, 2) for task in TASKS
    ]
    for row in rows:
        task, asked, count = prompt_of(row["prompt"])
        said, frames = answer_of(row["target"])
        assert task == row["task"] and len(said) == len(row["answer"])
        assert len({len(ids) for ids in row["prompt"]}) == len({len(ids) for ids in row["target"]}) == 1
        if task.startswith("T1"):
            assert len(asked) == len(row["question"]) and "audio" not in row
        else:
            assert count == 6 and (out / row["audio"]).is_file(), "0.1 s: five features and one"
        assert (frames is not None) == task.endswith("A2")
        if frames is not None:
            assert books_of(frames) == snac_books(row["answer_snac"]) == BOOKS
    assert [row["answer"] for row in rows[:5]] == ["yes", "yes", "yes", "yes", "rye"]


def test_tasks_of_text_need_no_tokens(tmp_path: Path, tokenizer: str) -> None:
    talk = make_talk(0, "rye", "yes")
    _, out = export_rows("mini-omni", [talk], tmp_path, text_tokenizer=tokenizer, tasks="A1T1, T1T2")
    assert [row["task"] for row in lines(out / "train.jsonl")] == ["T1T2", "A1T1"]
    with pytest.raises(UserError, match="writes speech tokens of snac-24khz, and the corpus has none"):
        export_rows("mini-omni", [talk], tmp_path / "all", text_tokenizer=tokenizer)


def test_what_would_be_lost_is_refused(tmp_path: Path, tokenizer: str) -> None:
    good = with_snac(make_talk(0, "rye", "yes"))
    odd = with_snac(make_talk(1, "rye", "yes"), (1, 2), (1, 2, 3), (1,) * 8)
    long = with_snac(make_talk(2, "rye", "yes", seconds=30.01))
    result, _ = export_rows("mini-omni", [good, odd, long, make_talk(3, "a", "b")], tmp_path, text_tokenizer=tokenizer)
    assert dict(result.refused) == {
        "a user's clip is longer than 30 s": 1,
        "its speech tokens are not SNAC's three books": 1,
        "no speech tokens": 1,
    }


def test_settings_that_cannot_be_are_one_sentence(tmp_path: Path, tokenizer: str) -> None:
    talk = [with_snac(make_talk(0, "rye", "yes"))]
    with pytest.raises(UserError, match="there is no task T1T3"):
        export_rows("mini-omni", talk, tmp_path / "a", text_tokenizer=tokenizer, tasks="T1T3")
    with pytest.raises(UserError, match="needs the setting text_tokenizer"):
        export_rows("mini-omni", talk, tmp_path / "b", text_tokenizer="characters")
    large = make_text_tokenizer(tmp_path / "large", 151_900)
    with pytest.raises(UserError, match="which mark things"):
        export_rows("mini-omni", talk, tmp_path / "c", text_tokenizer=str(large))


def interrupted(number: int = 0, phrase: str = "Stop, Omni!") -> Dialogue:
    """Noise and the phrase up to 2.0 s, then a tail of 1.0 s."""
    talk = make_duplex(number, ("user", "and so on", 0.0, 1.0), ("user", phrase, 1.4, 0.6), seconds=3.0)
    assert talk.timeline is not None
    count = 36  # ceil(72000 / 2048)
    books = (range(count), range(2 * count), range(4 * count))
    heard = make_tokens("snac-24khz", *books, **SNAC)
    user, agent = talk.timeline.tracks
    return replace(talk, timeline=replace(talk.timeline, tracks=(replace(user, tokens=(heard,)), agent)))


def test_states_of_an_interruption(tmp_path: Path) -> None:
    result, out = export_rows("mini-omni2-interrupt", [interrupted(), interrupted(1, "go on")], tmp_path)
    [row] = lines(out / "train.jsonl")
    assert dict(result.refused) == {"its last turn of the user is not the phrase that interrupts": 1}
    assert row["states"] == ["n-irq"] * 23 + ["irq"] * 13, "the phrase ends at 23.4 frames"
    assert snac_books(row["snac"])[0] == tuple(range(36))
    _, out = export_rows("mini-omni2-interrupt", [interrupted(1, "go on")], tmp_path / "any", phrase="")
    assert len(lines(out / "train.jsonl")) == 1


def test_interruptions_need_the_whole_channel(tmp_path: Path) -> None:
    bare = interrupted(1)
    assert bare.timeline is not None
    bare = replace(bare, timeline=replace(bare.timeline, tracks=()))
    result, _ = export_rows("mini-omni2-interrupt", [interrupted(), bare, make_talk(2, "a", "Stop Omni")], tmp_path)
    assert dict(result.refused) == {"it has no timeline": 1, "no speech tokens of a whole channel": 1}
