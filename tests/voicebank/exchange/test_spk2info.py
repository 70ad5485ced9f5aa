"""spk2info.pt: a bank's voices to CosyVoice and back, and other files that people have."""

import io
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import InputError, UserError
from manifests.storage import Place, open_place
from voicebank.bank import load_bank, load_card
from voicebank.exchange.entry import ImportReason, MetadataOverrides, read_side_table
from voicebank.exchange.transfer import export_voices, import_voices
from voicebank.tables import VoiceWriter, write_card
from voicebank.voice import Voice

torch = pytest.importorskip("torch")

EN = MetadataOverrides(gender="male", language="en")


def unit(seed: int, width: int = 192) -> Any:
    vector = np.random.default_rng(seed).normal(size=width)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def tensor(seed: int, width: int = 192, scale: float = 1.0) -> Any:
    return torch.from_numpy(unit(seed, width))[None] * scale


def voices(number: int) -> list[Voice]:
    plain = Voice("v", "cosyvoice", "v", "en", "female", license="CC0-1.0")
    return [
        replace(
            plain,
            voice_id=f"v{i}",
            speaker=f"v{i}",
            language="zh" if i % 3 else "en",
            gender="male" if i % 2 else "female",
            agent=i < 2,
            embedding=unit(i) * np.float32(1 + 4e-7),  # as a length taken in float32 leaves it
        )
        for i in range(number)
    ]


def bank_at(path: Path, *made: Voice) -> Place:
    place = open_place(path)
    with VoiceWriter(place) as writer:
        writer.write(made)
    write_card(place, {"name": "made"})
    return place


def spk2info(path: Path, info: object) -> Place:
    torch.save(info, path / "spk2info.pt")
    return open_place(path / "spk2info.pt")


def test_a_bank_goes_to_cosyvoice_and_comes_back_bit_by_bit(tmp_path: Path) -> None:
    before = load_bank(bank_at(tmp_path / "bank", *voices(100)).path)
    done = export_voices("cosyvoice", before, open_place(tmp_path / "out" / "spk2info.pt"))
    assert (done.voices, done.left_out) == (100, 0)
    info = torch.load(tmp_path / "out" / "spk2info.pt", weights_only=True)
    assert list(info) == [voice.voice_id for voice in before.voices]
    for voice in before.voices:
        entry = info[voice.voice_id]
        assert list(entry) == ["embedding"]
        assert (entry["embedding"].shape, entry["embedding"].dtype) == ((1, 192), torch.float32)
        assert np.array_equal(entry["embedding"][0].numpy(), voice.embedding)
    overrides = MetadataOverrides(by_name=read_side_table(open_place(tmp_path / "out" / "spk2info.pt.genders.csv")))
    import_voices("cosyvoice", open_place(tmp_path / "out" / "spk2info.pt"), open_place(tmp_path / "back"), overrides)
    after = load_bank(tmp_path / "back")
    assert after.voices == before.voices
    assert after.digest == before.digest
    assert load_card(tmp_path / "back")["real_people"] is None


def test_the_file_is_the_same_every_time_and_small(tmp_path: Path) -> None:
    bank = load_bank(bank_at(tmp_path / "bank", *voices(300)).path)
    for name in ("a.pt", "b.pt"):
        export_voices("cosyvoice", bank, open_place(tmp_path / name))
    data = (tmp_path / "a.pt").read_bytes()
    assert data == (tmp_path / "b.pt").read_bytes()
    assert len(data) < 1.3 * 300 * 192 * 4  # a storage for each tensor would double it


def test_voices_without_an_embedding_are_left_out_and_counted(tmp_path: Path) -> None:
    with_one, without = voices(1)[0], replace(voices(2)[1], embedding=None)
    bank = load_bank(bank_at(tmp_path / "bank", with_one, without).path)
    done = export_voices("cosyvoice", bank, open_place(tmp_path / "x.pt"))
    assert (done.voices, done.left_out) == (1, 1)
    with pytest.raises(UserError, match=r"x\.pt is there already"):
        export_voices("cosyvoice", bank, open_place(tmp_path / "x.pt"))
    with pytest.raises(UserError, match="no voice that cosyvoice could hold: it takes voices with an embedding"):
        export_voices("cosyvoice", load_bank("tone"), open_place(tmp_path / "y.pt"))
    assert not (tmp_path / "y.pt").exists()


ZERO_SHOT = {
    "prompt_text": torch.ones(1, 5, dtype=torch.int32),
    "prompt_speech_feat": torch.ones(1, 50, 80),
    "flow_prompt_speech_token": torch.ones(1, 25, dtype=torch.int32),
    "llm_embedding": tensor(3, scale=12.0),
    "flow_embedding": tensor(3, scale=12.0),
}


