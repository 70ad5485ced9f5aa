"""Clip files: where they lie, what they hold, and that no id leads out of the corpus."""

from dataclasses import replace

import pytest

from manifests.clips import clip_path, write_clips
from manifests.errors import LawBroken
from manifests.storage import open_place
from parley.testing.corpora import make_failed, make_kept, make_rejected, with_take


def test_files_hold_the_bytes_and_rows_their_paths(tmp_path):
    rows = [make_kept(0), make_rejected(1), make_failed(2)]
    written = list(write_clips(open_place(tmp_path), rows))
    for before, after in zip(rows, written, strict=True):
        for number, turn in enumerate(after.turns):
            if turn.audio is not None:
                assert turn.audio.path == clip_path(before, number)
                assert (tmp_path / turn.audio.path).read_bytes() == turn.audio.bytes
        assert _without_paths(after) == before
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4


def _without_paths(dialogue):
    turns = [with_take(t, audio=replace(t.audio, path=None)) if t.audio else t for t in dialogue.turns]
    return replace(dialogue, turns=tuple(turns))


def test_paths_are_those_of_the_documentation():
    kept, rejected = make_kept(0), make_rejected(1)
    # sha256("made-00000000") begins with ec, sha256("made-00000001") with c8
    assert clip_path(kept, 0) == "audio/kept/ec/made-00000000_0_user.wav"
    assert clip_path(rejected, 1) == "audio/rejected/c8/made-00000001_1_agent.wav"


def test_order_is_kept_and_only_a_few_are_ahead(tmp_path, monkeypatch):
    monkeypatch.setattr("manifests.clips._AHEAD", 3)
    taken = []

    def source():
        for number in range(20):
            taken.append(number)
            yield make_kept(number, num_samples=10)

    written = write_clips(open_place(tmp_path), source())
    assert next(written).dialogue_id == "made-00000000"
    assert len(taken) == 3
    assert [row.dialogue_id for row in written] == [f"made-{number:08x}" for number in range(1, 20)]


@pytest.mark.parametrize(
    "changes",
    [
        {"dialogue_id": "../../etc/passwd"},
        {"dialogue_id": "a/b"},
        {"dialogue_id": ".."},
        {"dialogue_id": ".tmp-x"},
        {"dialogue_id": ""},
        {"dialogue_id": "a\n"},
        {"dialogue_id": "a\0b"},
        {"dialogue_id": "C:\\x"},
        {"dialogue_id": "a" * 201},
        {"status": "live"},
        {"status": "../kept"},
        {"role": "../user"},
        {"codec": "wav/../../x"},
        {"codec": ""},
        {"audio": None},
    ],
)
def test_nothing_escapes(tmp_path, changes):
    row = make_kept(0)
    turn, audio = row.turns[0], row.turns[0].audio
    of_row = {key: value for key, value in changes.items() if key in {"dialogue_id", "status"}}
    audio = changes.get("audio", replace(audio, codec=changes.get("codec", audio.codec)))
    turn = with_take(replace(turn, role=changes.get("role", turn.role)), audio=audio)
    with pytest.raises(LawBroken, match="has no safe name for a clip"):
        clip_path(replace(row, turns=(turn,), **of_row), 0)
