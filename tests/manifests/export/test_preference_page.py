"""The page on preference pairs shows code: it is run on an export."""

import re
from pathlib import Path

import pytest

from parley.testing.corpora import make_audio, make_kept
from parley.testing.exports import export_rows
from tests.manifests.export.test_hf_preference import WRONG, with_rejected

PAGE = Path(__file__).parents[3] / "docs" / "preference-pairs.md"


def test_the_directories_for_cosyvoice_hold_the_same_utterances(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [with_rejected(make_kept(number), number % 2) for number in range(3)]
    _, out = export_rows("hf-preference", rows, tmp_path)
    out.rename(tmp_path / "PAIRS")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    exec(code, {})
    chosen, rejected = (tmp_path / "data" / name for name in ("train", "train_reject"))
    for name in ("text", "utt2spk", "spk2utt"):
        assert (chosen / name).read_text() == (rejected / name).read_text()
    names = [line.split()[0] for line in (chosen / "wav.scp").read_text().splitlines()]
    assert names == [f"{row.dialogue_id}-{number % 2}-take1" for number, row in enumerate(rows)]
    assert [(chosen / "text").read_text().splitlines()[0]] == [f"{names[0]} what is number 0"]
    assert (chosen / "spk2utt").read_text() == f"voice-user {names[0]} {names[2]}\nvoice-agent {names[1]}\n"
    assert (rejected / "wavs" / f"{names[0]}.wav").read_bytes() == WRONG.bytes
    assert (chosen / "wavs" / f"{names[0]}.wav").read_bytes() == make_audio(0).bytes
