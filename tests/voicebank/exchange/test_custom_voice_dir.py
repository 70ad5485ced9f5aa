"""vLLM-Omni's directory of voices: what the server asks of it, there and back again, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import InputError, UserError
from manifests.storage import open_place
from voicebank.bank import load_bank
from voicebank.card import read_card, write_card
from voicebank.exchange.entry import MetadataOverrides, read_side_table
from voicebank.exchange.formats import custom_voice_dir
from voicebank.exchange.transfer import SIDE_TABLE, export_voices, import_voices
from voicebank.tables import VoiceWriter, has_raw_embeddings
from voicebank.voice import Voice

safetensors = pytest.importorskip("safetensors.numpy", reason="needs the extra 'voicebank'")

WIDTH = 16
MANIFEST = "custom_voice_manifest.json"


def raw_bank(directory: Path, length: float = 12.5, raw: bool = True) -> Path:
    """Five voices with embeddings about `length` long, and one without."""
    random = np.random.default_rng(0)
    vectors = [random.normal(size=WIDTH) for _ in range(5)]
    voices = [
        Voice(
            f"voice-{n}", "openai-speech", f"voice-{n}", ("en", "zh")[n % 2], ("female", "male")[n % 2], agent=n == 4,
            license="CC0-1.0", embedding=(vector * (length + n * raw) / np.linalg.norm(vector)).astype(np.float32),
        )
        for n, vector in enumerate(vectors)
    ]  # fmt: skip
    with VoiceWriter(open_place(directory), raw) as writer:
        writer.write([*voices, Voice("named", "openai-speech", "vivian", "zh", "female")])
    write_card(open_place(directory), {"name": directory.name})
    return directory


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    done = export_voices("custom_voice_dir", load_bank(raw_bank(tmp_path / "bank")), open_place(tmp_path / "out"))
    assert (done.voices, done.left_out, done.notes) == (5, 1, ())
    return tmp_path / "out"


def listed(directory: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((directory / MANIFEST).read_text())
    return manifest


def rewrite(directory: Path, **changes: Any) -> None:
    (directory / MANIFEST).write_text(json.dumps(listed(directory) | changes))


def test_the_server_finds_what_it_asks_for(exported: Path) -> None:
    """Its rules: schema 1, the model's type, a file inside the directory, a mode, and a flat float tensor."""
    manifest = listed(exported)
    assert (manifest["schema_version"], manifest["model_type"]) == (1, "qwen3_tts")
    voices = {voice.voice_id: voice for voice in load_bank(exported.parent / "bank").voices}
    assert sorted(manifest["voices"]) == sorted(set(voices) - {"named"})
    for name, info in manifest["voices"].items():
        file = (exported / info["file"]).resolve()
        assert file.is_relative_to(exported.resolve()) and name == name.lower() == info["name"]
        assert (info["mode"], info["embedding_dim"]) == ("xvec", WIDTH)
        tensors = safetensors.load_file(file)
        assert list(tensors) == ["speaker_embedding"]
        assert tensors["speaker_embedding"].dtype == np.float32
        assert np.array_equal(tensors["speaker_embedding"], voices[name].embedding), "as long as it was"


def test_there_and_back_again(exported: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    overrides = MetadataOverrides(by_name=read_side_table(open_place(exported / SIDE_TABLE)))
    done = import_voices("custom_voice_dir", open_place(exported), open_place(back), overrides)
    assert (done.voices, done.rejects) == (5, ())
    before, after = load_bank(tmp_path / "bank"), load_bank(back)
    assert after.voices == before.voices[:5] and after.raw and has_raw_embeddings(open_place(back))
    for one, other in zip(before.voices, after.voices, strict=False):
        assert np.array_equal(one.embedding, other.embedding)
    assert read_card(open_place(back))["embedding"] == {"dimension": WIDTH, "raw": True}


def test_vectors_of_length_1_are_refused(tmp_path: Path) -> None:
    bank = load_bank(raw_bank(tmp_path / "bank", 1.0, raw=False))
    with pytest.raises(UserError, match="have length 1, where raw ones are wanted"):
        export_voices("custom_voice_dir", bank, open_place(tmp_path / "out"))


def test_entries_with_codes_keep_their_embedding(exported: Path, tmp_path: Path) -> None:
    """Another program's: a mode of its own, a file named by the voice, half precision."""
    half = np.linspace(1, 2, WIDTH).astype(np.float16)
    codes = np.zeros((40, 16), np.int32)
    safetensors.save_file({"speaker_embedding": half, "ref_code": codes}, exported / "alice.safetensors")
    bfloat16 = (np.linspace(1, 2, WIDTH).astype("<f4").view("<u4") >> 16).astype("<u2")
    about = {"speaker_embedding": {"dtype": "BF16", "shape": [1, WIDTH], "data_offsets": [0, 2 * WIDTH]}}
    header = json.dumps(about).encode()
    (exported / "bob.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bfloat16.tobytes())
    rewrite(exported, voices={"Alice": {"mode": "icl", "ref_text": "Hello."}, "Bob": {"file": "bob.safetensors"}})
    found = custom_voice_dir.read_custom_voices(open_place(exported))
    assert [entry.name for entry in found.entries] == ["Alice", "Bob"]
    assert found.notes == ("left out: ref_code of 1 entries",)
    assert np.array_equal(found.entries[0].embedding, half.astype(np.float32))
    assert np.allclose(found.entries[1].embedding, np.linspace(1, 2, WIDTH), rtol=0.01)


@pytest.mark.parametrize(
    "info, tensors, reason",
    [
        ({"mode": "dance"}, {}, "bad_metadata"),
        ({"file": "../x.safetensors"}, {}, "bad_name"),
        ({"file": "nowhere.safetensors"}, {}, "no_embedding"),
        ({"file": "x.safetensors"}, {"other": np.ones(WIDTH, np.float32)}, "bad_embedding"),
        ({"file": "x.safetensors"}, {"speaker_embedding": np.ones(WIDTH, np.int64)}, "bad_embedding"),
        ({"file": "x.safetensors"}, {"speaker_embedding": np.full(WIDTH, np.nan, np.float32)}, "bad_embedding"),
        ({"file": "x.safetensors"}, {"speaker_embedding": np.ones(3, np.float32)}, "bad_embedding"),
        ({"file": "x.safetensors"}, b"no tensors", "bad_embedding"),
    ],
)
def test_bad_entries_are_rejects(info: dict[str, Any], tensors: Any, reason: str, exported: Path) -> None:
    if isinstance(tensors, bytes):
        (exported / "x.safetensors").write_bytes(tensors)
    elif tensors:
        safetensors.save_file(tensors, exported / "x.safetensors")
    rewrite(exported, voices={**listed(exported)["voices"], "bad": info})
    found = custom_voice_dir.read_custom_voices(open_place(exported))
    assert [(reject.name, reject.reason) for reject in found.rejects] == [("bad", reason)]
    assert len(found.entries) == 5


@pytest.mark.parametrize(
    "changes, why", [({"model_type": "voxcpm2"}, "of voxcpm2"), ({"voices": []}, "lists no voices")]
)
def test_other_directories_are_refused(changes: dict[str, Any], why: str, exported: Path) -> None:
    rewrite(exported, **changes)
    with pytest.raises(InputError, match=why):
        custom_voice_dir.read_custom_voices(open_place(exported))
    (exported / MANIFEST).unlink()
    with pytest.raises(InputError, match=f"no readable {MANIFEST}"):
        custom_voice_dir.read_custom_voices(open_place(exported))
