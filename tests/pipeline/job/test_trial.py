"""`parley tune` in whole: engines that take a known time, and a proposal that follows it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import UserError
from pipeline.job.trial import scratch_for

SLEEPERS = Path(__file__).parent / "runner" / "sleepers"
ROOT = Path(__file__).parents[3]
POOLS = (
    "pools={text: {stages: [rewrite, screen, respond], workers: 1, cpus: 0.1}, "
    "voices: {stages: [cast, synthesize, render], workers: 1, cpus: 0.1}, "
    "proof: {stages: [watermark, transcribe, gate], workers: 1, cpus: 0.1}}"
)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_trial_finds_what_the_engines_cost_and_leaves_nothing_behind(tmp_path: Path) -> None:
    rows = [{"instruction": f"What is the capital of country {i}?", "output": f"It is city {i}."} for i in range(40)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    words = ["tune", "tone-dry-run", "--input", "rows.json", "--rows", "32", "--set", "block_rows=4", "--set", POOLS]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{SLEEPERS}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    busy = {name: int(share) for name, share in re.findall(r"(\w+): 1 worker, busy (\d+)%", done.stdout)}
    assert busy["voices"] > busy["proof"] > busy["text"], done.stdout
    found = {name: int(count) for name, count in re.findall(r"pools\.(\w+)\.workers=(\d+)", done.stdout)}
    assert found["voices"] >= 2 * found.get("proof", 1) >= 2, done.stdout
    cost = float(re.search(r"a row takes ([\d.]+) s of a core", done.stdout.partition("pools.voices")[2])[1])  # type: ignore[index]
    assert cost == pytest.approx(2 * 0.12, rel=0.6), "two turns of a row, and what the stages add on a busy machine"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.json"]


def test_a_cluster_needs_a_place_that_its_nodes_share(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--scratch"), scratch_for("auto", None):
        pass
    with scratch_for("auto", str(tmp_path)) as place:
        (place / "first").write_text("rows")
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
