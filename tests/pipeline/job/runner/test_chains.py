"""`run` of both runners, with content of another kind: blocks of numbers, cut into parts and joined again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from manifests.errors import CorpusError, EngineDied, EngineUnavailable, LawBroken, ParleyError, UserError
from pipeline.job.listener import Listener, Moved, Part
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.ray import RayRunner
from pipeline.job.runner.tasks import Runner, WorkerPlan, cut_blocks
from tests.pipeline.job.runner.numbers_work import Claims, Loading, Numbers, OneOpens, Squarer, Squares, Sum


@pytest.fixture(scope="module")
def ray_runner() -> Iterator[RayRunner]:
    runner = RayRunner()
    yield runner
    runner.close()


@pytest.fixture(params=["local", "ray"])
def runner(request: pytest.FixtureRequest) -> Runner:
    return LocalRunner() if request.param == "local" else request.getfixturevalue("ray_runner")


def squares(runner: Runner, blocks: int, *plans: WorkerPlan, size: int = 1) -> list[Sum]:
    numbers = dict.fromkeys(range(blocks), size)
    return sorted(runner.run(numbers, Numbers(size), plans, Listener()), key=lambda done: done.block)


def expected(blocks: int, size: int = 1, power: int = 2) -> list[Sum]:
    return [Sum(b, tuple((b * 10 + n) ** power for n in range(size))) for b in range(blocks)]


def test_every_block_once_and_whole(runner: Runner, tmp_path: Path) -> None:
    assert squares(runner, 20, Squares(str(tmp_path / "tally")), size=7) == expected(20, 7)


def test_parts_go_through_all_pools_in_order(runner: Runner, tmp_path: Path) -> None:
    first = Squares(str(tmp_path / "tally"), claims=Claims(workers=1))
    second = Squares(str(tmp_path / "tally"), name="again", claims=Claims(workers=2))
    third = Squares(str(tmp_path / "tally"), name="and again", blocks_in_flight=2)
    assert squares(runner, 9, first, second, third, size=5) == expected(9, 5, power=8)


def test_a_worker_reads_a_block_once_for_all_its_parts(runner: Runner, tmp_path: Path) -> None:
    work = Loading(7, notes=str(tmp_path / "notes"))
    plan = Squares(str(tmp_path / "tally"), claims=Claims(workers=1))
    done = sorted(runner.run(dict.fromkeys(range(3), 7), work, [plan], Listener()), key=lambda one: one.block)
    assert done == expected(3, 7)
    assert (tmp_path / "notes").read_text().split() == ["0", "1", "2"]


class Noting(Listener):
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def noted(self, sentence: str) -> None:
        self.sentences.append(sentence)


def test_what_a_worker_warns_of_reaches_the_listener_once(runner: Runner, tmp_path: Path) -> None:
    noting, plan = Noting(), Squares(str(tmp_path / "tally"), "warn", faults=9)
    list(runner.run({3: 3}, Numbers(3), [plan, Squares(str(tmp_path / "more"), "warn", 9, 900, name="again")], noting))
    assert noting.sentences == ["three is odd"]


def test_no_blocks(runner: Runner, tmp_path: Path) -> None:
    assert squares(runner, 0, Squares(str(tmp_path / "tally"))) == []


@pytest.mark.parametrize("fault", ["die", "exit"])
def test_a_block_survives_two_deaths_of_its_worker(fault: str, runner: Runner, tmp_path: Path) -> None:
    if fault == "exit" and isinstance(runner, LocalRunner):
        pytest.skip("it would be this process")
    plan = Squares(str(tmp_path / "tally"), fault, 2, at=31**2)
    assert squares(runner, 8, Squares("", name="before"), plan, size=3) == expected(8, 3, power=4)
    assert (tmp_path / "tally").read_text().split() == ["3", "3"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [("die", "the engine is gone"), ("exit", "block 3 ended its worker 3 times in pool squares")],
)
def test_a_block_that_kills_every_worker(fault: str, words: str, runner: Runner, tmp_path: Path) -> None:
    if fault == "exit" and isinstance(runner, LocalRunner):
        pytest.skip("it would be this process")
    with pytest.raises(EngineDied, match=words):
        squares(runner, 8, Squares(str(tmp_path / "tally"), fault, 99))
    assert (tmp_path / "tally").read_text().split() == ["3"] * 3


def test_a_worker_that_never_gets_as_far_as_its_first_block(ray_runner: RayRunner) -> None:
    with pytest.raises(EngineDied, match="workers of pool squares ended 3 times while they loaded"):
        squares(ray_runner, 8, Squares("", "exits at once"))


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
        squares(runner, 8, Squares(str(tmp_path / "tally"), fault, 99))


def test_a_bug_under_ray_comes_with_its_traceback(ray_runner: RayRunner, tmp_path: Path) -> None:
    with pytest.raises(LawBroken, match=r"(?s)ZeroDivisionError.*numbers_work\.py"):
        squares(ray_runner, 8, Squares(str(tmp_path / "tally"), "bug", 99))


def test_work_can_be_left_and_taken_up(runner: Runner, tmp_path: Path) -> None:
    plan = Squares(str(tmp_path / "tally"))
    with closing(runner.run(dict.fromkeys(range(50), 1), Numbers(), [plan], Listener())) as results:
        assert next(results) in expected(50)
    assert squares(runner, 3, plan) == expected(3)


def test_claims_that_do_not_fit_are_refused(ray_runner: RayRunner, tmp_path: Path) -> None:
    if list(Path("/dev").glob("nvidia[0-9]*")):
        pytest.skip("this machine has GPUs")
    with pytest.raises(UserError, match="claim 2 GPUs, but there are 0"):
        squares(ray_runner, 8, Squares(str(tmp_path / "tally"), claims=Claims(gpus=1.0)))


def test_the_local_runner_closes_every_worker(tmp_path: Path) -> None:
    Squarer.closed = 0
    runner = LocalRunner()
    squares(runner, 8, Squares(str(tmp_path / "tally"), "die", 2))
    runner.close()
    assert Squarer.closed == 3


def test_engines_load_once_for_passes_that_need_the_same(ray_runner: RayRunner, tmp_path: Path) -> None:
    plan, other = Squares(str(tmp_path / "tally"), claims=Claims(workers=1)), Squares("", name="other")
    squares(ray_runner, 3, plan)
    (first,) = ray_runner._pools[0].actors
    squares(ray_runner, 3, other, plan)
    assert ray_runner._pools[1].actors == [first]
    squares(ray_runner, 3, other)
    assert first not in ray_runner._pools[0].actors


class TakesOneBack(Listener):
    """Takes a worker from the pool once another one works."""

    def __init__(self, runner: RayRunner) -> None:
        self._runner = runner

    def moved(self, event: Moved) -> None:
        self._runner._pools[0].resize(1)


def test_a_worker_can_be_taken_back_before_it_has_loaded(ray_runner: RayRunner, tmp_path: Path) -> None:
    plan = OneOpens(str(tmp_path / "tally"))
    blocks = dict.fromkeys(range(30), 1)
    done = list(ray_runner.run(blocks, Numbers(), [plan], TakesOneBack(ray_runner)))
    assert sorted(done, key=lambda one: one.block) == expected(30)
    assert len(ray_runner._pools[0].actors) == 1


class Watch(Listener):
    def __init__(self) -> None:
        self.events: list[Moved] = []

    def moved(self, event: Moved) -> None:
        self.events.append(event)


def test_every_part_tells_where_it_is(runner: Runner) -> None:
    watch = Watch()
    list(runner.run({0: 5, 1: 1}, Numbers(5), [Squares(""), Squares("", name="again")], watch))
    ways: dict[Part, list[str | None]] = {}
    for event in watch.events:
        ways.setdefault(event.part, []).append(event.pool)
    for block, rows in {0: 5, 1: 1}.items():
        parts = sorted((part for part in ways if part.block == block), key=lambda part: part.index)
        assert parts == [Part(block, index, len(parts)) for index in range(len(parts))]
        assert len(parts) in (min(rows, 3), rows), "as the block is cut, or a row each: late parts are smaller"
    assert all(way == ["squares", "again", None] for way in ways.values())
    assert sum(event.measure.rows for event in watch.events if event.part.block == 0 and event.pool is None) == 5


ONE, TWO = Squares("", claims=Claims(workers=1)), Squares("")
BATCHES = Squares("", takes_batches=True)
WHOLE = Squares("", keeps_blocks_whole=True)


@pytest.mark.parametrize(
    ("blocks", "plans", "sizes", "slots", "parts"),
    [
        pytest.param({0: 32, 1: 30}, [TWO], [2], [1], [4, 5], id="parts of eight rows, and fewer at the end"),
        pytest.param({0: 32, 1: 30}, [BATCHES], [2], [1], [1, 1], id="whole blocks, if every worker gets one"),
        pytest.param({0: 32, 1: 30, 2: 32}, [BATCHES], [2], [1], [1, 1, 2], id="what is left is for all workers"),
        pytest.param({0: 3}, [TWO], [2], [1], [3], id="late rows for all workers"),
        pytest.param({0: 1, 7: 3}, [TWO], [16], [1], [1, 3], id="never less than a row"),
        pytest.param({0: 6}, [TWO, BATCHES], [16, 2], [1, 1], [2], id="batches are not cut for the others"),
        pytest.param({0: 3, 1: 30}, [TWO, WHOLE], [2, 2], [1, 1], [1, 1], id="whole, for one that looks at all rows"),
        pytest.param({0: 32}, [BATCHES], [1], [16], [16], id="many blocks in flight are batches of their own"),
    ],
)
def test_how_blocks_are_cut(
    blocks: dict[int, int], plans: list[Squares], sizes: list[int], slots: list[int], parts: list[int]
) -> None:
    cut = cut_blocks(blocks, 8, plans, sizes, slots)
    assert [len(block) for block in cut] == parts
    assert [{part.block for part in block} for block in cut] == [{block} for block in blocks]


def test_the_parts_of_a_block_are_all_of_it() -> None:
    rows = list(range(30))
    for of in (1, 4, 7, 30, 31):
        assert [row for index in range(of) for row in Part(0, index, of).cut(rows)] == rows
