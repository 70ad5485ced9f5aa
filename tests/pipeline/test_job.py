"""The whole job with tone engines: every row accounted for, continued, refused, the same from both runners."""

import json
import shutil
from collections.abc import Iterator
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
from pipeline.job import Job, Listener
from pipeline.recipe import STAGES, Recipe
from pipeline.runner.local import LocalRunner
from pipeline.runner.ray import RayRunner
from pipeline.runner.tasks import Runner
from pipeline.units import UnitReport
from tests.builders import tone_recipe

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


def test_many_pools_give_the_same_corpus(finished: Path, input_file: str, tmp_path: Path) -> None:
    pools = {name: {"stages": [name], "workers": 1, "cpus": 0.1} for name in STAGES}
    run_tone(make_job(input_file, f"pools={json.dumps(pools)}"), tmp_path / "corpus", RayRunner())
    assert files_of(tmp_path / "corpus") == files_of(finished)


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
    count = Count()
    run_tone(make_job(input_file), out, listener=count)
    assert count.units == [2, 3, 4, 5]
    assert count.settled == 8
    assert files_of(out) == files_of(finished)
    log = (out / "work" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["unit"] for line in log] == [0, 1, 2, 3, 4, 5]


def test_a_finished_job_is_left_alone(finished: Path, input_file: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    count = Count()
    run_tone(make_job(input_file), finished, listener=count)
    assert count.units == []
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()} == before


def test_the_work_directory_of_a_finished_job_may_go(finished: Path, input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    shutil.copytree(finished, out)
    shutil.rmtree(out / "work")
    assert run_tone(make_job(input_file), out).counts.input_rows == len(ROWS)
    assert not (out / "work").exists()
    with pytest.raises(ResumeRefused, match="finished corpus of another job"):
        run_tone(make_job(input_file, "gate.wer_limit=0.2"), out)


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


def test_a_changed_input_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS[:4]))
    run_tone(make_job(str(path)), tmp_path / "corpus")
    path.write_text(json.dumps(ROWS[:5]))
    with pytest.raises(ResumeRefused, match="inputs"):
        run_tone(make_job(str(path)), tmp_path / "corpus")


def test_a_changed_engine_is_refused(finished: Path, input_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.engines.tone.version", lambda: "another")
    with pytest.raises(ResumeRefused, match=r"engines\.asr/tone"):
        run_tone(make_job(input_file), finished)


def test_changes_may_be_accepted(input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    changed = make_job(input_file, "respond.answer_target=5")
    running.run_job(changed, open_place(out), LocalRunner(), Listener(), accept_changes=True)
    digests = {d.recipe for d in Corpus(out)}
    assert len(digests) == 1, "rows carry the recipe that they were ingested with"


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
    with pytest.raises(CorpusError, match="000003"):
        run_tone(make_job(input_file), tmp_path / "corpus")


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
