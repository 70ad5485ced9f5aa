"""The upload, by the hub's own client, against a small hub: what arrives, what is sent again, and what is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from manifests.corpus import Corpus
from manifests.errors import ResumeRefused
from parley.testing.corpora import make_corpus, make_rows
from tests.pipeline.publish.fake_hub import FakeHub
from tests.pipeline.publish.test_publish import publish

pytest.importorskip("huggingface_hub", reason="the extra `publish` is not installed")

TOKEN = "hf_madeUpToken0123456789abcdef"
PUSH = """
import sys
from manifests.errors import ParleyError
from manifests.storage import open_place
from pipeline.publish.push import push
try:
    print(push(open_place(sys.argv[1]), "org/name", False, print))
except ParleyError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def push(hub: FakeHub, out: Path, home: Path, token: str = TOKEN) -> tuple[int, str]:
    """Push in a process of its own: the client reads its settings when it is imported."""
    environment = {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": token,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(sys.path),
        "no_proxy": "*",
    }
    ran = subprocess.run(
        [sys.executable, "-c", PUSH, str(out)], env=environment, capture_output=True, text=True, timeout=120
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def published(tmp_path: Path) -> Path:
    corpus = Corpus(make_corpus(tmp_path / "corpus", make_rows(6, 3, 2)))
    publish({"train": corpus[:3], "test": corpus[3:]}, tmp_path / "out", name="org/name")
    return tmp_path / "out"


def test_an_upload_goes_on_after_an_interruption_and_tells_no_token(published: Path, tmp_path: Path) -> None:
    files = {str(path.relative_to(published)): path.read_bytes() for path in published.rglob("*") if path.is_file()}
    del files["export.json"]
    with FakeHub() as hub:
        hub.fail_after = 1
        code, said = push(hub, published, tmp_path / "home")
        assert code == 1 and "UserError: the upload stopped" in said and TOKEN not in said
        assert len(hub.objects) == 1 and not hub.files, "no card without its data"
        hub.fail_after = None
        code, said = push(hub, published, tmp_path / "home")
        assert code == 0 and f"{hub.url}/datasets/org/name" in said and TOKEN not in said
        assert hub.files == files
        assert len(hub.uploads) == 2, "what had arrived was not sent again"
        assert "README.md" in hub.commits[-1] and not any("README.md" in names for names in hub.commits[:-1])
        assert hub.tokens == {f"Bearer {TOKEN}"}
    assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file() and TOKEN in path.read_text()]


def test_data_of_an_earlier_upload_goes(published: Path, tmp_path: Path) -> None:
    with FakeHub() as hub:
        hub.files = {"data/train-00001.parquet": b"old", "NOTES.md": b"mine"}
        code, said = push(hub, published, tmp_path / "home")
        assert code == 0, said
        assert "data/train-00001.parquet" not in hub.files and hub.files["NOTES.md"] == b"mine"


def test_without_a_token_nothing_is_asked(published: Path, tmp_path: Path) -> None:
    with FakeHub() as hub:
        code, said = push(hub, published, tmp_path / "home", token="")
        assert code == 1 and "HF_TOKEN is not set" in said and not hub.created


def test_what_the_hub_says_is_told_without_the_token(published: Path, tmp_path: Path) -> None:
    with FakeHub() as hub:
        hub.repeats_token = True
        code, said = push(hub, published, tmp_path / "home")
        assert code == 1 and "no rights: Bearer ***" in said and TOKEN not in said


def test_a_link_sends_no_file_from_elsewhere(published: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    (published / "provenance" / "notes.txt").symlink_to(tmp_path / "secret")
    with FakeHub() as hub:
        code, said = push(hub, published, tmp_path / "home")
        assert code == 1 and "symbolic link notes.txt" in said and not hub.files and not hub.created
    with pytest.raises(ResumeRefused, match=r"symbolic link notes\.txt"):
        publish({"train": Corpus(tmp_path / "corpus")}, published)
