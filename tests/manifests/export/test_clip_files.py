"""Clips as files beside the rows: names, folders, rates, paths; and the file of rows of each split."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from manifests.audio import decode
from manifests.corpus import Corpus
from manifests.errors import UserError
from manifests.export._clips import ClipFolder, ClipSettings
from manifests.export.contract import Piece
from manifests.storage import open_place
from parley.testing.corpora import make_corpus
from parley.testing.exports import export_rows, export_to
from parley.testing.talks import BREAD, make_talk, make_talks
from pipeline import export


def test_a_clip_is_a_wav_of_the_turns_samples(tmp_path: Path) -> None:
    dialogue = make_talk(0, *BREAD)
    path = ClipFolder(open_place(tmp_path), Piece("train", 0), ClipSettings()).write(dialogue, 0, 2)
    audio = dialogue.turns[2].audio
    assert audio is not None
    samples, rate = soundfile.read(tmp_path / path, dtype="float32")
    assert rate == 16_000
    np.testing.assert_array_equal(samples, decode(audio)[0])


@pytest.mark.parametrize(("asked", "rate"), [(8_000, 8_000), (0, 16_000)])
def test_the_rate_is_what_was_asked_for_or_that_of_the_corpus(asked: int, rate: int, tmp_path: Path) -> None:
    folder = ClipFolder(open_place(tmp_path), Piece("train", 0), ClipSettings(sample_rate=asked))
    info = soundfile.info(tmp_path / folder.write(make_talk(0, *BREAD), 0, 0))
    assert (info.samplerate, info.frames, info.channels, info.subtype) == (rate, rate // 2, 1, "PCM_16")


def test_names_have_one_dot_no_blank_and_stay_apart(tmp_path: Path) -> None:
    folder = ClipFolder(open_place(tmp_path), Piece("train", 0), ClipSettings())
    dialogues = [replace(make_talk(0, *BREAD), dialogue_id=name) for name in ("a.b", "a_b", "a.b.")]
    paths = [folder.write(dialogue, number, 0) for number, dialogue in enumerate(dialogues)]
    assert len(set(paths)) == 3
    assert all(path.count(".") == 1 and " " not in path for path in paths)


def test_pieces_are_spread_over_folders(tmp_path: Path) -> None:
    folder = ClipFolder(open_place(tmp_path), Piece("train", 12_345), ClipSettings())
    assert Path(folder.write(make_talk(0, *BREAD), 7, 0)).parts[:4] == ("audio", "train", "012", "train-12345")


@pytest.mark.parametrize("root", ["/data/of mine", "/data/of mine/"])
def test_paths_can_be_absolute(root: str, tmp_path: Path) -> None:
    folder = ClipFolder(open_place(tmp_path), Piece("train", 0), ClipSettings(root=root))
    path = folder.write(make_talk(0, *BREAD), 0, 0)
    assert path.startswith("/data/of mine/audio/train/")
    assert (tmp_path / Path(path).relative_to("/data/of mine")).is_file()


@pytest.mark.parametrize("rate", [-1, 1, 1_000_000])
def test_what_is_no_rate_is_refused(rate: int, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sample_rate is"):
        export_rows("ms-swift", make_talks(), tmp_path, sample_rate=rate)


def test_rows_are_in_order_across_pieces_and_splits_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PIECE_ROWS", 2)
    dialogues = [make_talk(number, f"question {number}", f"answer {number}") for number in range(7)]
    corpus = Corpus(make_corpus(tmp_path / "corpus", dialogues))
    _, out = export_to("ms-swift", {"train": corpus[:5], "validation": corpus[5:]}, tmp_path / "out")
    rows = {split: _rows(out / f"{split}.jsonl") for split in ("train", "validation")}
    answers = {split: [row["messages"][1]["content"] for row in found] for split, found in rows.items()}
    assert answers == {
        "train": [f"answer {number}" for number in range(5)],
        "validation": ["answer 5", "answer 6"],
    }
    paths = [path for found in rows.values() for row in found for path in row["audios"]]
    assert len(set(paths)) == 7
    assert all((out / path).is_file() for path in paths)


def test_an_array_is_one_json_value_of_all_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PIECE_ROWS", 2)
    dialogues = [make_talk(number, f"question {number}", f"answer {number}") for number in range(5)]
    _, out = export_rows("vocalnet", dialogues, tmp_path)
    rows = json.loads((out / "train.json").read_text(encoding="ascii"))
    assert [row["conversations"][1]["value"] for row in rows] == [f"answer {number}" for number in range(5)]


@pytest.mark.parametrize("name", ["ms-swift", "llama-omni2", "voiceassistant"])
def test_the_same_corpus_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    _, first = export_rows(name, make_talks(), tmp_path / "first")
    _, second = export_rows(name, make_talks(), tmp_path / "second")
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
    for file in files:
        assert (first / file).read_bytes() == (second / file).read_bytes()


def _rows(file: Path) -> list[dict[str, list[dict[str, str]]]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
