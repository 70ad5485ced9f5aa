"""ChatTTS's speaker strings come back letter by letter."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import InputError, UserError
from manifests.storage import open_place
from voicebank.bank import Bank, load_bank, load_card
from voicebank.exchange.entry import ImportReason, MetadataOverrides
from voicebank.exchange.transfer import Imported, export_voices, import_voices
from voicebank.voice import Voice

STRING = "蘁淰敕欀燸慹 ~嘣"
NO_SURROGATES = st.characters(exclude_categories=("Cs",))
STRINGS = st.text(NO_SURROGATES, min_size=1)
NO_BREAKS = st.text(NO_SURROGATES.filter(lambda c: c not in "\t\n\r"), min_size=1)


def imported(file: Path, out: Path, overrides: MetadataOverrides | None = None) -> Imported:
    return import_voices("chattts", open_place(file), open_place(out), overrides or MetadataOverrides())


def bank_of(*strings: str) -> Bank:
    voices = (Voice(f"v{i}", "chattts", s, "zh", "male" if i % 2 else "female") for i, s in enumerate(strings))
    return Bank("made", "", tuple(voices))


def there_and_back(strings: list[str], directory: Path, suffix: str) -> None:
    bank = bank_of(*strings)
    export_voices("chattts", bank, open_place(directory / f"speakers.{suffix}"))
    assert imported(directory / f"speakers.{suffix}", directory / "bank").rejects == ()
    assert load_bank(directory / "bank").voices == bank.voices


@given(st.lists(STRINGS, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_strings_survive_json(tmp_path_factory: pytest.TempPathFactory, strings: list[str]) -> None:
    there_and_back(strings, tmp_path_factory.mktemp("x"), "jsonl")


@given(st.lists(NO_BREAKS, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_strings_survive_tabs(tmp_path_factory: pytest.TempPathFactory, strings: list[str]) -> None:
    there_and_back(strings, tmp_path_factory.mktemp("x"), "tsv")


@pytest.mark.parametrize("string", ["a\tb", "a\nb", "a\rb"])
def test_a_string_that_tabs_cannot_hold_is_refused(tmp_path: Path, string: str) -> None:
    with pytest.raises(UserError, match=r"v0: its speaker string has a tab .* write a \.jsonl file"):
        export_voices("chattts", bank_of(string), open_place(tmp_path / "x.tsv"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", ImportReason.BAD_METADATA),
        ("[]", ImportReason.BAD_METADATA),
        ('{"name": "x"}', ImportReason.BAD_METADATA),
        ('{"name": "x", "speaker": ""}', ImportReason.BAD_METADATA),
        ('{"name": "x", "speaker": 5}', ImportReason.BAD_METADATA),
        ('{"name": "x", "speaker": "s", "gender": "other"}', ImportReason.BAD_METADATA),
        ('{"name": "x", "speaker": "\\ud800"}', ImportReason.BAD_METADATA),
        ('{"name": "good", "speaker": "s"}', ImportReason.DUPLICATE),
    ],
)
def test_an_odd_line_is_a_reject_with_a_reason(tmp_path: Path, line: str, reason: ImportReason) -> None:
    good = json.dumps({"name": "good", "speaker": STRING, "gender": "male", "language": "zh"})
    (tmp_path / "x.jsonl").write_text(f"{good}\n\n{line}\n", encoding="utf-8")
    done = imported(tmp_path / "x.jsonl", tmp_path / "bank")
    assert (done.voices, [reject.reason for reject in done.rejects]) == (1, [reason])
    (voice,) = load_bank(tmp_path / "bank").voices
    assert voice == Voice("good", "chattts", STRING, "zh", "male")
    assert load_card(tmp_path / "bank")["counts"]["rejects"] == {reason.value: 1}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.tsv", b"speaker\tgender\n", "the first line must name the columns"),
        ("x.tsv", b"name\tspeaker\tage\n", "the first line must name the columns"),
        ("x.jsonl", b"\xff", "not readable as UTF-8"),
        ("x.jsonl", b"", "none of its voices can be imported .it is empty."),
        ("x.tsv", b"name\tspeaker\nx\ty\tz\n", "none of its voices can be imported .bad_metadata 1."),
    ],
)
def test_a_file_that_is_none_is_one_clear_error(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        imported(tmp_path / name, tmp_path / "bank")
    assert not (tmp_path / "bank").exists()


@pytest.mark.parametrize(
    ("row", "overrides", "expected"),
    [
        ({"gender": "male", "language": "zh"}, MetadataOverrides(), ("male", "zh")),
        ({"gender": "male", "language": "zh"}, MetadataOverrides("female", "en"), ("male", "zh")),
        ({}, MetadataOverrides("female", "en"), ("female", "en")),
        ({"gender": "", "language": None}, MetadataOverrides("female", "en"), ("female", "en")),
    ],
)
def test_the_file_knows_better_than_what_is_said_of_all(
    tmp_path: Path, row: dict[str, Any], overrides: MetadataOverrides, expected: tuple[str, str]
) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({"name": "a", "speaker": STRING, **row}), encoding="utf-8")
    imported(tmp_path / "x.jsonl", tmp_path / "bank", overrides)
    (voice,) = load_bank(tmp_path / "bank").voices
    assert (voice.gender, voice.language) == expected
