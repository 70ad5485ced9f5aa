"""CleanS2S's reference clips: both forms, and what people put into such directories."""

import io
import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from manifests.errors import InputError
from manifests.storage import open_place
from voicebank.bank import load_bank, load_card
from voicebank.exchange.entry import ImportReason, MetadataOverrides, read_side_table
from voicebank.exchange.transfer import Imported, export_voices, import_voices

OVERRIDES = MetadataOverrides(gender="female", language="zh")


def wav(path: Path, seconds: float = 12.0, rate: int = 16_000, channels: int = 1, level: float = 0.3) -> Path:
    """A tone, the second channel silent."""
    samples = np.zeros((round(seconds * rate), channels), np.float32)
    samples[:, 0] = level * np.sin(np.arange(len(samples)) * 2 * np.pi * 220 / rate)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


def references(path: Path, rows: Any) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "ref.json").write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
    return path


def row(name: Any, text: Any = "今天的风很舒服。") -> dict[str, Any]:
    return {"ref_wav_path": name, "prompt_text": text}


def imported(source: Path, out: Path, overrides: MetadataOverrides = OVERRIDES) -> Imported:
    return import_voices("cleans2s", open_place(source), open_place(out), overrides)


def rejects(result: Imported) -> list[tuple[str, ImportReason]]:
    return [(reject.name, reject.reason) for reject in result.rejects]


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_clips_become_voices_with_mono_flac_at_their_own_rate(tmp_path: Path, rate: int) -> None:
    wav(tmp_path / "in" / "ref_wav" / "anna.wav", 12.5, rate)
    wav(tmp_path / "in" / "ref_wav" / "ben.wav", 15, rate, channels=2)
    references(tmp_path / "in", [row("anna.wav"), row("ben.wav", " Hello there. \n")])
    done = imported(tmp_path / "in", tmp_path / "bank")
    assert (done.voices, done.rejects, done.notes) == (2, (), ())
    anna, ben = load_bank(tmp_path / "bank").voices
    assert (anna.voice_id, anna.engine, anna.speaker, anna.language) == ("anna", "cosyvoice", "anna", "zh")
    assert [anna.prompt_text, ben.prompt_text] == ["今天的风很舒服。", "Hello there."]
    assert (anna.prompt_audio or b"")[:4] == b"fLaC"
    samples, heard_rate = soundfile.read(io.BytesIO(anna.prompt_audio or b""), dtype="int16")
    original, _ = soundfile.read(tmp_path / "in" / "ref_wav" / "anna.wav", dtype="int16")
    assert heard_rate == rate
    assert np.array_equal(samples, original)
    mixed, _ = soundfile.read(io.BytesIO(ben.prompt_audio or b""))
    assert mixed.ndim == 1
    assert np.max(np.abs(mixed)) == pytest.approx(0.15, abs=0.01)
    assert load_card(tmp_path / "bank")["real_people"] is True


