"""The whole job with tone engines: every row accounted for, continued, refused, the same from both runners."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import Corpus
from manifests.errors import CorpusError, EngineUnavailable, InputError, ResumeRefused, UserError
from manifests.manifest import Manifest
from manifests.storage import Place, open_place
from manifests.validate import validate
from pipeline import run as running
from pipeline.ingest import IngestOptions, open_inputs
from pipeline.job import Job, Listener, differences
from pipeline.recipe import SPEECH_STAGES, Recipe
from pipeline.runner.local import LocalRunner
from pipeline.runner.ray import RayRunner
from pipeline.runner.tasks import Runner
from pipeline.units import UnitReport, finished_units, read_unit, write_unit
from tests.builders import tone_recipe
from tests.laws.test_every_stage import SometimesCutOff
from voicebank.bank import load_bank

STAGES = tone_recipe().stages

ROWS = [
    *({"instruction": f"What is the capital of country number {i}?", "output": f"It is city {i}."} for i in range(14)),
    {"instruction": "Write a Python function that adds two numbers.", "output": "def add(a, b): return a + b"},
    {"instruction": "", "output": "An answer to nothing."},
    {"instruction": "Name a fruit that is red.", "output": ""},
    "a bare string",
    {"instruction": "What is the capital of country number 3?", "output": "It is city 3."},
    {"instruction": "天空为什么是蓝色的？", "output": "因为空气把蓝光散射到各个方向。"},
    {"instruction": "Pourquoi le ciel est-il bleu pendant la journée, et rouge le soir?", "output": "La diffusion."},
]


@pytest.fixture(scope="module")
def input_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("input") / "rows.json"
    path.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    return str(path)


def small_recipe(*overrides: str) -> Recipe:
    return tone_recipe("unit_rows=4", "pack.clips=true", *overrides)


def make_job(input_file: str, *overrides: str, **changes: Any) -> Job:
    options = IngestOptions(**changes)
    return Job(small_recipe(*overrides), 0, open_inputs([input_file], format="alpaca"), options)


def run_tone(job: Job, out: Path | Place, runner: Runner | None = None, listener: Listener | None = None) -> Manifest:
    place = out if isinstance(out, Place) else open_place(out)
    return running.run_job(job, place, runner or LocalRunner(), listener or Listener())


def files_of(corpus: Path) -> dict[str, bytes]:
    """The corpus less the work directory: relative path -> bytes."""
    return {
        str(path.relative_to(corpus)): path.read_bytes()
        for path in sorted(corpus.rglob("*"))
        if path.is_file() and running.WORK not in path.relative_to(corpus).parts
    }


@pytest.fixture(scope="module")
def finished(input_file: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("local") / "corpus"
    run_tone(make_job(input_file), out)
    return out


def test_every_row_is_accounted_for(finished: Path) -> None:
    place = open_place(finished)
    assert validate(place, deep=True, beside=(running.WORK,)).ok
    rows = [d for status in ("kept", "rejected", "failed") for d in Corpus(finished, status=status)]
    assert len(rows) == len(ROWS)
    assert {d.source.row for d in rows} == {str(i) for i in range(len(ROWS))}
    by_row = {int(d.source.row): (d.status, d.reason) for d in rows}
    assert all(by_row[i] == ("kept", None) for i in range(14))
    assert by_row[14] == ("rejected", "code")
    assert by_row[15] == ("rejected", "empty_row")
    assert by_row[16] == ("rejected", "no_answer")
    assert by_row[17] == ("rejected", "unknown_schema")
    assert by_row[18] == ("rejected", "duplicate")
    assert by_row[19] == ("kept", None)
    assert by_row[20] == ("rejected", "unsupported_language")


def test_a_kept_row_carries_its_whole_history(finished: Path) -> None:
    dialogue = next(iter(Corpus(finished)))
    assert [step.stage for step in dialogue.provenance] == list(STAGES)
    assert all(turn.audio and turn.watermark and turn.hypothesis and turn.attempts for turn in dialogue.turns)
    assert dialogue.turns[0].audio is not None
    assert (finished / str(dialogue.turns[0].audio.path)).read_bytes() == dialogue.turns[0].audio.bytes


def test_ray_gives_the_same_corpus(finished: Path, input_file: str, tmp_path: Path) -> None:
    for workers in (1, 3):
        out = tmp_path / f"ray-{workers}"
        run_tone(make_job(input_file, f"pools.all.workers={workers}"), out, RayRunner())
        assert files_of(out) == files_of(finished)


@pytest.mark.parametrize("runner", [LocalRunner, RayRunner])
def test_many_pools_give_the_same_corpus(
    runner: Callable[[], Runner], finished: Path, input_file: str, tmp_path: Path
) -> None:
    pools = {name: {"stages": [name], "workers": 1, "cpus": 0.1} for name in STAGES}
    run_tone(make_job(input_file, f"pools={json.dumps(pools)}"), tmp_path / "corpus", runner())
    assert files_of(tmp_path / "corpus") == files_of(finished)
    for line in (tmp_path / "corpus" / "work" / "log.jsonl").read_text().splitlines():
        assert set(json.loads(line)["seconds"]) == set(STAGES)


def test_the_stages_in_turn_give_the_same_corpus(finished: Path, input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file)
    running.ingest_job(job, open_place(tmp_path / "0"), Listener())
    source = "0"
    for number, name in enumerate(STAGES, start=1):
        result = running.run_stage_directory(
            name,
            job.recipe,
            open_place(tmp_path / source),
            open_place(tmp_path / str(number)),
            LocalRunner(),
            Listener(),
        )
        source = str(number)
    assert result.live == 0
    running.pack_directory(job.recipe, open_place(tmp_path / source), open_place(tmp_path / "corpus"))
    assert files_of(tmp_path / "corpus") == files_of(finished)


class StopAfter(Listener):
    def __init__(self, units: int) -> None:
        self.left = units

    def finished(self, report: UnitReport) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


class Count(Listener):
    def __init__(self) -> None:
        self.units: list[int] = []
        self.settled = -1

    def started(self, total: int, settled: int) -> None:
        self.settled = settled

    def finished(self, report: UnitReport) -> None:
        self.units.append(report.unit)


def test_a_second_run_does_only_what_is_missing(finished: Path, input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    leftover = out / "work" / "round-1" / ".tmp-0123-000002.parquet"
    leftover.write_bytes(b"half")
    count = Count()
    run_tone(make_job(input_file), out, listener=count)
    assert not leftover.exists()
    assert count.units == [2, 3, 4, 5]
    assert count.settled == 8
    assert files_of(out) == files_of(finished)
    log = (out / "work" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["unit"] for line in log] == [0, 1, 2, 3, 4, 5]


def test_rows_that_need_another_take_go_through_further_rounds(
    input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.engines.tone.ToneSynthesizer", SometimesCutOff)
    job, out = make_job(input_file, "gate.ladder=[{}, {rate: 0.9}]"), tmp_path / "corpus"
    rounds = [open_place(out) / "work" / f"round-{number}" for number in range(4)]
    with pytest.raises(KeyboardInterrupt):
        run_tone(job, out, listener=StopAfter(7))
    live = finished_units(rounds[1]) | finished_units(rounds[2])
    assert len(finished_units(rounds[2])) == 1
    count = Count()
    run_tone(job, out, listener=count)
    assert count.settled == len(ROWS) - sum(live.values())
    for before, after in pairwise(rounds[1:]):
        waiting = {unit for unit, rows in finished_units(before).items() if rows}
        assert set(finished_units(after)) == waiting
        for unit in waiting:
            ids = [d.dialogue_id for d in read_unit(before, unit) if d.status == "live"]
            assert [d.dialogue_id for d in read_unit(after, unit)] == ids
    rows = [d for status in ("kept", "rejected", "failed") for d in Corpus(out, status=status)]
    assert len(rows) == len(ROWS)
    takes = {d.source.row: max(len(turn.attempts) for turn in d.turns) for d in rows if d.status == "kept"}
    assert set(takes.values()) >= {1, 2}
    for dialogue in rows:
        if dialogue.status == "kept":
            steps = [(stage, 1) for stage in STAGES]
            steps += [(stage, n) for n in range(2, takes[dialogue.source.row] + 1) for stage in SPEECH_STAGES]
            assert [(step.stage, step.attempt) for step in dialogue.provenance] == steps


def test_clips_and_metadata_are_written_where_the_recipe_wants_them(
    finished: Path, input_file: str, tmp_path: Path
) -> None:
    assert {path.name for path in finished.iterdir()} == {"audio", "manifest.json", "metadata.json", "shards", "work"}
    assert len(list((finished / "shards").glob("kept-*"))) == 1
    run_tone(make_job(input_file, "pack.clips=false", "pack.metadata=false"), tmp_path / "corpus")
    assert {path.name for path in (tmp_path / "corpus").iterdir()} == {"manifest.json", "shards", "work"}


def test_a_finished_job_is_left_alone(finished: Path, input_file: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    count = Count()
    run_tone(make_job(input_file), finished, listener=count)
    assert count.units == []
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()} == before


def test_the_units_of_a_finished_job_may_go(finished: Path, input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    shutil.copytree(finished, out)
    for round_directory in (out / "work").glob("round-*"):
        shutil.rmtree(round_directory)
    assert run_tone(make_job(input_file), out).counts.input_rows == len(ROWS)
    with pytest.raises(ResumeRefused, match=r"finished corpus of another job; changed: recipe\.gate\.wer_limit"):
        run_tone(make_job(input_file, "gate.wer_limit=0.2"), out)
    shutil.rmtree(out / "work")
    with pytest.raises(ResumeRefused, match="nobody can tell whose it is"):
        run_tone(make_job(input_file), out)


@pytest.mark.parametrize("name", ["audio", "work", "shards", "units", "metadata.json"])
def test_a_directory_is_not_ours_because_a_name_in_it_is(name: str, input_file: str, tmp_path: Path) -> None:
    mine = tmp_path / "out" / name / "mine.wav"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    job = make_job(input_file)
    with pytest.raises(ResumeRefused, match=name):
        run_tone(job, tmp_path / "out")
    with pytest.raises(ResumeRefused, match=name):
        running.ingest_job(job, open_place(tmp_path / "out"), Listener())
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    ("overrides", "changes", "named"),
    [
        (["gate.ladder=[]"], {}, r"recipe\.gate\.ladder"),
        (["unit_rows=5"], {}, r"recipe\.unit_rows"),
        ([], {"limit": 9}, r"options\.limit"),
    ],
)
def test_what_a_started_job_is_cut_by_cannot_change(
    overrides: list[str], changes: dict[str, Any], named: str, input_file: str, tmp_path: Path
) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    with pytest.raises(ResumeRefused, match=named):
        job = make_job(input_file, *overrides, **changes)
        running.run_job(job, open_place(out), LocalRunner(), Listener(), accept_changes=True)


def test_units_that_were_never_worked_on_are_not_packed(input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file)
    running.ingest_job(job, open_place(tmp_path / "units"), Listener())
    with pytest.raises(UserError, match="6 units of --in have not been through a stage yet"):
        running.pack_directory(job.recipe, open_place(tmp_path / "units"), open_place(tmp_path / "corpus"))
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize(
    ("overrides", "changes", "named"),
    [
        (["gate.wer_limit=0.2"], {}, "recipe.gate.wer_limit"),
        ([], {"language": "en"}, "options.language"),
        ([], {"limit": 3}, "options.limit"),
    ],
)
def test_another_job_is_refused(
    finished: Path, input_file: str, overrides: list[str], changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ResumeRefused, match=named):
        run_tone(make_job(input_file, *overrides, **changes), finished)


@pytest.mark.parametrize("changed", [ROWS[:5], [*ROWS[1:4], ROWS[0]]], ids=["longer", "of the same size"])
def test_a_changed_input_is_refused(changed: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS[:4]))
    run_tone(make_job(str(path)), tmp_path / "corpus")
    path.write_text(json.dumps(changed))
    with pytest.raises(ResumeRefused, match="inputs"):
        run_tone(make_job(str(path)), tmp_path / "corpus")


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ("pipeline.engines.tone.version", r"engines\.asr/tone"),
        ("pipeline.job.normalizer_version", r"normalizers\.en, normalizers\.zh"),
        ("pipeline.job.named_digest", r"prompts\.respond, prompts\.rewrite, prompts\.screen"),
        ("pipeline.job.version", "parley"),
    ],
)
def test_a_changed_part_is_refused(
    part: str, named: str, finished: Path, input_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, lambda *_: "another")
    with pytest.raises(ResumeRefused, match=named):
        run_tone(make_job(input_file), finished)


def test_a_changed_voice_is_refused(finished: Path, input_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.job.load_bank", lambda name: replace(load_bank(name), digest="another"))
    with pytest.raises(ResumeRefused, match="voices"):
        run_tone(make_job(input_file), finished)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, ["a.c"]),
        ({}, {"a": 1}, ["a"]),
        ({"a": 1}, {}, ["a"]),
        ({"a": [1]}, {"a": (1,)}, []),
    ],
)
def test_differences_are_named(before: object, after: object, named: list[str]) -> None:
    assert list(differences(before, after)) == named


def test_changes_may_be_accepted(input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    changed = make_job(input_file, "respond.answer_target=5")
    running.run_job(changed, open_place(out), LocalRunner(), Listener(), accept_changes=True)
    digests = {d.recipe for d in Corpus(out)}
    assert len(digests) == 1, "rows carry the recipe that they were ingested with"
    run_tone(changed, out)


def test_the_limit_takes_the_first_rows(input_file: str, tmp_path: Path) -> None:
    manifest = run_tone(make_job(input_file, limit=5), tmp_path / "corpus")
    assert manifest.counts.input_rows == 5


def test_a_foreign_directory_is_never_written_into(input_file: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(ResumeRefused, match=r"thesis\.doc"):
        run_tone(make_job(input_file), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]
    with pytest.raises(UserError, match="is a file"):
        run_tone(make_job(input_file), tmp_path / "thesis.doc")


def test_an_engine_that_is_missing_stops_the_job_before_anything_is_written(
    input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> str:
        raise EngineUnavailable("flite: install the Debian package libflite1")

    monkeypatch.setattr("pipeline.engines.flite.version", missing)
    with pytest.raises(EngineUnavailable, match="libflite1"):
        run_tone(make_job(input_file, "tts.engine=flite"), tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()


def test_a_damaged_unit_is_named(input_file: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), tmp_path / "corpus", listener=StopAfter(2))
    unit = tmp_path / "corpus" / "work" / "round-0" / "000003.parquet"
    unit.write_bytes(unit.read_bytes()[:100])
    runner = Closing()
    with pytest.raises(CorpusError, match="000003"):
        run_tone(make_job(input_file), tmp_path / "corpus", runner)
    assert runner.closed == 1


class Closing(LocalRunner):
    def __init__(self) -> None:
        super().__init__()
        self.closed = 0

    def close(self) -> None:
        self.closed += 1
        super().close()


def test_a_row_that_went_missing_is_noticed(input_file: str, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), tmp_path / "corpus", listener=StopAfter(2))
    units = open_place(tmp_path / "corpus" / "work" / "round-0")
    write_unit(units, 3, read_unit(units, 3)[:2])
    with pytest.raises(CorpusError, match="19 rows were packed, the input has 21"):
        run_tone(make_job(input_file), tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "manifest.json").exists()


def run_stage(name: str, job: Job, source: Path, out: Path, listener: Listener | None = None) -> running.StageResult:
    places = open_place(source), open_place(out)
    return running.run_stage_directory(name, job.recipe, *places, LocalRunner(), listener or Listener())


def test_a_stage_alone_continues_too(input_file: str, tmp_path: Path) -> None:
    job = make_job(input_file)
    running.ingest_job(job, open_place(tmp_path / "0"), Listener())
    with pytest.raises(KeyboardInterrupt):
        run_stage("rewrite", job, tmp_path / "0", tmp_path / "1", StopAfter(2))
    with pytest.raises(CorpusError, match=r"input\.json is missing"):
        run_stage("screen", job, tmp_path / "1", tmp_path / "2")
    count = Count()
    run_stage("rewrite", job, tmp_path / "0", tmp_path / "1", count)
    assert (count.units, count.settled) == ([2, 3, 4, 5], 8)


def test_a_stage_alone_refuses_what_is_not_its_own(finished: Path, input_file: str, tmp_path: Path) -> None:
    job, other = make_job(input_file), make_job(input_file, "gate.wer_limit=0.2")
    units, foreign, out = tmp_path / "units", tmp_path / "foreign", tmp_path / "out"
    running.ingest_job(job, open_place(units), Listener())
    (foreign / "audio").mkdir(parents=True)
    (foreign / "audio" / "song.wav").write_text("mine")
    (foreign / "thesis.doc").write_text("mine")
    with pytest.raises(ResumeRefused, match=r"thesis\.doc"):
        running.ingest_job(job, open_place(foreign), Listener())
    with pytest.raises(ResumeRefused, match=r"thesis\.doc"):
        run_stage("rewrite", job, units, foreign)
    with pytest.raises(ResumeRefused, match=r"thesis\.doc"):
        running.pack_directory(job.recipe, open_place(units), open_place(foreign))
    with pytest.raises(ResumeRefused, match=r"another recipe; changed: gate\.wer_limit"):
        run_stage("rewrite", other, units, out)
    with pytest.raises(ResumeRefused, match="already holds a finished corpus"):
        running.pack_directory(job.recipe, open_place(units), open_place(finished))
    assert (foreign / "audio" / "song.wav").exists()
    assert validate(open_place(finished), deep=True, beside=(running.WORK,)).ok
    run_stage("rewrite", job, units, out)
    with pytest.raises(UserError, match="rows are still live: run cast"):
        running.pack_directory(job.recipe, open_place(out), open_place(tmp_path / "corpus"))
    assert not (tmp_path / "corpus").exists()


def test_two_inputs_of_one_name_are_refused(input_file: str) -> None:
    with pytest.raises(InputError, match="data set rows"):
        open_inputs([input_file, input_file])


def test_no_path_reaches_the_corpus(finished: Path, input_file: str) -> None:
    private = str(Path(input_file).parent).encode()
    assert not [name for name, data in files_of(finished).items() if private in data]


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path: Path) -> Iterator[None]:
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)
