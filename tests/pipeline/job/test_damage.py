"""Blocks that are missing, cut short, changed, copied or swapped are found when they are read, and made again."""

import json
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from manifests.corpus import Corpus
from manifests.errors import BlockDamaged, CorpusError, ResumeRefused
from manifests.storage import open_place
from parley.testing import make_dialogue
from pipeline.job import run as running
from pipeline.job.blocks import commit_block, read_block
from pipeline.job.listener import Listener
from pipeline.job.runner.actors import flat, rebuilt
from pipeline.job.usage import Effort
from tests.pipeline.tone_job import Closing, StopAfter, files_of, make_job, run_stage, run_tone

ROWS = 9
TAKE = "take-1/00000{}.arrow"
COMMIT = "take-1/00000{}.live-0.json"


class Notes(Listener):
    def __init__(self) -> None:
        self.said: list[str] = []

    def noted(self, sentence: str) -> None:
        self.said.append(sentence)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def copy(work: Path, name: str, source: int = 0, target: int = 1) -> None:
    shutil.copyfile(work / name.format(source), work / name.format(target))


def swap(work: Path, name: str, one: int = 0, other: int = 1) -> None:
    texts = [(work / name.format(block)).read_bytes() for block in (one, other)]
    for block, text in zip((other, one), texts, strict=True):
        (work / name.format(block)).write_bytes(text)


DAMAGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "flipped": (lambda work: flip(work / TAKE.format(1)), ["1 in take-1"]),
    "cut short": (lambda work: cut_short(work / TAKE.format(0)), ["0 in take-1"]),
    "emptied": (lambda work: (work / TAKE.format(0)).write_bytes(b""), ["0 in take-1"]),
    "missing": (lambda work: (work / TAKE.format(0)).unlink(), ["0 in take-1"]),
    "copied": (lambda work: copy(work, TAKE), ["1 in take-1"]),
    "copied with its commit": (lambda work: (copy(work, TAKE), copy(work, COMMIT)), ["1 in take-1"]),
    "swapped": (lambda work: swap(work, TAKE), ["0 in take-1", "1 in take-1"]),
    "swapped with their commits": (
        lambda work: (swap(work, TAKE), swap(work, COMMIT)),
        ["0 in take-1", "1 in take-1"],
    ),
    "a broken commit": (lambda work: (work / COMMIT.format(1)).write_text("{"), ["1 in take-1"]),
    "no commit": (lambda work: (work / COMMIT.format(1)).unlink(), []),
    "input flipped": (lambda work: flip(work / "ingested" / "000002.arrow"), ["2 in ingested"]),
    "input swapped": (lambda work: swap(work, "ingested/00000{}.arrow", 1, 2), ["2 in ingested"]),
    "input missing": (lambda work: (work / "ingested" / "000002.arrow").unlink(), ["2 in ingested"]),
    "all of the input": (lambda work: shutil.rmtree(work / "ingested"), []),
    "the list of hashes": (lambda work: (work / "ingested" / "sha256.txt").write_text("0\n"), ["2 in ingested"]),
    "no list of hashes": (lambda work: (work / "ingested" / "sha256.txt").unlink(), []),
}


