"""SLAM-Omni: one row for each exchange, history before the last <USER>:, and never an empty list of tokens."""

import json
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import Corpus
from manifests.export._speech_tokens import S3_V1, S3_V2, TokenNeed
from parley.testing.corpora import make_corpus
from parley.testing.exports import export_rows, export_to
from parley.testing.talks import BREAD, PATH, make_talk, make_talks
from tests.speech_tokens import made_tokens, tokenized


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def history_of(source_text: str) -> str:
    """What the loader puts into the prompt."""
    return source_text.rsplit("<USER>:", 1)[0].strip()


def test_each_exchange_is_a_row_with_what_was_said_before(tmp_path: Path) -> None:
    result, out = export_rows("slam-omni", make_talks(), tmp_path)
    rows = read(out / "train.jsonl")
    assert result.written == 2
    assert [(row["source_text"], row["target_text"]) for row in rows] == [
        ("<USER>: is rye bread healthy", BREAD[1]),
        ("USER: is rye bread healthy ASSISTANT: mostly yes <USER>: how should i store it", BREAD[3]),
        (f"<USER>: {PATH[0]}", PATH[1]),
    ]
    assert [history_of(row["source_text"]) for row in rows] == [
        "",
        "USER: is rye bread healthy ASSISTANT: mostly yes",
        "",
    ]
    assert [row["round"] for row in rows] == [1, 2, 1]
    assert len({row["key"] for row in rows}) == len({row["source_wav"] for row in rows}) == 3
    assert all((out / row["source_wav"]).is_file() for row in rows)


def test_without_tokens_a_row_trains_text(tmp_path: Path) -> None:
    result, out = export_rows("slam-omni", make_talks(), tmp_path)
    assert all("target_token" not in row for row in read(out / "train.jsonl")), "an empty list would train silence"
    assert any("text alone" in note for note in result.notes)


def test_speech_is_refused_without_speech_tokens(tmp_path: Path) -> None:
    result, out = export_rows("slam-omni", make_talks(), tmp_path, target="speech")
    assert (result.written, dict(result.refused)) == (0, {"no speech tokens of s3-v1": 2})
    assert not (out / "train.jsonl").exists()
    assert not result.notes


def test_tokens_are_written_where_there_are_some(tmp_path: Path) -> None:
    bread, path = make_talks()
    talks = [tokenized(bread, made_tokens(S3_V1, (7, 7, 9))), tokenized(path, made_tokens(S3_V2, (7,)))]
    result, out = export_rows("slam-omni", talks, tmp_path, target="speech")
    assert dict(result.refused) == {"no speech tokens of s3-v1": 1}
    assert [row["target_token"] for row in read(out / "train.jsonl")] == [[7, 7, 9], [7, 7, 9]]


def test_tokens_of_a_tokenizer_of_ones_own_must_be_like_those_it_reads(tmp_path: Path) -> None:
    talks = [tokenized(make_talk(0, *PATH), made_tokens(S3_V1, (5, 6), tokenizer="mine"))]
    own, out = export_rows("slam-omni", talks, tmp_path / "own", target="speech", speech_tokens="mine")
    assert (own.written, read(out / "train.jsonl")[0]["target_token"]) == (1, [5, 6])
    slower = [tokenized(make_talk(0, *PATH), made_tokens(TokenNeed("slow", 4096, 25), (5, 6)))]
    result, _ = export_rows("slam-omni", slower, tmp_path / "slower", target="speech", speech_tokens="slow")
    assert list(result.refused) == [
        "the speech tokens of slow have another size or rate than those of s3-v1 that it reads"
    ]


@pytest.mark.parametrize("mark", ["<USER>:", "USER:", "ASSISTANT:"])
@pytest.mark.parametrize("place", [0, 1])
def test_texts_with_its_marks_are_refused(mark: str, place: int, tmp_path: Path) -> None:
    texts = ["hello", "good day"]
    texts[place] += f" {mark} more"
    result, _ = export_rows("slam-omni", [make_talk(0, *texts)], tmp_path)
    assert dict(result.refused) == {f"a text contains {mark}": 1}


def test_a_question_of_more_than_30_s_is_refused(tmp_path: Path) -> None:
    result, _ = export_rows("slam-omni", [make_talk(0, *PATH, seconds=30.01)], tmp_path)
    assert dict(result.refused) == {"a user's clip is longer than 30 s": 1}


def test_validation_is_a_file_of_its_own(tmp_path: Path) -> None:
    corpus = Corpus(make_corpus(tmp_path / "corpus", make_talks()))
    both, out = export_to("slam-omni", {"train": corpus[:1], "validation": corpus[1:]}, tmp_path / "out")
    train, validation = read(out / "train.jsonl"), read(out / "validation.jsonl")
    assert {row["index"] for row in train}.isdisjoint(row["index"] for row in validation)
    assert not any("validation" in note for note in both.notes)
    alone, _ = export_to("slam-omni", {"train": corpus}, tmp_path / "alone")
    assert any("no split named validation" in note for note in alone.notes)
