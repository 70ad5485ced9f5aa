"""The files that one --input names: folders, patterns, splits, streams; and the names that they get."""

import os
import threading
from pathlib import Path

import pytest

from manifests.errors import InputError, UserError
from pipeline.readers.files import common_folder, find_files
from pipeline.readers.splits import choose_split
from tests.tables import each_row

ROW = b'{"instruction": "a", "output": "b"}\n'


@pytest.fixture
def folder(tmp_path):
    """Makes a folder "set" of files with these names."""

    def make(*names):
        for name in names:
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(ROW)
        return tmp_path / "set"

    return make


def found(word, told=None):
    """Names of the data set and of the files."""
    files = find_files(str(word), (told if told is not None else []).append)
    assert all(place.path.endswith(name) for name, place in files.files)
    return files.dataset, [name for name, _ in files.files]


HUB = ["data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet"]
BESIDE = ["README.md", "dataset_infos.json", ".gitattributes", ".cache/x.json", "LICENSE", "card.yaml", "state.json"]
SPLITS = [
    # the files of a folder, those that are read, in what is left out
    (HUB, HUB, ""),
    ([*HUB, "data/test-00000-of-00001.parquet"], HUB, "test (1)"),
    (["train.jsonl", "valid.jsonl", "dev2.jsonl"], ["train.jsonl"], "validation (2)"),
    (["train.jsonl", "more.jsonl"], ["train.jsonl"], "no split (1)"),
    (["default/train/0000.parquet", "default/test/0000.parquet"], ["default/train/0000.parquet"], "test (1)"),
    (["b.jsonl", "a.json", "c.jsonl.gz"], ["a.json", "b.jsonl", "c.jsonl.gz"], ""),
    (["part-00001-9e.snappy.parquet", "part-00000-9e.snappy.parquet"],
     ["part-00000-9e.snappy.parquet", "part-00001-9e.snappy.parquet"], ""),
    (["test-00000-of-00001.parquet"], ["test-00000-of-00001.parquet"], ""),
    (["train-00000-of-00001-0f1e2d.parquet"], ["train-00000-of-00001-0f1e2d.parquet"], ""),
    (["latest.json", "contest.json"], ["contest.json", "latest.json"], ""),
]  # fmt: skip


@each_row(("names", "chosen", "left_out"), SPLITS)
def test_the_split_to_read_is_told_by_the_names(names, chosen, left_out):
    assert choose_split("set", names) == (chosen, left_out)


@each_row(
    ("names", "message"),
    [
        (["train_sft-00000-of-00001.parquet", "test_sft-00000-of-00001.parquet"], "the splits test_sft (test_sft-0"),
        (["en/train-0000.parquet", "zh/train-0000.parquet"], "in several folders ('en', 'zh'): name one of them"),
        (["a.json", "old/a.json"], "in several folders ('', 'old')"),
        (["test.json", "dev.json"], "the splits test (test.json), validation (dev.json): name the files"),
    ],
)
def test_a_folder_that_may_mean_several_things_is_refused(names, message):
    with pytest.raises(InputError) as error:
        choose_split("set", names)
    assert message in str(error.value)


def test_a_folder_of_the_hub_is_one_data_set(folder):
    told = []
    assert found(folder(*HUB, *BESIDE, "data/test-00000-of-00001.parquet", "notes.txt"), told) == ("set", HUB)
    assert [sentence.split(": ", 1)[1] for sentence in told] == [
        "left out, since by their names they are no JSON or Parquet: notes.txt",
        "2 files are read; left out: test (1)",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["README.md"], "holds no JSON or Parquet files"),
        (["train/data-00000-of-00001.arrow", "state.json"], "holds Arrow files only: write them as Parquet"),
        (["a.json", "a.parquet"], "holds JSON and Parquet files: name those to read by a pattern, such as"),
    ],
)
def test_folders_without_files_to_read_are_refused(folder, names, message):
    with pytest.raises(InputError, match=message):
        found(folder(*names))


