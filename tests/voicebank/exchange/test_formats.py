"""A format is one module: what it is called and what it can do follow from its file."""

import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import UserError
from manifests.storage import open_place
from voicebank.bank import load_bank
from voicebank.exchange import formats
from voicebank.exchange.entry import MetadataOverrides
from voicebank.exchange.transfer import export_voices, import_voices

NAMES_ONLY = """
from voicebank.exchange.entry import FoundVoices, VoiceEntry
from voicebank.exchange.format import ExchangeFormat


def _read(file, engine):
    return FoundVoices(tuple(VoiceEntry(name, engine, name) for name in file.read_text().split()), ())


def _write(file, voices):
    file.write_text(" ".join(voice.voice_id for voice in voices))
    return ["written"]


FORMAT = ExchangeFormat("lists of names", "whose pitch is 1", lambda voice: voice.pitch == 1, _read, _write)
"""


def test_the_formats_are_the_modules() -> None:
    files = {file.stem for file in Path(formats.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(formats.format_names()) == files
    for name in files:
        assert formats.exchange_format(name).origin


def test_a_new_format_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "names_only.py").write_text(NAMES_ONLY)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    bank = load_bank("offline")
    done = export_voices("names_only", bank, open_place(tmp_path / "names.txt"))
    assert 0 < done.voices == sum(voice.pitch == 1 for voice in bank.voices)
    assert done.left_out == len(bank.voices) - done.voices and done.notes == ("written",)
    overrides = MetadataOverrides("female", "en")
    back = import_voices(
        "names_only", open_place(tmp_path / "names.txt"), open_place(tmp_path / "b"), overrides, engine="flite"
    )
    assert back.voices == done.voices
    assert {voice.engine for voice in load_bank(tmp_path / "b").voices} == {"flite"}


def test_an_unknown_format_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no exchange format 'kaldi'; choose one of: chattts, cleans2s, cosyvoice"):
        export_voices("kaldi", load_bank("offline"), open_place(tmp_path / "x"))


def test_the_names_are_known_without_importing_a_format() -> None:
    code = (
        "import sys; from voicebank.exchange.formats import format_names; "
        "print(len(format_names()), *(n for n in format_names() if f'voicebank.exchange.formats.{n}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5"]
