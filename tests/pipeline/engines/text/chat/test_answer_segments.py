"""Segments of answers: what a kill tears off is left out, and everything before it is found."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.engines.text._chat import answer_segments
from pipeline.engines.text._chat.answer_segments import AnswerSegments

ANSWERS = {hashlib.sha256(bytes([i])).hexdigest(): json.dumps({"text": "x" * i}).encode() for i in range(200)}
KEYS = list(ANSWERS)


def written(directory: Path, *keys: str) -> Path:
    """A closed segment with these answers; its lines."""
    before = set(directory.glob("*.answers"))
    store = AnswerSegments(directory)
    for key in keys:
        store.write(key, ANSWERS[key])
    store.close()
    (path,) = set(directory.glob("*.answers")) - before
    return path


def found(directory: Path) -> list[str]:
    """The keys whose answers a new reader finds; each answer is the right one."""
    store = AnswerSegments(directory)
    answers = {key: store.read(key) for key in KEYS}
    assert all(answer in (None, ANSWERS[key]) for key, answer in answers.items())
    return [key for key, answer in answers.items() if answer is not None]


def test_all_segments_are_read(tmp_path: Path) -> None:
    written(tmp_path, *KEYS[:150])
    written(tmp_path, *KEYS[100:])
    assert found(tmp_path) == KEYS
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("suffix", [".answers", ".index"])
def test_a_file_that_is_torn_anywhere_loses_only_what_is_torn(tmp_path: Path, suffix: str) -> None:
    lines = written(tmp_path, *KEYS[:9])
    whole, index = lines.read_bytes(), lines.with_suffix(".index")
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    torn = lines if suffix == ".answers" else index
    for size in range(torn.stat().st_size, -1, -1):
        os.truncate(torn, size)
        kept = sum(end <= size for end in ends) if suffix == ".answers" else 9
        assert found(tmp_path) == KEYS[:kept], size


def test_what_others_write_meanwhile_is_found_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = AnswerSegments(tmp_path), AnswerSegments(tmp_path)
    assert reader.read(KEYS[0]) is None
    for i, key in enumerate(KEYS):
        writer.write(key, ANSWERS[key])
        assert writer.read(key) == ANSWERS[key]
        if i % 30 == 7:
            monkeypatch.setattr(reader, "_looked", -answer_segments._LOOK_S)
            monkeypatch.setattr(writer, "_looked", -answer_segments._LOOK_S)
        assert (reader.read(key) is not None) == (i % 30 == 7)
    monkeypatch.setattr(reader, "_looked", -answer_segments._LOOK_S)
    assert [reader.read(key) for key in KEYS] == [writer.read(key) for key in KEYS] == list(ANSWERS.values())


def test_a_broken_index_leads_to_no_wrong_answer(tmp_path: Path) -> None:
    lines = written(tmp_path, *KEYS[:5])
    index = lines.with_suffix(".index")
    index.write_bytes(os.urandom(16 * 7))
    assert set(found(tmp_path)) <= set(KEYS[:5])
    index.write_bytes(bytes(16 * 5))
    assert found(tmp_path) == KEYS[:5]


ENDLESS = """
import sys
from pathlib import Path
from pipeline.engines.text._chat.answer_segments import AnswerSegments
store = AnswerSegments(Path(sys.argv[1]))
for i in range(10**9):
    key = f"{i:064x}"
    store.write(key, b'"%d"' % i)
    print(i, flush=True)
"""


def test_what_was_paid_survives_kill_9(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        said = [int(process.stdout.readline()) for _ in range(300)]
        process.send_signal(signal.SIGKILL)
    store = AnswerSegments(tmp_path)
    assert [store.read(f"{i:064x}") for i in said] == [b'"%d"' % i for i in said]