@pytest.fixture(scope="module")
def half(input_file: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job that has stopped after two of its three blocks."""
    out = tmp_path_factory.mktemp("half") / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file, limit=ROWS), out, listener=StopAfter(2))
    return out


def test_whatever_happens_to_a_block_the_corpus_is_the_same(half: Path, input_file: str, tmp_path: Path) -> None:
    job, wrong, number = make_job(input_file, limit=ROWS), [], count()
    run_tone(job, tmp_path / "sound")
    for name, (damage, blocks) in DAMAGES.items():
        out, notes, runner = tmp_path / str(next(number)), Notes(), Closing()
        shutil.copytree(half, out)
        damage(out / "work")
        run_tone(job, out, runner, notes)
        expected = [f"block {block} was damaged: it is made again" for block in blocks]
        if files_of(out) != files_of(tmp_path / "sound") or notes.said != expected or not runner.closed:
            wrong.append((name, notes.said))
    assert not wrong


def test_a_block_of_an_earlier_pass_is_none_of_this_one(half: Path, tmp_path: Path, input_file: str) -> None:
    out = tmp_path / "corpus"
    shutil.copytree(half, out)
    rows = read_block(open_place(out / "work" / "take-1"), 0)
    commit_block(open_place(out / "work" / "take-2"), 0, rows, Effort())
    notes = Notes()
    job = make_job(input_file, "gate.ladder=[{}]", limit=ROWS)
    run_tone(job, tmp_path / "sound")
    recipe = json.loads((tmp_path / "sound" / "work" / "job.json").read_text())
    (out / "work" / "job.json").write_text(json.dumps(recipe))
    run_tone(job, out, listener=notes)
    assert notes.said == ["block 0 in take-2 was damaged: it is made again"]


def test_blocks_of_a_changed_input_never_take_the_place_of_lost_ones(half: Path, tmp_path: Path) -> None:
    rows = [{"instruction": f"Why is number {i} so well liked?", "output": "It brings luck."} for i in range(9)]
    source, out = tmp_path / "rows.json", tmp_path / "corpus"
    source.write_text(json.dumps(rows))
    job = make_job(str(source))
    with pytest.raises(KeyboardInterrupt):
        run_tone(job, out, listener=StopAfter(1))
    ingested = out / "work" / "ingested"
    flip(ingested / "000002.arrow")
    parts = (out / "work" / "job.json").read_text()
    source.write_text(json.dumps([*rows[::-1]]))
    changed = make_job(str(source))
    (out / "work" / "job.json").write_text(
        json.dumps(json.loads(parts) | {"inputs": [file.identity() for file in changed.files]})
    )
    for _ in range(2):
        with pytest.raises(ResumeRefused, match="ingested are lost, and the input has changed: take another --out"):
            run_tone(changed, out)
    source.write_text(json.dumps(rows))
    (out / "work" / "job.json").write_text(parts)
    assert run_tone(job, out).counts.input_rows == len(rows)


def test_a_lost_input_comes_back_with_the_recipe_that_it_had(half: Path, input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    shutil.copytree(half, out)
    shutil.rmtree(out / "work" / "ingested")
    changed = make_job(input_file, "respond.answer_target=5", limit=ROWS)
    running.run_job(changed, open_place(out), Closing(), Listener(), accept_changes=True)
    assert len({dialogue.recipe for dialogue in Corpus(out)}) == 1


def test_a_storage_that_damages_everything_stops_the_job(
    half: Path, input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "corpus"
    shutil.copytree(half, out)
    tries = []

    def damaged(directory: object, block: int) -> None:
        tries.append(block)
        raise BlockDamaged("take-1", block)

    monkeypatch.setattr("pipeline.job.write_shards.read_block", damaged)
    with pytest.raises(
        BlockDamaged, match=r"block 0 in take-1 is missing or is not .* delete its files, take-1/000000\*"
    ):
        run_tone(make_job(input_file, limit=ROWS), out)
    assert tries == [0, 0]
    assert not (out / "manifest.json").exists()


def test_the_files_to_delete_are_named_where_only_the_user_can_make_them_again(
    input_file: str, tmp_path: Path
) -> None:
    job = make_job(input_file)
    running.ingest_job(job, open_place(tmp_path / "0"), Listener())
    flip(tmp_path / "0" / "blocks" / "000003.arrow")
    with pytest.raises(BlockDamaged, match=r"blocks/000003\*, and give the command"):
        run_stage("rewrite", job, tmp_path / "0", tmp_path / "1")
    notes = Notes()
    running.ingest_job(job, open_place(tmp_path / "0"), notes)
    assert notes.said == ["block 3 in blocks was damaged: it is made again"]
    run_stage("rewrite", job, tmp_path / "0", tmp_path / "1")
    flip(tmp_path / "1" / "blocks" / "000002.arrow")
    with pytest.raises(BlockDamaged, match=r"blocks/000002\*"):
        run_stage("screen", job, tmp_path / "1", tmp_path / "2")
    for path in (tmp_path / "1" / "blocks").glob("000002*"):
        path.unlink()
    run_stage("rewrite", job, tmp_path / "0", tmp_path / "1")
    run_stage("screen", job, tmp_path / "1", tmp_path / "2")


def test_the_error_reaches_the_driver_whole() -> None:
    error = rebuilt(flat(BlockDamaged("take-1", 7)))
    assert isinstance(error, BlockDamaged) and (error.directory, error.block) == ("take-1", 7)
    assert "take-1/000007*" in str(error)
    assert str(rebuilt(flat(CorpusError("broken")))) == "broken"


def test_a_commit_that_says_another_number_of_rows_is_none(tmp_path: Path) -> None:
    directory = open_place(tmp_path)
    commit_block(directory, 0, [make_dialogue()], Effort())
    (tmp_path / "000000.live-1.json").rename(tmp_path / "000000.live-0.json")
    with pytest.raises(BlockDamaged):
        read_block(directory, 0)
