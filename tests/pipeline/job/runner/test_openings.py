"""Workers load in turns: the first of a pool alone, then so many at once, and one that dies holds nobody up."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from pipeline.job.runner.openings import opening_turn


class Loading:
    """Counts who loads at each moment: (pools that load, when one begins)."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._lock = directory, threading.Lock()
        self._now: list[str] = []
        self.seen: list[tuple[str, ...]] = []

    def load(self, pool: str) -> None:
        with opening_turn(self._directory, pool, at_once=3):
            with self._lock:
                self._now.append(pool)
                self.seen.append(tuple(self._now))
            time.sleep(0.05)
            with self._lock:
                self._now.remove(pool)


def test_the_first_of_a_pool_loads_alone_and_the_others_a_few_at_once(tmp_path: Path) -> None:
    loading = Loading(tmp_path / "openings")
    workers = [threading.Thread(target=loading.load, args=(pool,)) for pool in ["voices"] * 7 + ["proof"] * 7]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(loading.seen) == 14
    assert max(map(len, loading.seen)) == 3
    for pool in ("voices", "proof"):
        moments = [seen.count(pool) for seen in loading.seen if seen[-1] == pool]
        assert moments[0] == 1
        assert moments[1] == 1, "the second begins only when the first has loaded"
        assert max(moments) > 1


def test_one_that_dies_while_it_loads_holds_nobody_up(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pipeline.job.runner.openings import opening_turn\n"
        "with opening_turn(Path(sys.argv[1]), 'voices', at_once=1): print('loading', flush=True); time.sleep(60)"
    )
    dying = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert dying.stdout is not None and dying.stdout.readline() == "loading\n"
    os.kill(dying.pid, signal.SIGKILL)
    dying.wait()
    loading = Loading(tmp_path)
    second = threading.Thread(target=loading.load, args=("voices",))
    loading.load("voices")
    second.start()
    second.join(10)
    assert loading.seen == [("voices",), ("voices",)]


def test_a_file_in_the_way_of_the_locks_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "openings").write_text("")
    with opening_turn(tmp_path / "openings", "voices"):
        pass
