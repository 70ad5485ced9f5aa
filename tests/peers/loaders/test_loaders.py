"""Exports in the hands of the programs that they are for: what is read is the corpus, turn by turn, to the sample."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.resampling import Samples
from manifests.schema import Dialogue, Turn, Word, WordTimes
from manifests.words import words_of
from parley.testing.corpora import with_take
from parley.testing.exports import export_rows
from tests.peers.environments import LOADERS
from tests.peers.loaders import reading
from tests.peers.servers import need
from tests.tracks import check_tracks, clip, spoken

pytestmark = pytest.mark.slow

ROWS = [spoken(0), spoken(1, "zh"), spoken(2)]
BOS, EOS, PAD = 1, 2, 0


def read(program: str, directory: Path, result: Path, *arguments: str) -> list[dict[str, Any]]:
    """What the program reads; tracks are float32 [T]. Raises RuntimeError, with what it printed, if it fails."""
    need(LOADERS)
    command = [str(LOADERS.python), reading.__file__, program, str(directory), str(result), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    found: list[dict[str, Any]] = json.loads((result / "read.json").read_text())
    for number, dialogue in enumerate(found):
        for role in ("user", "agent"):
            if (file := result / f"{number}-{role}.npy").exists():
                dialogue[role] = np.load(file)
    return found


def check(found: list[dict[str, Any]], rate: int = 16_000) -> None:
    """They are the rows, in order."""
    assert [dialogue["dialogue_id"] for dialogue in found] == [row.dialogue_id for row in ROWS]
    for row, dialogue in zip(ROWS, found, strict=True):
        tracks: dict[str, Samples] = {role: dialogue[role] for role in ("user", "agent")}
        check_tracks(row, dialogue["turns"], tracks, rate)
        takes = [turn.take for turn in row.turns]
        assert [turn["voice_id"] for turn in dialogue["turns"]] == [take.voice_id for take in takes if take]
        assert [turn["hypothesis"] for turn in dialogue["turns"]] == [turn.hypothesis for turn in row.turns]


@pytest.mark.parametrize(
    ("exporter", "program", "settings"),
    [
        ("webdataset", "webdataset", {}),
        ("webdataset", "webdataset", {"codec": "wav", "sample_rate": 24_000, "gap_ms": 0}),
        ("mds", "mds", {}),
        ("mds", "mds", {"codec": "wav", "sample_rate": 24_000, "gap_ms": 0}),
        ("lhotse-shar", "lhotse", {}),
        ("lhotse-shar", "lhotse", {"sample_rate": 24_000, "gap_ms": 0}),
        ("lhotse-shar", "lhotse_files", {"indexed": True}),
    ],
)
def test_what_is_read_is_the_corpus(tmp_path: Path, exporter: str, program: str, settings: dict[str, Any]) -> None:
    _, out = export_rows(exporter, ROWS, tmp_path, **settings)
    check(read(program, out, tmp_path / "read"), settings.get("sample_rate", 16_000))


def test_lhotse_cannot_open_a_folder_with_indexes(tmp_path: Path) -> None:
    """Why indexes are an option."""
    _, out = export_rows("lhotse-shar", ROWS, tmp_path, indexed=True)
    with pytest.raises(RuntimeError, match=r"UnicodeDecodeError|shards available"):
        read("lhotse", out, tmp_path / "read")


def test_a_shard_is_what_the_programs_own_writer_makes(tmp_path: Path) -> None:
    _, out = export_rows("mds", ROWS, tmp_path)
    read("mds_written", out, tmp_path / "read", str(tmp_path / "again"))
    (shard,) = (out / "train").glob("*.mds")
    (again,) = (tmp_path / "again").glob("*.mds")
    assert shard.read_bytes() == again.read_bytes()
    ours, theirs = ((place / "index.json").read_text() for place in (out / "train", tmp_path / "again"))
    assert json.loads(ours) == json.loads(theirs.replace(again.name, shard.name))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of words and Chinese characters, made here."""
    tokenizers, transformers = pytest.importorskip("tokenizers"), pytest.importorskip("transformers")
    units = sorted({unit for row in ROWS for turn in row.turns for unit in _units(turn.text or "")})
    words = {word: number for number, word in enumerate(("<pad>", "<s>", "</s>", "<unk>", *units))}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex("[\u4e00-\u9fff]"), "isolated")
    made.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([tokenizers.pre_tokenizers.Whitespace(), split])
    directory = tmp_path_factory.mktemp("tokenizer")
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", pad_token="<pad>").save_pretrained(
        directory
    )
    return directory


