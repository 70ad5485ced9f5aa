"""The verb `work` of both runners: items that need engines, in whatever order they are done."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from manifests.errors import CorpusError, EngineDied, EngineUnavailable, LawBroken, ParleyError, UserError
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.ray import RayRunner
from pipeline.job.runner.tasks import Runner, WorkPlan
from tests.pipeline.job.runner.item_workers import Squarer, open_squarer


@dataclass(frozen=True)
class Two:
    workers: int = 2
    cpus: float = 0.5
    gpus: float = 0.0


@pytest.fixture(scope="module")
def ray_runner() -> Iterator[RayRunner]:
    runner = RayRunner()
    yield runner
    runner.close()


@pytest.fixture(params=["local", "ray"])
def runner(request: pytest.FixtureRequest) -> Runner:
    return LocalRunner() if request.param == "local" else request.getfixturevalue("ray_runner")


def plan(tally: Path, fault: str = "", faults: int = 0, claims: Two | None = None) -> WorkPlan[int, int]:
    return WorkPlan("squares", claims or Two(), partial(open_squarer, str(tally), fault, faults))


def test_every_item_once(runner: Runner, tmp_path: Path) -> None:
    assert sorted(runner.work(range(20), plan(tmp_path / "tally"))) == [n * n for n in range(20)]


def test_no_items(runner: Runner, tmp_path: Path) -> None:
    assert list(runner.work([], plan(tmp_path / "tally"))) == []


@pytest.mark.parametrize("fault", ["die", "exit"])
def test_an_item_survives_two_deaths_of_its_worker(fault: str, runner: Runner, tmp_path: Path) -> None:
    if fault == "exit" and isinstance(runner, LocalRunner):
        pytest.skip("it would be this process")
    assert sorted(runner.work(range(8), plan(tmp_path / "tally", fault, 2))) == [n * n for n in range(8)]
    assert (tmp_path / "tally").read_text().split() == ["3", "3"]


@pytest.mark.parametrize(
    ("fault", "words"), [("die", "the engine is gone"), ("exit", "ended its worker 3 times in sq")]
)
def test_an_item_that_kills_every_worker(fault: str, words: str, runner: Runner, tmp_path: Path) -> None:
    if fault == "exit" and isinstance(runner, LocalRunner):
        pytest.skip("it would be this process")
    with pytest.raises(EngineDied, match=words):
        list(runner.work(range(8), plan(tmp_path / "tally", fault, 99)))
    assert (tmp_path / "tally").read_text().split() == ["3"] * 3


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("unavailable", EngineUnavailable, "^install squares$"),
        ("corpus", CorpusError, "^three is broken$"),
    ],
)
def test_errors_of_ours_come_as_they_are(
    fault: str, kind: type[ParleyError], words: str, runner: Runner, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=words):
        list(runner.work(range(8), plan(tmp_path / "tally", fault, 99)))


def test_a_bug_under_ray_comes_with_its_traceback(ray_runner: RayRunner, tmp_path: Path) -> None:
    with pytest.raises(LawBroken, match=r"(?s)ZeroDivisionError.*item_workers\.py"):
        list(ray_runner.work(range(8), plan(tmp_path / "tally", "bug", 99)))


def test_work_can_be_left_and_taken_up(runner: Runner, tmp_path: Path) -> None:
    with closing(runner.work(range(50), plan(tmp_path / "tally"))) as results:
        assert next(results) in {n * n for n in range(50)}
    assert sorted(runner.work(range(3), plan(tmp_path / "tally"))) == [0, 1, 4]


def test_claims_that_do_not_fit_are_refused(ray_runner: RayRunner, tmp_path: Path) -> None:
    if list(Path("/dev").glob("nvidia[0-9]*")):
        pytest.skip("this machine has GPUs")
    with pytest.raises(UserError, match="claim 2 GPUs, there are 0"):
        list(ray_runner.work(range(8), plan(tmp_path / "tally", claims=Two(gpus=1.0))))


def test_the_local_runner_closes_every_worker(tmp_path: Path) -> None:
    Squarer.closed = 0
    list(LocalRunner().work(range(8), plan(tmp_path / "tally", "die", 2)))
    assert Squarer.closed == 3
