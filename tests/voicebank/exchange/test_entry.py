"""What is not known is said, never guessed: the side table, and the errors without it."""

import re
from pathlib import Path

import pytest

from manifests.errors import InputError, UserError
from manifests.storage import open_place
from voicebank.bank import load_bank, load_card
from voicebank.exchange.entry import Entry, ImportReason, Told, complete, read_side_table, side_table, voice_id_of
from voicebank.exchange.transfer import import_voices

ENTRIES = [Entry(f"n{i}", "chattts", "s") for i in range(8)]


def side(tmp_path: Path, text: str) -> dict[str, Entry]:
    (tmp_path / "side.csv").write_text(text, encoding="utf-8")
    return read_side_table(open_place(tmp_path / "side.csv"))


def test_the_side_table_knows_best(tmp_path: Path) -> None:
    table = side(tmp_path, "\ufeffname,gender,language,role,license\na,male,en,agent,CC0-1.0\nb,,,,\n")
    entries = [Entry("a", "chattts", "s", gender="female", language="zh"), Entry("b", "chattts", "s")]
    first, second = complete(entries, Told("female", "fr", "MIT", table))
    assert (first.gender, first.language, first.agent, first.license) == ("male", "en", True, "CC0-1.0")
    assert (second.gender, second.language, second.agent, second.license) == ("female", "fr", False, "MIT")


def test_what_goes_out_comes_back(tmp_path: Path) -> None:
    voices = load_bank("offline").voices
    table = side(tmp_path, side_table(voices))
    assert [(e.name, e.gender, e.language, e.agent, e.license) for e in table.values()] == [
        (v.voice_id, v.gender, v.language, v.agent, v.license) for v in voices
    ]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (Told(language="en"), r"the gender of 'n0', 'n1', 'n2', 'n3', 'n4' and 3 more is not known: .* --genders"),
        (Told(gender="male"), r"the language of 'n0', .* is not known: say it with --language"),
        (Told(), r"the gender .*; the language"),
        (Told("male", "en", side={"n1": Entry("n1", "", "", gender="female")}), None),
        (Told(None, "en", side={"n1": Entry("n1", "", "", gender="female")}), "the gender of 'n0', 'n2', "),
    ],
)
def test_what_is_not_known_is_an_error(told: Told, message: str | None) -> None:
    if message is None:
        assert [voice.gender for voice in complete(ENTRIES, told)] == ["male", "female", *["male"] * 6]
        return
    with pytest.raises(InputError, match=message):
        complete(ENTRIES, told)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line names the columns"),
        ("voice,gender\na,male\n", "the first line names the columns"),
        ("name,gender,age\na,male,5\n", "the first line names the columns"),
        ("name,gender\na,man\n", "line 2: gender 'man' is neither female nor male"),
        ("name,gender\na,male\na,male\n", "line 3: 'a' is there twice"),
        ("name,gender\n,male\n", "line 2: more cells than columns, or no name"),
        ("name,gender\na,male,x\n", "line 2: more cells than columns"),
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
    named = Entry("Anna", "chattts", "s")
    clash = Entry(voice_id_of("Anna", "chattts"), "chattts", "s")
    with pytest.raises(InputError, match="two voices would both be"):
        complete([named, clash], Told("male", "en"))


def test_every_reason_has_a_meaning() -> None:
    assert all(reason.meaning for reason in ImportReason)


@pytest.mark.parametrize("there", ["voices.jsonl", "voices.parquet", "speakers.parquet", "card.json"])
def test_a_bank_is_never_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / "x.jsonl").write_text('{"name": "a", "speaker": "s"}')
    (tmp_path / there).write_text("mine")
    with pytest.raises(UserError, match="holds a voice bank already"):
        import_voices("chattts", open_place(tmp_path / "x.jsonl"), open_place(tmp_path), Told("male", "en"))
    assert (tmp_path / there).read_text() == "mine"


def test_the_card_counts_and_names_no_path(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"name": "a", "speaker": "s"}\n{"name": "b", "speaker": "s"}\n{\n')
    table = {"a": Entry("a", "", "", gender="female", license="MIT"), "gone": Entry("gone", "", "")}
    told = Told("male", "en", side=table)
    done = import_voices("chattts", open_place(tmp_path / "x.jsonl"), open_place(tmp_path / "my-bank"), told)
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
    told = Told("male", "en", license="see /home/me/LICENSE")
    with pytest.raises(UserError, match=r"sources\.license: .* must not hold paths"):
        import_voices("chattts", open_place(tmp_path / "x.jsonl"), open_place(tmp_path / "bank"), told)
    assert not (tmp_path / "bank").exists()
