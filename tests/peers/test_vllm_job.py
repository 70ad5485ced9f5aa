"""The whole job with vLLM in its workers: a model of random weights keeps no row, and loses none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from manifests.corpus import Corpus
from manifests.storage import open_place
from pipeline.job.usage import tokens_of_commits
from tests.peers.processes import gone_in_time
from tests.peers.servers import CONTEXT, READY_S, Checkpoints, need_vllm_here

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * READY_S)]

MARK = "PARLEY_TEST_OF_JOB"
"""Environment variable by which the processes of the job are known."""

SUBJECTS = ("bread", "tea", "chess", "lighthouses", "volcanoes")
ROWS = [
    *({"instruction": f"Describe the history of {subject}.", "output": "It is long."} for subject in SUBJECTS),
    {"instruction": "Tell me about " + "very " * 3 * CONTEXT + "old rivers.", "output": "No."},
]


def test_every_row_is_accounted_for(checkpoints: Checkpoints, tmp_path: Path) -> None:
    need_vllm_here()
    source, out = tmp_path / "rows.json", tmp_path / "corpus"
    source.write_text(json.dumps(ROWS, ensure_ascii=False), encoding="utf-8")
    model = {
        "engine": "vllm",
        "model": str(checkpoints.directory),
        "dtype": "float32",
        "max_model_len": CONTEXT,
        "max_tokens": 64,
        "guided": "always",
        "serving": {"enforce_eager": True, "max_num_seqs": 16},
    }
    settings = {
        "models.writer": json.dumps(model),
        "cast.bank": "tone",
        "synthesize.engine": "tone",
        "watermark.engine": "tone-mark",
        "transcribe.engine": "tone",
        "pools.voices.gpus": "0",
        "pools.proof.gpus": "0",
        "block_rows": "2",
        "rewrite.source_length": "{en: 100000}",
    }
    command = [str(Path(sys.executable).with_name("parley")), "run", "voiceassistant", "--input", str(source)]
    command += ["--out", str(out), *(word for item in settings.items() for word in ("--set", "=".join(item)))]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {MARK: str(tmp_path)}, check=False)
    assert done.returncode == 0, done.stderr[-3000:]

    rows = {int(d.source.row): d for status in ("kept", "rejected", "failed") for d in Corpus(out, status=status)}
    assert set(rows) == set(range(len(ROWS)))
    assert rows[len(SUBJECTS)].reason == "too_long"
    passes = [path for name in ("before-*", "take-*") for path in (out / "work").glob(name)]
    tokens = tokens_of_commits(map(open_place, passes))
    assert tokens["writer"].requests >= len(SUBJECTS)
    # Ray ends its actors without asking them to close anything; what they started must go all the same.
    assert gone_in_time(_engine_processes_of(tmp_path))


def _engine_processes_of(directory: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(directory) and "VLLM::" in " ".join(process.cmdline()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