@pytest.mark.parametrize(
    ("entry", "embedding", "real_people", "notes"),
    [
        ({"embedding": tensor(1)}, unit(1), None, ()),
        ({"embedding": tensor(1)[0]}, unit(1), None, ()),
        ({"embedding": tensor(1, scale=31.5)}, unit(1), None, ()),
        ({"embedding": tensor(1).half()}, unit(1), None, ()),
        (
            {"embedding": tensor(1), "speech_feat": torch.ones(1, 9, 80), "speech_token": torch.ones(1, 9)},
            unit(1),
            True,
            ("left out: speech_feat of 1 entries", "left out: speech_token of 1 entries"),
        ),
        (
            ZERO_SHOT,
            unit(3),
            True,
            tuple(
                f"left out: {key} of 1 entries"
                for key in ("flow_prompt_speech_token", "prompt_speech_feat", "prompt_text")
            ),
        ),
    ],
    ids=["trained", "one dimension", "scaled", "half precision", "with features", "zero-shot"],
)
def test_what_is_an_embedding_is_taken(
    tmp_path: Path, entry: dict[str, Any], embedding: Any, real_people: bool | None, notes: tuple[str, ...]
) -> None:
    done = import_voices("cosyvoice", spk2info(tmp_path, {"anna": entry}), open_place(tmp_path / "bank"), EN)
    (voice,) = load_bank(tmp_path / "bank").voices
    assert (voice.voice_id, voice.engine, voice.speaker) == ("anna", "cosyvoice", "anna")
    assert (voice.gender, voice.language) == ("male", "en")
    assert voice.embedding is not None
    assert np.allclose(voice.embedding, embedding, atol=1e-4)
    assert abs(float(np.linalg.norm(voice.embedding)) - 1) < 1e-6
    assert load_card(tmp_path / "bank")["real_people"] is real_people
    assert done.notes == notes


def test_names_that_cannot_be_ids_get_one_and_stay_the_speaker(tmp_path: Path) -> None:
    info = {name: {"embedding": tensor(i)} for i, name in enumerate(["中文女", "中文男", "Anna", "anna", "../x"])}
    import_voices("cosyvoice", spk2info(tmp_path, info), open_place(tmp_path / "bank"), EN)
    made = {voice.speaker: voice.voice_id for voice in load_bank(tmp_path / "bank").voices}
    assert set(made) == set(info)
    assert len(set(made.values())) == 5
    assert made["anna"] == "anna"
    assert made["中文女"].startswith("cosyvoice-")
    assert made["../x"].startswith("x-")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({}, ImportReason.NO_EMBEDDING),
        ({"embedding": torch.ones(2, 192)}, ImportReason.NO_EMBEDDING),
        ({"embedding": torch.ones(1, 192, dtype=torch.int64)}, ImportReason.NO_EMBEDDING),
        ({"embedding": [0.5] * 192}, ImportReason.NO_EMBEDDING),
        ({"embedding": torch.zeros(1, 0)}, ImportReason.NO_EMBEDDING),
        ({"embedding": torch.zeros(1, 192)}, ImportReason.BAD_EMBEDDING),
        ({"embedding": torch.full((1, 192), float("nan"))}, ImportReason.BAD_EMBEDDING),
        ({"embedding": torch.full((1, 192), float("inf"))}, ImportReason.BAD_EMBEDDING),
        ({"embedding": tensor(1, width=80)}, ImportReason.BAD_EMBEDDING),
        (tensor(1), ImportReason.BAD_METADATA),
        (None, ImportReason.BAD_METADATA),
    ],
)
def test_an_odd_entry_is_a_reject_with_a_reason(tmp_path: Path, entry: object, reason: ImportReason) -> None:
    info = {"odd": entry, "good": {"embedding": tensor(0)}, "fine": {"embedding": tensor(1)}}
    done = import_voices("cosyvoice", spk2info(tmp_path, info), open_place(tmp_path / "bank"), EN)
    assert (done.voices, [(r.name, r.reason) for r in done.rejects]) == (2, [("odd", reason)])
    counts = load_card(tmp_path / "bank")["counts"]
    assert (counts["entries"], counts["rejects"]) == (3, {reason.value: 1})


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.path),)


def test_a_file_that_runs_code_is_refused_and_does_not(tmp_path: Path) -> None:
    file = spk2info(tmp_path, {"anna": {"embedding": Evil(tmp_path / "hacked")}})
    with pytest.raises(InputError, match=r"^spk2info\.pt: it would run code when loaded \(posix\.mkdir\); only") as e:
        import_voices("cosyvoice", file, open_place(tmp_path / "bank"), EN)
    assert "\n" not in str(e.value)
    assert not (tmp_path / "hacked").exists()
    assert not (tmp_path / "bank").exists()


def _saved(thing: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a file of PyTorch, or damaged"),
        (b"hello", "not a file of PyTorch, or damaged"),
        (pickle.dumps({"anna": 1}), "not a file of PyTorch, or damaged"),
        (_saved({"anna": {"embedding": tensor(1)}})[:500], "not a file of PyTorch, or damaged"),
        (_saved({"anna": np.ones(3)}), "it would run code when loaded"),
        (_saved([1, 2]), "not a dictionary of speakers"),
        (_saved({}), "none of its voices can be imported .it is empty."),
        (_saved({"anna": 1}), "none of its voices can be imported .bad_metadata 1."),
    ],
)
def test_a_file_that_is_none_is_one_clear_error(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "spk2info.pt").write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        import_voices("cosyvoice", open_place(tmp_path / "spk2info.pt"), open_place(tmp_path / "bank"), EN)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not (tmp_path / "bank").exists()
