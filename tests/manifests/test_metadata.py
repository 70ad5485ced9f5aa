"""`metadata.json`: five facts for each dialogue, one JSON array, memory flat."""

import hashlib
import json
import tracemalloc

import pytest

from manifests.clips import write_clips
from manifests.manifest import MetadataFile
from manifests.metadata import write_metadata
from manifests.storage import open_place
from parley.testing.corpora import make_failed, make_kept

GENDERS = {"voice-user": "male", "voice-agent": "female"}


def test_golden_entry(tmp_path):
    (row,) = write_clips(open_place(tmp_path), [make_kept(0)])
    write_metadata(open_place(tmp_path / "metadata.json"), [row], GENDERS)
    assert json.loads((tmp_path / "metadata.json").read_text()) == [
        {
            "dialogue_id": "made-00000000",
            "language": "en",
            "speakers": {"user": "voice-user", "agent": "voice-agent"},
            "gender": {"user": "male", "agent": "female"},
            "turns": [
                {"role": "user", "text": "what is number 0", "audio": "audio/kept/ec/made-00000000_0_user.wav"},
                {"role": "agent", "text": "it is number 0", "audio": "audio/kept/ec/made-00000000_1_agent.wav"},
            ],
        }
    ]


def test_what_is_not_known_is_null(tmp_path):
    write_metadata(open_place(tmp_path / "metadata.json"), [make_kept(0), make_failed(1)], {"voice-user": "male"})
    kept, failed = json.loads((tmp_path / "metadata.json").read_text())
    assert kept["gender"] == {"user": "male", "agent": None}
    assert failed["speakers"] == failed["gender"] == {"user": None, "agent": None}
    assert failed["turns"] == [{"role": "user", "text": "say 1", "audio": None}]


@pytest.mark.parametrize("count", [0, 1, 2, 25])
def test_it_is_one_array(tmp_path, count):
    path = tmp_path / "metadata.json"
    written = write_metadata(open_place(path), (make_kept(i) for i in range(count)), GENDERS)
    assert written == MetadataFile(path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    assert [entry["dialogue_id"] for entry in json.loads(path.read_text())] == [f"made-{i:08x}" for i in range(count)]


def test_memory_is_flat(tmp_path):
    row = make_kept(0)
    tracemalloc.start()
    write_metadata(open_place(tmp_path / "metadata.json"), (row for _ in range(5000)), GENDERS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "metadata.json").stat().st_size > 1_000_000
    assert peak < 200_000


def test_an_error_leaves_no_file(tmp_path):
    def rows():
        yield make_kept(0)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_metadata(open_place(tmp_path / "metadata.json"), rows(), GENDERS)
    assert list(tmp_path.iterdir()) == []
