import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import CorpusError, RecipeError
from manifests.storage import open_place
from voicebank.bank import CARD_FILE, VOICES_FILE, load_bank, load_card, shipped_banks
from voicebank.tables import VOICES_TABLE, VoiceWriter, write_speakers
from voicebank.voice import Speaker, Voice

ROWS = [
    {"voice_id": "a", "engine": "flite", "speaker": "rms", "language": "en", "gender": "male", "agent": True},
    {"voice_id": "b", "engine": "flite", "speaker": "slt", "language": "en", "gender": "female", "rate": 0.9},
    {"voice_id": "c", "engine": "espeak-ng", "speaker": "cmn", "language": "zh", "gender": "male", "license": None},
]


def _write(directory: Path, lines: list[str], card: str = '{"name": "mine"}') -> Path:
    (directory / VOICES_FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (directory / CARD_FILE).write_text(card, encoding="utf-8")
    return directory


def _rows(*rows: dict[str, object]) -> list[str]:
    return [json.dumps(row) for row in rows]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, "abc"),
        ({"language": "en"}, "ab"),
        ({"agent": True}, "a"),
        ({"agent": False}, "bc"),
        ({"gender": "male"}, "ac"),
        ({"engines": ["espeak-ng"]}, "c"),
        ({"engines": []}, ""),
        ({"language": "en", "engines": {"flite", "espeak-ng"}, "agent": False, "gender": "female"}, "b"),
        ({"language": "zh", "agent": True}, ""),
    ],
)
def test_select(tmp_path: Path, conditions: dict[str, object], expected: str) -> None:
    bank = load_bank(_write(tmp_path, _rows(*ROWS)))
    assert "".join(voice.voice_id for voice in bank.select(**conditions)) == expected


