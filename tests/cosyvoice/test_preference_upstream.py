"""Preference pairs for CosyVoice: upstream's own tool reads the directories of docs/preference-pairs.md.

It needs upstream's checkout, and of its packages pandas and PyTorch alone.
"""

import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from parley.testing.corpora import make_kept
from parley.testing.exports import export_rows
from tests.manifests.export.test_hf_preference import WRONG, with_rejected

PAGE = Path(__file__).parents[2] / "docs" / "preference-pairs.md"
TOOL = Path("tools", "make_parquet_list.py")


@pytest.fixture
def tool() -> Path:
    found = [Path(entry, TOOL) for entry in sys.path if Path(entry, TOOL).is_file()]
    if not found:
        pytest.skip("CosyVoice's checkout is not here (make test-cosyvoice COSYVOICE=DIR)")
    return found[0]


def test_its_tool_puts_the_rejected_tokens_beside_the_chosen_ones(
    tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch, _ = pytest.importorskip("torch"), pytest.importorskip("pandas")
    rows = [with_rejected(make_kept(number), number % 2) for number in range(3)]
    _, out = export_rows("hf-preference", rows, tmp_path)
    out.rename(tmp_path / "PAIRS")
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(code, {})
    names = [f"{row.dialogue_id}-{number % 2}-take1" for number, row in enumerate(rows)]
    for side, first in (("train", 100), ("train_reject", 200)):  # as its tool for speech tokens writes them
        torch.save({name: [first, number] for number, name in enumerate(names)}, f"data/{side}/utt2speech_token.pt")
    for line in re.search(r"^mkdir .*\n^.*make_parquet_list.*$", text, re.MULTILINE)[0].splitlines():
        command = line.split()
        command[:1] = [sys.executable, str(tool)] if command[0] == str(TOOL) else command[:1]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
    (file,) = Path("data/train/parquet/data.list").read_text().split()
    found = {row["utt"]: row for row in pq.read_table(file).to_pylist()}
    assert list(found) == names
    for number, (name, row) in enumerate(zip(names, rows, strict=True)):
        said = row.turns[number % 2]
        assert (found[name]["speech_token"], found[name]["reject_speech_token"]) == ([100, number], [200, number])
        assert (found[name]["text"], found[name]["spk"]) == (said.text, said.take.voice_id)
        assert found[name]["audio_data"] == said.take.audio.bytes != WRONG.bytes
