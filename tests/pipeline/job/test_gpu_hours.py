"""GPU hours: what servers and workers held, over all runs of a job, beside what it kept."""

import json
from pathlib import Path

import pytest

from manifests.storage import open_place
from parley.testing import tone_recipe
from pipeline.cli.commands import summary
from pipeline.job import gpu_hours
from pipeline.job.directory import WORK
from pipeline.job.gpu_hours import GPU_TIME, GpuTime, read_gpu_time, server_gpus, timed, uses_gpus
from pipeline.recipe import Recipe
from tests.pipeline.tone_job import ROWS, make_job, run_tone


def served(gpus: float = 8, ears: float = 1) -> Recipe:
    models = {
        "mouth": {"engine": "openai-speech", "model": "m", "serving": {"base_url": "http://a/v1", "gpus": gpus}},
        "ears": {"engine": "openai-transcription", "model": "m", "serving": {"base_url": "http://b/v1", "gpus": ears}},
        "twin": {"engine": "openai-transcription", "model": "n", "serving": {"base_url": "http://b/v1", "gpus": 1}},
    }
    return tone_recipe(f"models={json.dumps(models)}")


def test_servers_at_one_address_share_their_gpus() -> None:
    assert server_gpus(served()) == 9
    assert uses_gpus(served()) and not uses_gpus(served(0, 0).model_copy(update={"models": {}}))


def test_the_wall_clock_of_all_runs_counts_for_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1800.0, 5000.0, 6800.0])
    monkeypatch.setattr(gpu_hours, "monotonic", lambda: next(clock))
    for _ in range(2):
        with timed(served(), open_place(tmp_path), ()):
            pass
    assert read_gpu_time(open_place(tmp_path)) == GpuTime(3600, 9 * 3600, 0)


def test_workers_count_the_time_of_their_stages(tmp_path: Path) -> None:
    recipe = tone_recipe('pools={"all": {"stages": ["rewrite"], "gpus": 0.5}}')
    passes = tmp_path / "take-1"
    passes.mkdir()
    (passes / "000000.live-0.json").write_text(json.dumps({"seconds": {"synthesize": 100.0, "rewrite": 20.0}}))
    with timed(recipe, open_place(tmp_path), [open_place(passes)]):
        pass
    found = read_gpu_time(open_place(tmp_path))
    assert found is not None and (found.server_s, found.worker_s) == (0, 60)


def test_a_job_prints_them_next_to_what_it_kept(tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps(ROWS[:2]))
    job = make_job(str(rows), 'models={"idle": {"engine": "openai", "model": "m", "serving": {"gpus": 2}}}')
    manifest = run_tone(job, tmp_path / "corpus")
    spent = read_gpu_time(open_place(tmp_path / "corpus" / WORK))
    assert spent is not None and spent.server_s > 0
    text = summary(manifest, str(tmp_path / "corpus"), GpuTime(1800, 3600, 0))
    line = next(line for line in text.splitlines() if line.startswith("GPU hours"))
    each = 1 / (manifest.counts.audio_s("kept") / 3600)
    assert line.split(None, 2)[2] == f"1.000 (servers 1.000, workers 0.000); {each:.3f} for each accepted hour"


def test_a_recipe_without_gpus_records_nothing(tmp_path: Path) -> None:
    with timed(tone_recipe(), open_place(tmp_path), ()):
        pass
    assert not (tmp_path / GPU_TIME).exists() and read_gpu_time(open_place(tmp_path)) is None


def test_a_record_that_makes_no_sense_is_none(tmp_path: Path) -> None:
    for text in ("[]", "{", '{"wall_s": 1}', '{"wall_s": -1, "server_s": 0, "worker_s": 0}'):
        (tmp_path / GPU_TIME).write_text(text)
        assert read_gpu_time(open_place(tmp_path)) is None