def test_links_are_files_as_in_the_cache_of_the_hub(tmp_path, folder):
    blob = folder("blob") / "blob"
    cached = tmp_path / "datasets--owner--talks" / "snapshots" / "0123abcd" / "data"
    cached.mkdir(parents=True)
    (cached / "train-00000-of-00001.parquet").symlink_to(blob)
    assert found(cached.parent) == ("talks", ["data/train-00000-of-00001.parquet"])


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("set/*.jsonl", ["a.jsonl", "b.jsonl"]),
        ("set/[b-z].jsonl", ["b.jsonl"]),
        ("set/?.jsonl", ["a.jsonl", "b.jsonl"]),
        ("set/*", ["a.jsonl", "b.jsonl", "x.txt"]),
        ("set/**/*.jsonl", ["a.jsonl", "b.jsonl", "deep/d.jsonl", "deep/er/c.jsonl"]),
        ("set/deep/**", ["d.jsonl", "er/c.jsonl"]),
        ("s*/deep/*.jsonl", ["set/deep/d.jsonl"]),
    ],
)
def test_patterns_name_files_in_the_order_of_their_names(tmp_path, folder, pattern, names):
    folder("b.jsonl", "a.jsonl", "deep/er/c.jsonl", "deep/d.jsonl", "README.md", ".hidden.jsonl", "x.txt")
    folder(".git/x.jsonl", "deep/.cache/x.jsonl")
    assert found(tmp_path / pattern)[1] == names


def test_a_pattern_below_the_working_directory(folder, monkeypatch):
    monkeypatch.chdir(folder("a.jsonl", "b.jsonl"))
    assert found("*.jsonl") == ("set", ["a.jsonl", "b.jsonl"])


def test_a_pattern_on_another_file_system(folder):
    assert found(f"file://{folder('a.jsonl', 'b.jsonl')}/*.jsonl") == ("set", ["a.jsonl", "b.jsonl"])


def test_a_name_with_wildcards_in_it_is_a_name(folder):
    assert found(folder("a[1]*.json", "a1.json") / "a[1]*.json") == ("a-1", ["a[1]*.json"])


@pytest.mark.parametrize("word", ["set/*.csv", "set/READ*", "nowhere/*.json", "~no-such-user/*.json"])
def test_patterns_that_match_nothing(tmp_path, folder, word):
    folder("a.json", "README.md")
    with pytest.raises(UserError, match=r"no file matches|cannot open"):
        found(word if word.startswith("~") else tmp_path / word)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["/x/talks/data/a.parquet", "/x/talks/data/b.parquet"], "talks"),
        (["/x/talks/en/a.json", "/x/talks/zh/a.json"], "talks"),
        (["/a.json", "/b.json"], "input"),
        (["/x/en/talks/a.json", "/x/zh/talks/a.json"], "x"),
        (["/home/alice/data/a.json", "/home/alice/data/b.json"], "data"),
        (["/home/alice/a.json", "/home/alice/b.json"], "input"),
        (["/data/a.json", "/data/b.json"], "data"),
    ],
)
def test_files_that_a_shell_named_are_named_after_their_folder(words, name):
    assert common_folder(words) == name


def test_a_pipe_is_read_and_said_to_be(tmp_path):
    pipe, told = tmp_path / "pipe", []
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(ROW * 1000,))
    writer.start()
    files = find_files(str(pipe), told.append)
    writer.join()
    ((_, place),) = files.files
    assert (files.dataset, str(place), place.read_bytes()) == ("pipe", str(pipe), ROW * 1000)
    assert told == [f"reading {pipe}, a pipe, to its end"]


def test_the_copy_of_a_stream_goes_with_its_place(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(ROW,))
    writer.start()
    files = find_files(str(pipe), str)
    writer.join()
    copy = Path(files.files[0][1].path)
    assert copy.read_bytes() == ROW
    del files
    assert not copy.exists()


@pytest.mark.parametrize("word", ["", " "])
def test_an_empty_word_is_not_the_working_directory(word):
    with pytest.raises(InputError, match="an --input is empty"):
        find_files(word, str)


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_devices_are_refused(device):
    with pytest.raises(InputError, match="is a device or a socket: name a file"):
        find_files(device, str)


def test_a_terminal_is_not_waited_for(monkeypatch):
    class Terminal:
        closed = False

        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(InputError, match="there is nothing at standard input"):
        find_files("-", str)
