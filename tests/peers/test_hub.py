"""What a hub's users make of a published corpus: `datasets` loads it, and mlcroissant finds nothing to complain of."""

import json
import os
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from manifests.corpus import Corpus
from manifests.storage import open_place
from parley.testing.corpora import make_corpus, make_rows
from pipeline.job.runner.local import LocalRunner
from pipeline.publish.options import PublishOptions
from pipeline.publish.publish import publish_corpus
from tests.peers.environments import HUB
from tests.peers.servers import need

pytestmark = pytest.mark.slow

RAI = ["dataBiases", "dataLimitations", "dataSocialImpact", "dataUseCases", "hasSyntheticData"]
NAMES = [f"rai:{name}" for name in (*RAI, "personalSensitiveInformation")]
PROVENANCE = ["prov:wasDerivedFrom", "prov:wasGeneratedBy"]


def read(tmp_path: Path, **options: Any) -> dict[str, Any]:
    """Publish six dialogues in two configs, and read them in the environment of their users."""
    need(HUB)
    corpus = Corpus(make_corpus(tmp_path / "corpus", make_rows(6, 3, 2)))
    parts = {"small": corpus[:2], "more": corpus[2:5], "test": corpus[5:]}
    configs = {
        "small": {"train": ["small"], "test": ["test"]},
        "large": {"train": ["small", "more"], "test": ["test"]},
    }
    out = open_place(tmp_path / "out")
    chosen = PublishOptions(date(2026, 11, 27), **options)
    publish_corpus(parts, out, chosen, LocalRunner(), lambda done, total: None, configs)
    script = Path(__file__).with_name("hub_reading.py")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    environment.pop("PYTHONPATH", None)
    ran = subprocess.run(
        [str(HUB.python), str(script), out.path, str(tmp_path / "cache")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "Ignoring part" not in ran.stderr, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("name", [None, "acme/talks"])
def test_a_published_corpus_is_read(layout: str, name: str | None, tmp_path: Path) -> None:
    found = read(tmp_path, layout=layout, name=name, license="CC-BY-4.0")
    croissant = found["croissant"]
    assert (croissant["errors"], croissant["warnings"]) == ([], [])
    assert croissant["names"] == sorted([*NAMES, *PROVENANCE])
    turns = 2 if layout == "flat" else 1
    rows = {config: one["rows"] for config, one in found["datasets"].items()}
    assert rows == {
        "small": {"train": 2 * turns, "test": turns},
        "large": {"train": 5 * turns, "test": turns},
    }
    for one in found["datasets"].values():
        assert "Audio(sampling_rate=16000, decode=False" in one["features"]
        assert one["clip"] == [1644, "made-00000000-0.wav"]
    assert not found["warned"]
    if name is None:
        assert "made-00000000" in croissant["first"]["dialogue_id"]


def test_an_unstated_license_is_no_reason_to_complain(tmp_path: Path) -> None:
    found = read(tmp_path)["croissant"]
    assert (found["errors"], found["warnings"]) == ([], [])
