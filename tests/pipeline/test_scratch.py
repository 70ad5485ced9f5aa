"""Temporary directories of killed processes go when the next process needs one; those of living ones stay."""

import os
import time
from pathlib import Path

import pytest

from manifests.storage import open_place
from pipeline import scratch
from pipeline.scratch import claim_directory, scratch_at, scratch_directory

PREFIX = "parley-test-"


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "_swept", set())


def make(parent: Path, name: str, age_s: float) -> Path:
    path = parent / f"{PREFIX}{name}"
    path.mkdir()
    (path / "clip.wav").write_bytes(b"sound")
    os.utime(path, times=(time.time() - age_s,) * 2)
    return path


def test_only_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    old, foreign, young, living = (make(tmp_path, name, 0.0) for name in ("old", "foreign", "young", "living"))
    claim_directory(old).close()
    claim_directory(young).close()
    claim = claim_directory(living)
    for path in (old, foreign, living):
        os.utime(path, times=(time.time() - 3600,) * 2)
    with scratch_directory(PREFIX) as own:
        assert own.parent == tmp_path
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
            path.name for path in (foreign, young, living, own)
        )
    assert not own.exists()
    claim.close()


def test_a_directory_of_a_job_begins_empty_and_goes(tmp_path: Path) -> None:
    place = open_place(tmp_path) / "work" / "ids"
    (place / "ids.sqlite").write_text("left behind")
    with scratch_at(place, PREFIX) as path:
        assert str(path) == place.path and not list(path.iterdir())
        (path / "ids.sqlite").write_text("new")
    assert not path.exists()


def test_an_object_store_has_its_scratch_in_the_temporary_directory(tmp_path: Path) -> None:
    class Remote:
        is_local = False

    with scratch_at(Remote(), PREFIX) as path:  # type: ignore[arg-type]
        assert path.parent == tmp_path and path.name.startswith(PREFIX)
    assert not path.exists()