def test_values_and_defaults(tmp_path: Path) -> None:
    bank = load_bank(str(_write(tmp_path, _rows(ROWS[1]))))
    assert bank.name == "mine"
    assert bank.voices == (Voice("b", "flite", "slt", "en", "female", 0.9, 1.0, False, None),)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda rows: [dict(reversed(row.items())) for row in rows], True),
        (lambda rows: [{**rows[0], "rate": 1}, *rows[1:]], True),
        (lambda rows: [{**rows[0], "rate": 1.01}, *rows[1:]], False),
        (lambda rows: rows[::-1], False),
        (lambda rows: rows[:2], False),
    ],
    ids=["order of keys", "a default spelt out", "a rate", "order of voices", "a voice less"],
)
def test_digest_follows_the_content(tmp_path: Path, change, same: bool) -> None:
    before = load_bank(_write(tmp_path, _rows(*ROWS))).digest
    assert (load_bank(_write(tmp_path, _rows(*change(ROWS)))).digest == before) is same


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: Invalid JSON: EOF while parsing an object at column 1"),
        ("[" * 100_000, "Invalid JSON: recursion limit exceeded"),
        ("[]", "not a JSON object"),
        (json.dumps({**ROWS[1], "color": "red"}), "unknown keys color"),
        (json.dumps({"voice_id": "b"}), "missing keys engine, gender, language, speaker"),
        (json.dumps({**ROWS[1], "voice_id": "a"}), "'a' is there twice"),
        (json.dumps({**ROWS[1], "voice_id": "../b"}), "bad voice_id"),
        (json.dumps({**ROWS[1], "voice_id": 5}), "bad voice_id 5"),
        (json.dumps({**ROWS[1], "gender": "other"}), "bad gender 'other'"),
        (json.dumps({**ROWS[1], "rate": 0}), "bad rate 0"),
        (json.dumps({**ROWS[1], "rate": "fast"}), "bad rate 'fast'"),
        (json.dumps({**ROWS[1], "pitch": float("inf")}), "bad pitch inf"),
        (json.dumps({**ROWS[1], "pitch": True}), "bad pitch True"),
        (json.dumps({**ROWS[1], "agent": 1}), "bad agent 1"),
        (json.dumps({**ROWS[1], "speaker": ""}), "bad speaker ''"),
        (json.dumps({**ROWS[1], "license": 3}), "bad license 3"),
        (json.dumps({**ROWS[1], "embedding": [1.0]}), "unknown keys embedding"),
        (json.dumps({**ROWS[1], "prompt_audio": "x"}), "unknown keys prompt_audio"),
        (json.dumps({**ROWS[1], "parents": "ab"}), "bad parents 'ab'"),
        (json.dumps({**ROWS[1], "parents": ["a", 5]}), "bad parents.1 5"),
        (json.dumps({**ROWS[1], "parents": [""]}), "bad parents.0 ''"),
        (json.dumps({**ROWS[1], "parents": ["a", "b"], "weights": [1]}), "1 weights for 2 parents"),
        (json.dumps({**ROWS[1], "ms_per_character": 180.5}), "bad ms_per_character 180.5"),
        (json.dumps({**ROWS[1], "ms_per_character": True}), "bad ms_per_character True"),
    ],
)
def test_a_bad_line_is_one_clear_error(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(CorpusError, match="line 2") as caught:
        load_bank(_write(tmp_path, [json.dumps(ROWS[0]), line]))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("card", ["{", "[]", "{}", '{"name": 3}', '{"name": ""}'])
def test_a_bad_card_is_an_error(tmp_path: Path, card: str) -> None:
    with pytest.raises(CorpusError, match=CARD_FILE):
        load_bank(_write(tmp_path, _rows(*ROWS), card))


def unit(*numbers: float) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


TABLED = [
    Voice("a", "cosyvoice", "a", "zh", "female", parents=("s1", "s2"), weights=(0.4, 0.6), embedding=unit(1, 2, 3)),
    Voice("b", "cosyvoice", "b", "zh", "male", embedding=unit(3, 2, 1)),
    Voice("c", "cosyvoice", "c", "en", "male", prompt_text="hi", prompt_audio=b"fLaC-c"),
    Voice("d", "cosyvoice", "d", "en", "male", prompt_text="ho", prompt_audio=b"fLaC-d"),
]


def _write_table(directory: Path, *groups: list[Voice]) -> Path:
    with VoiceWriter(open_place(directory)) as writer:
        for group in groups:
            writer.write(group)
    (directory / CARD_FILE).write_text('{"name": "mine"}', encoding="utf-8")
    return directory


def test_a_bank_in_a_table(tmp_path: Path) -> None:
    bank = load_bank(_write_table(tmp_path, TABLED[:2], TABLED[2:]))
    assert (bank.name, bank.voices) == ("mine", tuple(TABLED))
    assert all(
        np.array_equal(one.embedding, other.embedding) for one, other in zip(bank.voices[:2], TABLED[:2], strict=True)
    )


def test_the_digest_is_the_same_in_either_form_and_in_any_row_groups(tmp_path: Path) -> None:
    lines = load_bank(_write(tmp_path, _rows(*ROWS)))
    assert load_bank(_write_table(tmp_path / "table", list(lines.voices))).digest == lines.digest
    digests = {
        load_bank(_write_table(tmp_path / str(len(groups)), *groups)).digest
        for groups in ([TABLED], [TABLED[:2], TABLED[2:]], [[TABLED[0]], TABLED[1:2], TABLED[2:]])
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda v: [replace(v[0], embedding=unit(1, 2, 4)), *v[1:]],
        lambda v: [replace(v[0], embedding=v[1].embedding), replace(v[1], embedding=v[0].embedding), *v[2:]],
        lambda v: [*v[:3], replace(v[3], prompt_audio=b"fLaC-e")],
        lambda v: [*v[:2], replace(v[2], prompt_audio=b"fLaC-cfLaC"), replace(v[3], prompt_audio=b"-d")],
        lambda v: [replace(v[0], weights=(0.5, 0.5)), *v[1:]],
        lambda v: [replace(v[0], parents=("s2", "s1")), *v[1:]],
        lambda v: [replace(v[0], ms_per_character=180), *v[1:]],
        lambda v: [*v[:2], replace(v[2], prompt_text="ha"), v[3]],
        lambda v: [replace(v[0], agent=True), *v[1:]],
        lambda v: v[:1] + v[:0:-1],
    ],
    ids=[
        "an embedding",
        "embeddings exchanged",
        "a prompt",
        "bytes moved from prompt to prompt",
        "weights",
        "parents",
        "rate bucket",
        "what is said",
        "agent",
        "order",
    ],
)
def test_the_digest_covers_every_field(tmp_path: Path, change: Callable[[list[Voice]], list[Voice]]) -> None:
    before = load_bank(_write_table(tmp_path / "before", TABLED)).digest
    assert load_bank(_write_table(tmp_path / "after", change(TABLED))).digest != before


