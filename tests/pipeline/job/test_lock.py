"""One owner of a directory at a time, and none once its process is gone."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.errors import ResumeRefused
from manifests.storage import Place, open_place
from pipeline.job import lock
from pipeline.job import run as running
from pipeline.job.listener import Listener
from pipeline.job.lock import hold, is_of_lock
from pipeline.job.pack import pack
from tests.pipeline.tone_job import StopAfter, files_of, make_job, run_stage, run_tone

REFUSED = "another job is at work in this --out"


@pytest.fixture(params=["kernel", "objects"])
def work(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A directory with the kernel's lock, and one where the file system knows no locks."""
    monkeypatch.setattr(lock, "BEAT_S", 0.05)
    monkeypatch.setattr(lock, "EXPIRY_S", 1.0)
    if request.param == "objects":
        monkeypatch.setattr("fcntl.flock", _no_locks)
    return open_place(tmp_path / "work")


def _no_locks(file: object, operation: int) -> None:
    raise OSError(95, "Operation not supported")


def test_the_second_is_refused_until_the_first_has_ended(work: Place) -> None:
    with hold(work) as owner:
        for _ in range(2):
            with pytest.raises(ResumeRefused, match=REFUSED), hold(work):
                pytest.fail("two owners")
        owner.check()
    with hold(work) as owner:
        owner.check()
    assert all(map(is_of_lock, work.list()))


def _hold_for_ever(path: str, held: "multiprocessing.synchronize.Event") -> None:
    with hold(open_place(path)):
        held.set()
        signal.pause()


def test_a_killed_owner_holds_nothing(work: Place) -> None:
    processes = multiprocessing.get_context("fork")
    held = processes.Event()
    child = processes.Process(target=_hold_for_ever, args=(work.path, held))
    child.start()
    assert held.wait(20)
    with pytest.raises(ResumeRefused, match=REFUSED), hold(work):
        pytest.fail("two owners")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    with hold(work):
        pass
    assert all(map(is_of_lock, work.list()))


@pytest.mark.parametrize("work", ["objects"], indirect=True)
def test_an_owner_that_was_silent_too_long_learns_that_it_has_lost(work: Place) -> None:
    with hold(work) as owner:
        for place in (work / "owners").list():
            place.delete()
        deadline = time.monotonic() + 20
        with pytest.raises(ResumeRefused, match="another job has taken this --out over"):
            while time.monotonic() < deadline:
                owner.check()
                time.sleep(0.01)


@pytest.mark.parametrize("work", ["objects"], indirect=True)
def test_of_many_that_come_at_once_at_most_one_gets_in(work: Place) -> None:
    owners, refused, start = [], [], threading.Barrier(6)
    done = threading.Event()

    def come() -> None:
        start.wait()
        try:
            with hold(work):
                owners.append(1)
                done.wait(20)
        except ResumeRefused:
            refused.append(1)

    threads = [threading.Thread(target=come) for _ in range(6)]
    for thread in threads:
        thread.start()
    while len(owners) + len(refused) < 6:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert len(owners) <= 1
    with hold(work):
        pass


class AtFirstBlock(Listener):
    """Tries to start the same job a second time, while the first one is at work."""

    def __init__(self, attempt: object) -> None:
        self.attempt, self.errors = attempt, list[str]()

    def finished(self, report: object) -> None:
        with pytest.raises(ResumeRefused) as error:
            self.attempt()  # type: ignore[operator]
        self.errors.append(str(error.value))


def test_no_second_job_begins_beside_the_first(finished: Path, input_file: str, tmp_path: Path) -> None:
    job, out = make_job(input_file), tmp_path / "corpus"
    listener = AtFirstBlock(lambda: run_tone(job, out))
    run_tone(job, out, listener=listener)
    assert len(listener.errors) == 6 and all(REFUSED in error for error in listener.errors)
    assert files_of(out) == files_of(finished)

    blocks = tmp_path / "blocks"
    running.ingest_job(job, open_place(blocks), Listener())
    listener = AtFirstBlock(lambda: run_stage("rewrite", job, blocks, tmp_path / "rewritten"))
    run_stage("rewrite", job, blocks, tmp_path / "rewritten", listener)
    assert len(listener.errors) == 6 and all(REFUSED in error for error in listener.errors)


def test_the_loser_of_a_race_finds_the_finished_corpus(
    finished: Path, input_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another job finishes between the first look for a manifest and the lock."""
    job, out = make_job(input_file), tmp_path / "corpus"
    held = running.JobDirectory.owned

    def late(self: running.JobDirectory, *words: Place) -> object:
        monkeypatch.setattr(running.JobDirectory, "owned", held)
        run_tone(job, out)
        return held(self, *words)

    monkeypatch.setattr(running.JobDirectory, "owned", late)
    run_tone(job, out)
    assert files_of(out) == files_of(finished)


def test_pack_never_deletes_the_clips_of_a_finished_corpus(finished: Path, input_file: str) -> None:
    before, job, place = files_of(finished), make_job(input_file), open_place(finished)
    directory = running.JobDirectory(place, place / "work", ())
    with pytest.raises(ResumeRefused, match="already holds a finished corpus"):
        pack(
            place,
            [place / "work" / "take-1"],
            directory.parts,
            directory.counts,
            job.recipe,
            "digest",
            place / "work" / "packed",
            beside=("work",),
        )
    assert any(name.startswith("audio/") for name in before)
    assert files_of(finished) == before


@pytest.fixture(params=["nothing", "lock", "leftover"])
def beginning(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """What a job leaves that was killed before `job.json` had its name."""
    work = tmp_path / "corpus" / "work"
    work.mkdir(parents=True)
    if request.param != "nothing":
        (work / "lock").touch()
    if request.param == "leftover":
        (work / ".tmp-0123-job.json").write_text("{")
    yield work.parent


def test_a_job_killed_before_it_had_an_identity_goes_on(finished: Path, input_file: str, beginning: Path) -> None:
    run_tone(make_job(input_file), beginning)
    assert files_of(beginning) == files_of(finished)
    assert not list(beginning.rglob(".tmp-*"))


@pytest.mark.parametrize("name", ["work/lock", "work/mine", "work/owners/mine", "lock", "owners/mine"])
def test_a_lock_of_somebody_else_is_not_a_lock(name: str, input_file: str, tmp_path: Path) -> None:
    path = tmp_path / "out" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(ResumeRefused, match="is not empty"):
        run_tone(make_job(input_file), tmp_path / "out")
    with pytest.raises(ResumeRefused, match="is not empty"):
        running.ingest_job(make_job(input_file), open_place(tmp_path / "out"), Listener())
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == [path]


def test_half_written_files_beside_the_manifest_are_removed(finished: Path, input_file: str, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    with pytest.raises(KeyboardInterrupt):
        run_tone(make_job(input_file), out, listener=StopAfter(2))
    (out / ".tmp-0-metadata.json").write_text("[")
    run_tone(make_job(input_file), out)
    assert files_of(out) == files_of(finished)
    (out / ".tmp-0-manifest.json").write_text("{")
    run_tone(make_job(input_file), out)
    assert files_of(out) == files_of(finished)
