"""The recipe with a language model on the same machine, on real weights where the cache has them, through the command.

The smallest model that can be had: what it writes is worth little, but requests, answers and rejects are real.
"""

import importlib.util
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.weights.cache import cache_directory, model_directory
from pipeline.weights.table import load_table

MODEL, RECIPE = "smollm2-135m-instruct", "instructs2s-local"
ROWS = [
    {"instruction": "Why is the sky blue?", "input": "", "output": "Air scatters blue light."},
    {"instruction": "Name three fruits that are rich in vitamin C.", "input": "", "output": "Oranges, kiwis, guavas."},
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="needs the extra 'llamacpp'"),
    pytest.mark.skipif(
        not model_directory(cache_directory(), MODEL, load_table()[MODEL]).is_dir(),
        reason=f"not in the cache: `parley models fetch {MODEL}`",
    ),
]


def test_rows_pass_through_a_real_model_that_the_command_serves(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rows, blocks = tmp_path / "rows.json", tmp_path / "in"
    rows.write_text(json.dumps(ROWS))
    parley = [sys.executable, "-m", "pipeline"]
    settings = [f"models.writer.model={MODEL}", f"models.writer.serving.base_url=http://127.0.0.1:{port}/v1"]
    chosen = [word for setting in (*settings, "models.writer.max_tokens=60") for word in ("--set", setting)]
    ingest = [*parley, "ingest", RECIPE, "--input", str(rows), "--language", "en", "--out", str(blocks), *chosen]
    subprocess.run(ingest, check=True)
    stage = [*parley, "stage", "rewrite", "--recipe", RECIPE, "--in", str(blocks), "--out", str(tmp_path / "out")]
    stage += ["--runner", "local", "--answers", str(tmp_path / "answers"), *chosen]
    serve = [*parley, "models", "serve", MODEL, "--port", str(port), "--threads", "1", "--"]
    done = subprocess.run([*serve, *stage], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{MODEL} answers at http://127.0.0.1:{port}/v1" in done.stderr
    assert "rewrite: 2 rows" in done.stdout
    answers = [json.loads(path.read_text()) for path in (tmp_path / "answers").rglob("*.json")]
    assert len(answers) >= len(ROWS)
    assert all(answer["text"].lstrip().startswith("{") for answer in answers)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server is gone"
