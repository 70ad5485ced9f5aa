"""A bank's recordings stay in its file until somebody asks for one."""

import gc
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.errors import CorpusError
from manifests.storage import open_place
from voicebank.bank import load_bank
from voicebank.cast import Casting
from voicebank.inputs import VoiceInputs, assigned
from voicebank.stored_clips import StoredVoice
from voicebank.tables import VOICES_TABLE, VoiceWriter, write_card
from voicebank.voice import Voice

SIZE = 100_000
COUNT = 200


def voice(number: int, recorded: bool = True, size: int = SIZE) -> Voice:
    clip = np.random.default_rng(number).bytes(size) if recorded else None
    return Voice(f"v-{number}", "cloner", "x", "en", "female", 1.1, prompt_audio=clip, prompt_text="Words.")


def write(directory: Path, voices: list[Voice]) -> Path:
    with VoiceWriter(open_place(directory)) as writer:
        writer.write(voices)
    write_card(open_place(directory), {"name": "stored"})
    return directory


def test_memory_does_not_hold_the_recordings(tmp_path: Path) -> None:
    write(tmp_path, [voice(number) for number in range(COUNT)])
    gc.collect()
    arrow = pa.total_allocated_bytes()
    tracemalloc.start()
    bank = load_bank(tmp_path)  # with its digest, for which every recording is read
    cloned = assigned(bank.voices, {"other": VoiceInputs(clips=True)}, ["other"])
    kept = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - arrow
    tracemalloc.stop()
    assert len(cloned) == COUNT and all(one.is_recorded and one.engine == "other" for one in cloned)
    assert kept < COUNT * SIZE / 2, f"{kept:,} bytes are held"
    casting = Casting(bank, ["cloner"])
    for number in (0, COUNT - 1, 17):
        assert casting[f"v-{number}"].prompt_audio == cloned[number].prompt_audio == voice(number).prompt_audio


def test_a_stored_voice_is_the_same_voice(tmp_path: Path) -> None:
    written = [voice(number, recorded=number % 3 > 0, size=50) for number in range(40)]
    found = load_bank(write(tmp_path, written)).voices
    assert [isinstance(one, StoredVoice) for one in found] == [number % 3 > 0 for number in range(40)]
    assert list(found) == written and [hash(one) for one in found] == [hash(one) for one in written]
    assert found[1] != written[2]
    again = pickle.loads(pickle.dumps(found))
    assert list(again) == written and "prompt_audio" not in repr(again[1])


def test_damage_inside_a_recording_is_one_sentence(tmp_path: Path) -> None:
    written = [voice(number, size=20_000) for number in range(3)]
    file = write(tmp_path, written) / VOICES_TABLE
    data = bytearray(file.read_bytes())
    place = data.find((written[1].prompt_audio or b"")[:64])
    assert place > 0
    data[place] ^= 1
    file.write_bytes(data)
    with pytest.raises(CorpusError, match=r"voices\.parquet: damaged"):
        load_bank(tmp_path)