def _units(text: str) -> list[str]:
    return text.split() if " " in text else list(text)


def test_nemo_sees_every_turn_with_its_marks(tmp_path: Path, tokenizer: Path) -> None:
    result, out = export_rows("nemo-duplex", ROWS, tmp_path, tokenizer=str(tokenizer))
    assert (result.written, dict(result.refused), list(result.notes)) == (len(ROWS), {}, [])
    found = read("nemo", out, tmp_path / "read", str(tokenizer))
    assert [dialogue["id"] for dialogue in found] == [row.dialogue_id for row in ROWS]
    words = json.loads((tokenizer / "tokenizer.json").read_text())["model"]["vocab"]
    for row, dialogue in zip(ROWS, found, strict=True):
        assert not dialogue["warnings"]
        assert dialogue["texts"] == [" ".join(turn.text or "" for turn in row.turns if turn.role == "agent")]
        for role, rate in (("user", 16_000), ("agent", 22_050)):
            spans = [each for each in dialogue["turns"] if each[0] == role]
            expected = [[words[unit] for unit in _units(text)] for _, _, _, text in spans]
            assert marked(dialogue[f"{role}_tokens"]) == expected, "text, each with a start mark and an end mark"
            numbers = [number for number, turn in enumerate(row.turns) if turn.role == role]
            for number, (_, start, end, _) in zip(numbers, spans, strict=True):
                tokens = dialogue[f"{role}_tokens"]
                assert tokens[int(start / 0.08 + 0.5)] == BOS and tokens[int(end / 0.08 + 0.5)] == EOS
                heard, place = clip(row, number, rate), round(start * rate)
                part = dialogue[role][place : place + len(heard)]
                assert np.abs(part - heard).max() <= 0.5 / 32768
                part[:] = 0
            assert not dialogue[role].any(), "all else is silence"


def test_moshi_finetune_opens_a_dialogue_in_one_chunk_with_the_agent_first(tmp_path: Path) -> None:
    """By sphn, which does its reading; its own code is in no package."""
    rows = [with_times(row) for row in ROWS]
    result, out = export_rows("moshi-finetune", rows, tmp_path)
    assert result.written == len(rows)
    found = read("moshi", out, tmp_path / "read", "100")
    assert [(each["dialogue_id"], each["start"]) for each in found] == [(row.dialogue_id, 0) for row in rows]
    for row, each in zip(rows, found, strict=True):
        texts = [word.text for t in row.turns if t.role == "agent" for word in words_of(t.text or "", row.language)]
        assert [text for text, *_ in each["alignments"]] == texts
        first = clip(row, 0, 24_000)
        assert np.abs(each["user"][: len(first)] - first).max() <= 1 / 32768 and not each["agent"][: len(first)].any()
        start, end = (round(24_000 * seconds) for seconds in each["alignments"][0][1])
        assert np.abs(each["agent"][start:end]).max() > 0.05 and not each["user"][start:end].any()


def with_times(dialogue: Dialogue) -> Dialogue:
    """The dialogue with times of the agent's words, 0.1 s each."""

    def timed(turn: Turn) -> Turn:
        words = words_of(turn.text or "", dialogue.language)
        times = (Word(word.text, 800 + 1600 * at, 2400 + 1600 * at) for at, word in enumerate(words))
        return with_take(turn, word_times=WordTimes("test 1", "word", tuple(times)))

    return replace(dialogue, turns=tuple(timed(t) if t.role == "agent" else t for t in dialogue.turns))


def marked(tokens: list[int]) -> list[list[int]]:
    """The texts between a start mark and an end mark. Fails for a mark without the other."""
    texts, inside = list[list[int]](), False
    for token in tokens:
        assert (token == BOS) <= (not inside) and (token == EOS) <= inside
        if token == BOS:
            texts.append([])
        elif token not in (EOS, PAD):
            assert inside
            texts[-1].append(token)
        inside = token == BOS or (inside and token != EOS)
    assert not inside
    return texts


def test_what_is_counted_is_what_the_tokenizer_makes(tmp_path: Path, tokenizer: Path) -> None:
    """The corpus has texts of 6 words and 9 characters at most: clips of 0.5 s have room for 5."""
    short = [spoken(0, num_samples=8_000), spoken(1, "zh", num_samples=8_000)]
    result, _ = export_rows("nemo-duplex", short, tmp_path, tokenizer=str(tokenizer))
    assert dict(result.refused) == {"a turn has more text tokens than frames": 1}, "the Chinese one"
