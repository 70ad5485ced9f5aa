"""ms-swift and LLaMA-Factory: marks and clips fit, roles are theirs, and dataset_info.json names every split."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.schema import Dialogue
from parley.testing.corpora import make_corpus
from parley.testing.exports import export_rows, export_to
from parley.testing.talks import BREAD, PATH, make_talk, make_talks


def exported(
    name: str, rows: Iterable[Dialogue], directory: Path, **settings: Any
) -> tuple[list[Any], dict[str, int]]:
    result, out = export_rows(name, rows, directory, **settings)
    lines = (out / "train.jsonl").read_text(encoding="utf-8").splitlines() if result.written else []
    return [json.loads(line) for line in lines], dict(result.refused)


def test_ms_swift_gets_messages_and_clips_in_order_of_their_marks(tmp_path: Path) -> None:
    rows, refused = exported("ms-swift", make_talks(), tmp_path)
    assert not refused
    assert [row["messages"] for row in rows] == [
        [
            {"role": "user", "content": "<audio>"},
            {"role": "assistant", "content": BREAD[1]},
            {"role": "user", "content": "<audio>"},
            {"role": "assistant", "content": BREAD[3]},
        ],
        [{"role": "user", "content": "<audio>"}, {"role": "assistant", "content": PATH[1]}],
    ]
    assert [[path[-6:-4] for path in row["audios"]] for row in rows] == [["-0", "-2"], ["-0"]]
    for row in rows:
        assert set(row) == {"messages", "audios"}
        assert sum(message["content"].count("<audio>") for message in row["messages"]) == len(row["audios"])


def test_llama_factory_gets_share_gpt_rows(tmp_path: Path) -> None:
    (bread, path), refused = exported("llama-factory", make_talks(), tmp_path)
    assert not refused
    assert bread["conversations"][:2] == [{"from": "human", "value": "<audio>"}, {"from": "gpt", "value": BREAD[1]}]
    assert path["conversations"] == [{"from": "human", "value": "<audio>"}, {"from": "gpt", "value": PATH[1]}]
    assert [len(row["audios"]) for row in (bread, path)] == [2, 1]


def test_dataset_info_names_the_splits(tmp_path: Path) -> None:
    corpus = Corpus(make_corpus(tmp_path / "corpus", make_talks()))
    _, out = export_to("llama-factory", {"train": corpus[:1], "test": corpus[1:]}, tmp_path / "out", dataset="mine")
    info = json.loads((out / "dataset_info.json").read_text())
    assert {name: entry["file_name"] for name, entry in info.items()} == {
        "mine_train": "train.jsonl",
        "mine_test": "test.jsonl",
    }
    for entry in info.values():
        assert entry["formatting"] == "sharegpt"
        assert entry["columns"] == {"messages": "conversations", "audios": "audios"}
        assert (out / entry["file_name"]).is_file()


@pytest.mark.parametrize("name", ["ms-swift", "llama-factory"])
@pytest.mark.parametrize("mark", ["<audio>", "<image>", "<video>"])
def test_an_answer_with_a_mark_is_refused(name: str, mark: str, tmp_path: Path) -> None:
    rows, refused = exported(name, [make_talk(0, "hello", f"see {mark} there"), make_talk(1, *PATH)], tmp_path)
    assert refused == {f"a text contains {mark}": 1}
    assert len(rows) == 1


@pytest.mark.parametrize("name", ["ms-swift", "llama-factory"])
def test_what_the_model_does_not_hear_is_refused(name: str, tmp_path: Path) -> None:
    talks = [make_talk(0, *PATH, seconds=1.0), make_talk(1, *PATH, seconds=0.5)]
    rows, refused = exported(name, talks, tmp_path / "short", max_clip_s=0.6)
    assert (len(rows), refused) == (1, {"a user's clip is longer than 0.6 s": 1})
    rows, refused = exported(name, talks, tmp_path / "any", max_clip_s=0)
    assert (len(rows), refused) == (2, {})
    with pytest.raises(UserError, match="max_clip_s is -1"):
        exported(name, talks, tmp_path / "wrong", max_clip_s=-1)


@pytest.mark.parametrize("name", ["ms-swift", "llama-factory"])
def test_a_dialogue_that_does_not_end_with_the_agent_is_refused(name: str, tmp_path: Path) -> None:
    talk = make_talk(0, *BREAD)
    rows, refused = exported(name, [replace(talk, turns=talk.turns[:3])], tmp_path)
    assert (rows, refused) == ([], {"its turns do not alternate, from the user to the agent": 1})
