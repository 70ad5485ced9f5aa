"""Importing is light, imports run one way, and a wheel carries every data file."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("ray", "torch", "perth", "pocketsphinx", "wetext", "jiwer", "soundfile", "soxr", "pyarrow")
LLM = ("openai", "httpx2", "tenacity", "datasketch")


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("manifests", ("pipeline", "voicebank", "prompts", *HEAVY)),
        ("manifests.corpus", ("pipeline", "voicebank", "prompts", *(set(HEAVY) - {"pyarrow"}))),
        ("voicebank.bank", ("pipeline", "prompts", *(set(HEAVY) - {"pyarrow"}))),
        ("prompts", ("pipeline", "manifests", "voicebank", *HEAVY)),
        ("parley", ("pipeline", "voicebank", "prompts", *(set(HEAVY) - {"pyarrow"}))),
        ("parley.testing", ("ray", "torch", "perth", "pocketsphinx", "pytest")),
        ("pipeline", ("parley", *HEAVY)),
        ("pipeline.cli.main", ("parley", *(set(HEAVY) - {"pyarrow"}))),
        ("pipeline.engines.registry", tuple(set(HEAVY) - {"pyarrow"})),
        ("pipeline.cli.commands", ("ray", "torch", "perth", "pocketsphinx", *LLM)),
    ],
)
def test_importing_is_light(module: str, forbidden: tuple[str, ...]) -> None:
    program = f"import {module}, sys; print(*(name for name in {forbidden!r} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return zipfile.ZipFile(next(out.glob("parley-*.whl")))


def test_the_wheel_holds_every_data_file(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    data = [
        path.relative_to(ROOT).as_posix()
        for package in ("manifests", "voicebank", "prompts", "pipeline", "parley")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in {".pyc"}
    ]
    assert any(name.startswith("pipeline/samples/") for name in data)
    assert sorted(set(data) - names) == []


def test_the_wheel_holds_no_tests(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0] for name in wheel.namelist()} == {
        "manifests",
        "voicebank",
        "prompts",
        "pipeline",
        "parley",
        next(name.split("/")[0] for name in wheel.namelist() if name.endswith(".dist-info/METADATA")),
    }
