"""What `datasets`, ms-swift and LLaMA-Factory read of an export is, turn by turn, what the corpus holds."""

import hashlib
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from manifests.audio import decode
from manifests.corpus import Corpus
from manifests.schema import Turn
from parley.testing.corpora import make_corpus, make_kept
from parley.testing.exports import export_to
from parley.testing.talks import make_talk, make_talks
from pipeline import export
from tests.manifests.export.test_hf_preference import with_rejected
from tests.peers.environments import HUB, LLAMA_FACTORY, MS_SWIFT, Environment
from tests.peers.servers import need

HERE = Path(__file__).parent
OFFLINE = {"HF_HUB_OFFLINE": "1"}


def read(environment: Environment, script: str, *arguments: str) -> Any:
    """Run the script there and return what it printed last, which is JSON."""
    need(environment)
    command = [str(environment.python), str(HERE / script), *arguments]
    # Elsewhere than here: a loader that looks for a relative path must not find it by chance.
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", env=os.environ | OFFLINE, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """Three dialogues, two of them Chinese, which are written in pieces of one."""
    monkeypatch.setattr(export, "PIECE_ROWS", 1)
    talks = [*make_talks(), make_talk(2, "你好", "你好，有什么可以帮你", language="zh")]
    return Corpus(make_corpus(tmp_path / "corpus", talks))


def samples_of(turn: Turn) -> "np.ndarray[Any, np.dtype[np.int16]]":
    """The samples of the turn's clip, int16 [T]."""
    assert turn.audio is not None
    return np.asarray(np.rint(decode(turn.audio)[0] * 32768), dtype=np.int16)


def hash_of(turn: Turn) -> str:
    return hashlib.sha256(samples_of(turn).tobytes()).hexdigest()


@pytest.mark.slow
def test_datasets_reads_every_turn_of_hf(corpus: Corpus, tmp_path: Path) -> None:
    _, out = export_to("hf", {"train": corpus[:2], "validation": corpus[2:]}, tmp_path / "out")
    found = read(HUB, "read_datasets.py", str(out))
    for split, part in (("train", corpus[:2]), ("validation", corpus[2:])):
        assert (found[split]["audio"], found[split]["rate"]) == (["audio"], [16_000])
        wanted = [
            (
                dialogue.dialogue_id,
                number,
                turn.role,
                turn.text,
                hashlib.sha256(samples_of(turn).tobytes()).hexdigest(),
            )
            for dialogue in part
            for number, turn in enumerate(dialogue.turns)
        ]
        for rows in (found[split]["rows"], found[split]["streamed"]):
            names = ("dialogue_id", "turn", "role", "text")
            assert [(*(row[name] for name in names), row["audio"][1]) for row in rows] == wanted


@pytest.mark.slow
@pytest.mark.parametrize("form", ["bytes", "array"])
def test_datasets_reads_every_exchange_of_voiceassistant(form: str, corpus: Corpus, tmp_path: Path) -> None:
    _, out = export_to("voiceassistant", {"train": corpus}, tmp_path / "out", audio=form, sample_rate=16_000)
    found = read(HUB, "read_datasets.py", str(out))["train"]
    assert found["audio"] == (["question_audio"] if form == "bytes" else [])
    turns = [turn for dialogue in corpus for turn in dialogue.turns]
    for rows in (found["rows"], found["streamed"]):
        assert [row["answer"] for row in rows] == [turn.text for turn in turns[1::2]]
        assert [row["answer_snac"] for row in rows] == [None] * 4
        for row, turn in zip(rows, turns[::2], strict=True):
            held = hash_of(turn) if form == "bytes" else len(samples_of(turn))
            assert row["question_audio"][1:] == [held, 16_000]


@pytest.mark.slow
def test_datasets_reads_every_pair_of_hf_preference(tmp_path: Path) -> None:
    rows = [with_rejected(make_kept(number), number % 2) for number in range(3)]
    corpus = Corpus(make_corpus(tmp_path / "corpus", rows))
    _, out = export_to("hf-preference", {"train": corpus[:2], "test": corpus[2:]}, tmp_path / "out")
    found = read(HUB, "read_datasets.py", str(out))
    for split, numbers in (("train", (0, 1)), ("test", (2,))):
        assert (found[split]["audio"], found[split]["rate"]) == (["chosen", "rejected"], [16_000] * 2)
        for read_rows in (found[split]["rows"], found[split]["streamed"]):
            for row, number in zip(read_rows, numbers, strict=True):
                turn = rows[number].turns[number % 2]
                (rejected,) = turn.rejected_clips
                assert (row["dialogue_id"], row["turn"]) == (rows[number].dialogue_id, number % 2)
                assert (row["text"], row["reason"]) == (turn.text, "error_rate")
                assert row["chosen"][1:] == [hash_of(turn), 16_000]
                assert row["rejected"][1:] == [hash_of(replace(turn, take=rejected)), 16_000]


def check_messages(rows: list[Any], corpus: Corpus) -> None:
    for row, dialogue in zip(rows, corpus, strict=True):
        assert [(message["role"], message["content"]) for message in row["messages"]] == [
            ("user", "<audio>") if turn.role == "user" else ("assistant", turn.text) for turn in dialogue.turns
        ]
        for path, turn in zip(row["audios"], dialogue.turns[::2], strict=True):
            samples, _ = soundfile.read(path, dtype="int16")
            np.testing.assert_array_equal(samples, samples_of(turn))


@pytest.mark.slow
def test_ms_swift_reads_every_turn(corpus: Corpus, tmp_path: Path) -> None:
    _, out = export_to("ms-swift", {"train": corpus}, tmp_path / "out", root=str(tmp_path / "out"))
    check_messages(read(MS_SWIFT, "read_ms_swift.py", str(out / "train.jsonl")), corpus)


@pytest.mark.slow
def test_llama_factory_reads_every_turn(corpus: Corpus, tmp_path: Path) -> None:
    _, out = export_to("llama-factory", {"train": corpus}, tmp_path / "out")
    check_messages(read(LLAMA_FACTORY, "read_llama_factory.py", str(out), "parley_train"), corpus)
