"""References for cloning in context: there and back again, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from manifests.errors import InputError, UserError
from manifests.storage import open_place
from pipeline.audio.samples import encode
from voicebank.bank import load_bank
from voicebank.exchange.entry import MetadataOverrides, read_side_table
from voicebank.exchange.transfer import SIDE_TABLE, export_voices, import_voices
from voicebank.tables import VoiceWriter, write_card
from voicebank.voice import Voice

RATE = 16_000


def bank(directory: Path, seconds: float = 4.0) -> Path:
    clips = [
        encode((0.3 * np.random.default_rng(n).normal(size=round(seconds * RATE))).astype(np.float32), RATE, "flac")
        for n in range(2)
    ]
    voices = [
        Voice("anna", "a", "x", "en", "female", prompt_audio=clips[0].bytes, prompt_text="Good  evening,\nall."),
        Voice("bo", "a", "x", "zh", "male", license="CC0-1.0", prompt_audio=clips[1].bytes, prompt_text="你好。"),
        Voice("named", "a", "x", "zh", "male"),
    ]
    with VoiceWriter(open_place(directory)) as writer:
        writer.write(voices)
    write_card(open_place(directory), {"name": "recorded"})
    return directory


def test_there_and_back_again(tmp_path: Path) -> None:
    out, back = tmp_path / "out", tmp_path / "back"
    before = load_bank(bank(tmp_path / "bank"))
    done = export_voices("icl", before, open_place(out))
    assert (done.voices, done.left_out, done.notes) == (2, 1, ())
    rows = [json.loads(line) for line in (out / "references.jsonl").read_text("utf-8").splitlines()]
    assert [(row["name"], row["ref_text"], row["language"]) for row in rows] == [
        ("anna", "Good evening, all.", "en"),
        ("bo", "你好。", "zh"),
    ]
    assert (out / "text").read_text("utf-8").splitlines()[0] == "anna Good evening, all."
    assert (out / "wav.scp").read_text().splitlines() == [f"{row['name']} {row['ref_audio']}" for row in rows]
    overrides = MetadataOverrides(by_name=read_side_table(open_place(out / SIDE_TABLE)))
    again = import_voices("icl", open_place(out), open_place(back), overrides, engine="cloner")
    assert (again.voices, again.rejects) == (2, ())
    for old, row, new in zip(before.voices, rows, load_bank(back).voices, strict=False):
        assert new.prompt_audio == old.prompt_audio, "not a sample is changed"
        assert soundfile.info(out / row["ref_audio"]).samplerate == RATE
        assert (new.engine, new.language, new.gender, new.license) == ("cloner", old.language, old.gender, old.license)


def test_what_cannot_be_taken_is_a_reject_or_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no readable references\.jsonl"):
        (tmp_path / "empty").mkdir()
        import_voices("icl", open_place(tmp_path / "empty"), open_place(tmp_path / "b1"), MetadataOverrides())
    out = tmp_path / "out"
    export_voices("icl", load_bank(bank(tmp_path / "bank")), open_place(out))
    lines = (out / "references.jsonl").read_text("utf-8").splitlines()
    bad = [
        '{"ref_audio": "../anna.wav", "ref_text": "x"}',
        "[]",
        '{"ref_audio": "clips/nobody.wav", "ref_text": "x"}',
        "{",
    ]
    (out / "references.jsonl").write_text("\n".join([*bad, *lines, lines[0]]), "utf-8")
    overrides = MetadataOverrides(gender="female", language="en")
    found = import_voices("icl", open_place(out), open_place(tmp_path / "b2"), overrides)
    assert found.voices == 2
    reasons = [reject.reason.value for reject in found.rejects]
    assert reasons == ["bad_name", "bad_metadata", "audio_missing", "bad_metadata", "duplicate"]
    with pytest.raises(UserError, match="it takes voices with a recording and its words"):
        export_voices("icl", load_bank("tone"), open_place(tmp_path / "none"))
