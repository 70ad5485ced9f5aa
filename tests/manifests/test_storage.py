"""Places: files that are whole or not there."""

import os
import stat
import sys
from pathlib import Path

import pytest
from pyarrow import fs as pafs

from manifests.errors import UserError
from manifests.storage import open_place


def test_a_file_takes_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    place = open_place(tmp_path) / "new" / "file.txt"
    with pytest.raises(RuntimeError), place.writing() as file:
        file.write(b"half")
        assert not place.exists()
        raise RuntimeError
    assert not place.exists()
    assert list((tmp_path / "new").iterdir()) == []
    with place.writing() as file:
        file.write(b"whole")
        assert not place.exists()
    assert place.read_bytes() == b"whole"


def test_an_interrupted_rewrite_leaves_the_old_file(tmp_path: Path) -> None:
    place = open_place(tmp_path) / "file.txt"
    place.write_text("old")
    with pytest.raises(KeyboardInterrupt), place.writing() as file:
        file.write(b"new")
        raise KeyboardInterrupt
    assert place.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_a_file_is_on_disk_before_it_takes_its_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, synced = open_place(tmp_path) / "file.txt", []

    def fsync(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), place.exists()))

    monkeypatch.setattr("os.fsync", fsync)
    place.write_text("whole")
    assert synced == [(False, False), (True, True)]


def test_what_a_killed_writer_left_is_not_listed_and_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / ".tmp-0123-unit.parquet").write_bytes(b"half")
    (tmp_path / "whole").write_bytes(b"")
    place = open_place(tmp_path)
    assert [found.name for found in place.list()] == ["whole"]
    place.delete_leftovers("parquet")
    place.delete_leftovers("whole")
    assert len(list(tmp_path.iterdir())) == 2, "only those of the file that is named"
    place.delete_leftovers("unit.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
    (tmp_path / ".tmp-0123-other").write_bytes(b"half")
    place.delete_leftovers()
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_listing_is_sorted_and_empty_where_nothing_is(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (open_place(tmp_path) / name).write_text("")
    assert [found.name for found in open_place(tmp_path).list()] == ["a", "b", "c"]
    assert (open_place(tmp_path) / "nowhere").list() == []


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("nosuch://x/y", "neither pyarrow nor fsspec has a filesystem nosuch"),
        ("ftp://127.0.0.1:1/file", "cannot open ftp:// locations here: .*refused"),
        ("az://container/file", "Install adlfs to access"),
        ("github://file", "cannot open github:// locations here"),
        ("~nobody-of-that-name/x", "cannot open ~nobody-of-that-name/x"),
    ],
)
def test_a_location_that_cannot_be_opened_is_the_users_to_mend(uri: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        open_place(uri)


@pytest.mark.parametrize(("query", "seconds"), [("", 120), ("?scheme=http", 120), ("?retry_limit_seconds=7", 7)])
def test_google_storage_that_is_not_reached_is_given_up_after_two_minutes(query: str, seconds: int) -> None:
    place = open_place(f"gs://anonymous@bucket/corpus{query}")
    expected, path = pafs.FileSystem.from_uri(f"gs://anonymous@bucket/corpus?retry_limit_seconds={seconds}")
    assert (place.filesystem, place.path) == (expected, path)
    assert place.filesystem != pafs.FileSystem.from_uri("gs://anonymous@bucket/corpus")[0]


def test_what_a_filesystem_lacks_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JAVA_HOME", "HADOOP_HOME", "ARROW_LIBHDFS_DIR"):
        monkeypatch.setenv(name, "/nowhere")
    with pytest.raises(UserError, match=r"^cannot open hdfs:// locations here: .*install both, set JAVA_HOME.*$"):
        open_place("hdfs://127.0.0.1:1/corpus")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UserError, match=r"no filesystem memory; install fsspec"):
        open_place("memory://corpus")


def test_deleting_takes_files_directories_and_nothing(tmp_path: Path) -> None:
    place = open_place(tmp_path)
    (place / "d" / "f").write_text("")
    (place / "d").delete()
    (place / "file").write_text("")
    (place / "file").delete()
    (place / "nothing").delete()
    assert place.list() == []


def test_a_place_inside_a_directory(tmp_path):
    corpus = open_place(tmp_path / "corpus")
    assert corpus.is_inside(corpus) and (corpus / "a" / "b").is_inside(corpus)
    assert not open_place(tmp_path / "corpus-report").is_inside(corpus) and not open_place(tmp_path).is_inside(corpus)