def test_the_plain_form(tmp_path: Path) -> None:
    for seconds, name, text in ((11, "b", "乙。"), (12, "A", "\ufeff甲。\n"), (13, "silent", None)):
        wav(tmp_path / "in" / f"{name}.wav", seconds)
        if text:
            (tmp_path / "in" / f"{name}.txt").write_text(text, encoding="utf-8")
    wav(tmp_path / "in" / "latin.wav")
    (tmp_path / "in" / "latin.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "in" / "notes.md").write_text("nothing")
    done = imported(tmp_path / "in", tmp_path / "bank")
    assert [(v.speaker, v.prompt_text) for v in load_bank(tmp_path / "bank").voices] == [("A", "甲。"), ("b", "乙。")]
    assert rejects(done) == [("latin.wav", ImportReason.UNREADABLE), ("silent.wav", ImportReason.TEXT_MISSING)]


@pytest.mark.parametrize(
    ("seconds", "taken", "noted"),
    [
        (2.9, False, False),
        (3.0, True, True),
        (9.9, True, True),
        (10.0, True, False),
        (20.0, True, False),
        (20.1, True, True),
        (30.0, True, True),
        (30.1, False, False),
    ],
)
def test_how_long_a_clip_may_be(tmp_path: Path, seconds: float, taken: bool, noted: bool) -> None:
    wav(tmp_path / "in" / "ref_wav" / "a.wav", seconds, 8_000)
    wav(tmp_path / "in" / "ref_wav" / "good.wav", 12, 8_000)
    done = imported(references(tmp_path / "in", [row("a.wav"), row("good.wav")]), tmp_path / "bank")
    assert done.voices == 1 + taken
    assert rejects(done) == ([] if taken else [("a.wav", ImportReason.BAD_DURATION)])
    assert done.notes == ((f"a.wav: {seconds:.1f} s of speech; CleanS2S asks for 10 to 20",) if noted else ())


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (row("../outside.wav"), ImportReason.BAD_NAME),
        (row("ref_wav/good.wav"), ImportReason.BAD_NAME),
        (row("..\\outside.wav"), ImportReason.BAD_NAME),
        (row("C:outside.wav"), ImportReason.BAD_NAME),
        (row("/etc/hostname"), ImportReason.BAD_NAME),
        (row(".."), ImportReason.BAD_NAME),
        (row(""), ImportReason.BAD_NAME),
        (row("good.wav"), ImportReason.DUPLICATE),
        (row("same.wav"), ImportReason.DUPLICATE),
        (row("gone.wav"), ImportReason.AUDIO_MISSING),
        (row("n" * 300 + ".wav"), ImportReason.AUDIO_MISSING),
        (row("名" * 100 + ".wav"), ImportReason.AUDIO_MISSING),
        (row("\ud800.wav"), ImportReason.BAD_NAME),
        (row("zeros.wav"), ImportReason.SILENT),
        (row("hiss.wav"), ImportReason.SILENT),
        (row("noise.wav"), ImportReason.UNREADABLE),
        (row("empty.wav"), ImportReason.UNREADABLE),
        (row("nan.wav"), ImportReason.UNREADABLE),
        (row("other.wav", ""), ImportReason.TEXT_MISSING),
        (row("other.wav", None), ImportReason.TEXT_MISSING),
        (row("other.wav", ["x"]), ImportReason.TEXT_MISSING),
        (row(5), ImportReason.BAD_METADATA),
        (row("other.wav", "\ud800"), ImportReason.BAD_METADATA),
        ({}, ImportReason.BAD_METADATA),
        ("other.wav", ImportReason.BAD_METADATA),
        (None, ImportReason.BAD_METADATA),
    ],
)
def test_an_odd_row_is_a_reject_with_a_reason(tmp_path: Path, odd: Any, reason: ImportReason) -> None:
    clips = tmp_path / "in" / "ref_wav"
    wav(clips / "good.wav", 12, 8_000)
    wav(clips / "same.wav", 12, 8_000)
    wav(clips / "other.wav", 13, 8_000)
    wav(tmp_path / "in" / "outside.wav", 14, 8_000)
    (clips / "noise.wav").write_bytes(b"RIFF" + bytes(range(256)))
    (clips / "empty.wav").write_bytes(b"")
    wav(clips / "zeros.wav", 12, 8_000, level=0)
    wav(clips / "hiss.wav", 12, 8_000, level=0.0005)
    soundfile.write(clips / "nan.wav", np.full(96_000, np.nan, np.float32), 8_000, subtype="FLOAT")
    done = imported(references(tmp_path / "in", [row("good.wav"), odd]), tmp_path / "bank")
    assert (done.voices, [reject.reason for reject in done.rejects]) == (1, [reason])
    assert load_card(tmp_path / "bank")["counts"]["rejects"] == {reason.value: 1}
    assert str(tmp_path) not in done.rejects[0].detail


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_may_be_in_another_normal_form_than_the_file(tmp_path: Path, forms: tuple[str, str]) -> None:
    listed, stored = (unicodedata.normalize(form, "José") for form in forms)
    wav(tmp_path / "in" / "ref_wav" / f"{stored}.wav", 12, 8_000)
    done = imported(references(tmp_path / "in", [row(f"{listed}.wav"), row(f"{stored}.wav")]), tmp_path / "bank")
    assert [voice.speaker for voice in load_bank(tmp_path / "bank").voices] == [unicodedata.normalize("NFC", "José")]
    assert rejects(done) == [(f"{stored}.wav", ImportReason.DUPLICATE)]
    wav(tmp_path / "plain" / f"{stored}.wav", 12, 8_000)
    (tmp_path / "plain" / f"{listed}.txt").write_text("你好。", encoding="utf-8")
    assert imported(tmp_path / "plain", tmp_path / "other").voices == 1


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "\x00"])
def test_a_broken_list_is_one_clear_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"^ref\.json: "):
        imported(references(tmp_path / "in", text), tmp_path / "bank")
    assert not (tmp_path / "bank").exists()


def test_a_directory_without_clips(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"^in: it holds neither ref\.json nor any \.wav"):
        imported(tmp_path / "in", tmp_path / "bank")
    with pytest.raises(InputError, match="gone: there is no such file or directory"):
        imported(tmp_path / "gone", tmp_path / "bank")


def test_clips_go_out_and_come_back(tmp_path: Path) -> None:
    for i, name in enumerate(["anna", "Ben"]):
        wav(tmp_path / "in" / "ref_wav" / f"{name}.wav", 12 + i, 24_000)
    references(tmp_path / "in", [row("anna.wav"), row("Ben.wav", "Hello.")])
    imported(tmp_path / "in", tmp_path / "bank")
    before = load_bank(tmp_path / "bank")
    done = export_voices("cleans2s", before, open_place(tmp_path / "out"))
    assert (done.voices, done.left_out, done.notes) == (2, 0, ())
    overrides = MetadataOverrides(by_name=read_side_table(open_place(tmp_path / "out" / "genders.csv")))
    imported(tmp_path / "out", tmp_path / "back", overrides)
    after = load_bank(tmp_path / "back")
    assert [(v.voice_id, v.prompt_text, v.prompt_audio, v.gender) for v in after.voices] == [
        (v.voice_id, v.prompt_text, v.prompt_audio, v.gender) for v in before.voices
    ]


def test_a_name_that_no_file_can_have_is_one_reject(tmp_path: Path) -> None:
    wav(tmp_path / "in" / "ref_wav" / "anna.wav")
    names = ["x" * 300 + ".wav", "a\ud800.wav", "a\0.wav"]
    source = references(tmp_path / "in", [row("anna.wav"), *map(row, names)])
    result = imported(source, tmp_path / "out")
    assert result.voices == 1
    assert [reason for _, reason in rejects(result)] == [ImportReason.AUDIO_MISSING, *[ImportReason.BAD_NAME] * 2]


def test_a_list_that_is_nested_too_deep(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not readable as JSON"):
        imported(references(tmp_path / "in", "[" * 9000), tmp_path / "out")
