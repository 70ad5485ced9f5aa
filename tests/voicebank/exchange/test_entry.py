"""What is not known is said, never guessed: the side table, and the errors without it."""

import re
from pathlib import Path

import pytest

from manifests.errors import InputError, UserError
from manifests.storage import open_place
from voicebank.bank import load_bank, load_card
from voicebank.exchange.entry import (
    ImportReason,
    MetadataOverrides,
    VoiceEntry,
    complete,
    read_side_table,
    side_table,
    voice_id_of,
)
from voicebank.exchange.transfer import import_voices

ENTRIES = [VoiceEntry(f"n{i}", "chattts", "s") for i in range(8)]


def side(tmp_path: Path, text: str) -> dict[str, VoiceEntry]:
    (tmp_path / "side.csv").write_text(text, encoding="utf-8")
    return read_side_table(open_place(tmp_path / "side.csv"))


def test_the_side_table_knows_best(tmp_path: Path) -> None:
    table = side(tmp_path, "\ufeffname,gender,language,role,license\na,male,en,agent,CC0-1.0\nb,,,,\n")
    entries = [VoiceEntry("a", "chattts", "s", gender="female", language="zh"), VoiceEntry("b", "chattts", "s")]
    first, second = complete(entries, MetadataOverrides("female", "fr", "MIT", table))
    assert (first.gender, first.language, first.agent, first.license) == ("male", "en", True, "CC0-1.0")
    assert (second.gender, second.language, second.agent, second.license) == ("female", "fr", False, "MIT")


def test_what_goes_out_comes_back(tmp_path: Path) -> None:
    voices = load_bank("offline").voices
    table = side(tmp_path, side_table(voices))
    assert [(e.name, e.gender, e.language, e.agent, e.license) for e in table.values()] == [
        (v.voice_id, v.gender, v.language, v.agent, v.license) for v in voices
    ]


N1 = {"n1": VoiceEntry("n1", "", "", gender="female")}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            MetadataOverrides(language="en"),
            r"the gender of 'n0', 'n1', 'n2', 'n3', 'n4' and 3 more is not known: .* --genders",
        ),
        (MetadataOverrides(gender="male"), r"the language of 'n0', .* is not known: give it with --language"),
        (MetadataOverrides(), r"the gender .*; the language"),
        (MetadataOverrides("male", "en", by_name=N1), None),
        (
            MetadataOverrides(None, "en", by_name=N1),
            "the gender of 'n0', 'n2', ",
        ),
    ],
)
def test_what_is_not_known_is_an_error(overrides: MetadataOverrides, message: str | None) -> None:
    if message is None:
        assert [voice.gender for voice in complete(ENTRIES, overrides)] == ["male", "female", *["male"] * 6]
        return
    with pytest.raises(InputError, match=message):
        complete(ENTRIES, overrides)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line must name the columns"),
        ("voice,gender\na,male\n", "the first line must name the columns"),
        ("name,gender,age\na,male,5\n", "the first line must name the columns"),
        ("name,gender\na,man\n", "line 2: gender 'man' is neither female nor male"),
        ("name,gender\na,male\na,male\n", "line 3: 'a' appears twice"),
        ("name,gender\n,male\n", "line 2: it has more cells than columns, or no name"),
        ("name,gender\na,male,x\n", "line 2: it has more cells than columns"),
        ("name,role\na,boss\n", "line 2: role 'boss' is neither user nor agent"),
        ('name,gender\n"a,male\n', "not a readable CSV"),
    ],
)
def test_a_wrong_side_table_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        side(tmp_path, text)
    assert str(tmp_path) not in str(caught.value)


def test_a_side_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: not a readable CSV file in UTF-8 \(FileNotFoundError\)"):
        read_side_table(open_place(tmp_path / "gone.csv"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("anna-1", "anna-1"), ("Anna 1", r"anna-1-[0-9a-f]{10}"), ("中", "x-[0-9a-f]{10}"), ("../..", "x-[0-9a-f]{10}")],
)
def test_ids(name: str, expected: str) -> None:
    assert re.fullmatch(expected, voice_id_of(name, "x"))


def test_two_names_with_one_id_are_an_error() -> None:
    named = VoiceEntry("Anna", "chattts", "s")
    clash = VoiceEntry(voice_id_of("Anna", "chattts"), "chattts", "s")
    with pytest.raises(InputError, match="two voices would both be"):
        complete([named, clash], MetadataOverrides("male", "en"))


def test_every_reason_has_a_meaning() -> None:
    assert all(reason.meaning for reason in ImportReason)


@pytest.mark.parametrize("there", ["voices.jsonl", "voices.parquet", "speakers.parquet", "card.json"])
def test_a_bank_is_never_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / "x.jsonl").write_text('{"name": "a", "speaker": "s"}')
    (tmp_path / there).write_text("mine")
    with pytest.raises(UserError, match="holds a voice bank already"):
        import_voices(
            "chattts", open_place(tmp_path / "x.jsonl"), open_place(tmp_path), MetadataOverrides("male", "en")
        )
    assert (tmp_path / there).read_text() == "mine"


def test_the_card_counts_and_names_no_path(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"name": "a", "speaker": "s"}\n{"name": "b", "speaker": "s"}\n{\n')
    table = {"a": VoiceEntry("a", "", "", gender="female", license="MIT"), "gone": VoiceEntry("gone", "", "")}
    overrides = MetadataOverrides("male", "en", by_name=table)
    done = import_voices("chattts", open_place(tmp_path / "x.jsonl"), open_place(tmp_path / "my-bank"), overrides)
    assert done.notes == ("the side table names 'gone', which did not become a voice (1 such)",)
    card = load_card(tmp_path / "my-bank")
    assert (card["name"], card["kind"], card["real_people"]) == ("my-bank", "voices", None)
    assert card["counts"] == {
        "entries": 3,
        "voices": 2,
        "genders": {"female": 1, "male": 1},
        "languages": {"en": 2},
        "rejects": {"bad_metadata": 1},
    }
    assert [source["license"] for source in card["sources"]] == [None, "MIT"]
    assert str(tmp_path) not in (tmp_path / "my-bank" / "card.json").read_text()


def test_what_the_card_must_not_hold_stops_the_import_before_it_writes(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"name": "a", "speaker": "s"}')
    overrides = MetadataOverrides("male", "en", license="see /home/me/LICENSE")
    with pytest.raises(UserError, match=r"sources\.license: .* must not hold paths"):
        import_voices("chattts", open_place(tmp_path / "x.jsonl"), open_place(tmp_path / "bank"), overrides)
    assert not (tmp_path / "bank").exists()