def test_the_digest_knows_whose_an_embedding_is(tmp_path: Path) -> None:
    without = [replace(voice, embedding=None) for voice in TABLED[:2]]
    one, other = [TABLED[0], without[1]], [without[0], replace(without[1], embedding=TABLED[0].embedding)]
    digests = {load_bank(_write_table(tmp_path / name, made)).digest for name, made in (("1", one), ("2", other))}
    assert len(digests) == 2


def test_a_bank_of_speakers_is_not_cast(tmp_path: Path) -> None:
    speaker = Speaker("s", "zh", "male", None, 9, 60.0, 30, 0.98, 0.18, 180, None, None, unit(1, 2))
    write_speakers(open_place(tmp_path / "people"), [speaker])
    with pytest.raises(RecipeError, match="'people' holds real speakers only: blend it first"):
        load_bank(tmp_path / "people")
    _write_table(tmp_path / "people", TABLED)
    assert len(load_bank(tmp_path / "people").voices) == 4


def test_a_bank_has_one_form(tmp_path: Path) -> None:
    _write(_write_table(tmp_path, TABLED), _rows(*ROWS))
    with pytest.raises(CorpusError, match=f"both {VOICES_FILE} and {VOICES_TABLE}"):
        load_bank(tmp_path)


def test_an_empty_table_is_an_empty_bank(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="the voice bank is empty"):
        load_bank(_write_table(tmp_path))


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"neither a directory with .* nor .*offline"):
        load_bank(tmp_path)
    with pytest.raises(CorpusError, match="empty"):
        load_bank(_write(tmp_path, []))
    (tmp_path / VOICES_FILE).write_bytes(b'{"voice_id": "\xff"}\n')
    with pytest.raises(CorpusError, match="UTF-8"):
        load_bank(tmp_path)
    (_write(tmp_path, _rows(*ROWS)) / CARD_FILE).unlink()
    with pytest.raises(CorpusError, match="no card"):
        load_bank(tmp_path)


@pytest.mark.parametrize(("language", "at_least_users"), [("en", 12), ("zh", 8)])
def test_the_offline_bank(language: str, at_least_users: int) -> None:
    bank = load_bank("offline")
    agents = bank.select(language=language, agent=True)
    users = bank.select(language=language, agent=False)
    assert sorted(voice.gender for voice in agents) == ["female", "male"]
    assert len(users) >= at_least_users
    assert {voice.gender for voice in users} == {"female", "male"}
    timbres = Counter((v.engine, v.speaker, v.rate, v.pitch) for v in bank.voices)
    assert max(timbres.values()) == 1


def test_the_offline_card_tells_the_truth() -> None:
    bank, card = load_bank("offline"), load_card("offline")
    assert "offline" in shipped_banks()
    assert card["counts"] == {
        language: {role: len(bank.select(language=language, agent=role == "agent")) for role in ("agent", "user")}
        for language in ("en", "zh")
    }
    licenses = {(source["engine"], source["speaker"]): source["license"] for source in card["sources"]}
    assert {(v.engine, v.speaker): v.license for v in bank.voices} == licenses
    assert {f.name for f in fields(Voice)} == set(asdict(bank.voices[0]))
