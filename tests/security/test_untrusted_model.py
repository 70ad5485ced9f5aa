"""A model directory from a stranger is data: no code in it runs, and it leads to no other place."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from manifests.errors import EngineUnavailable, RecipeError
from pipeline.engines.asr.funasr import FunASRModel, open_recognizer
from pipeline.engines.registry import engine_version, load_engine
from pipeline.recipes.models import parse_models
from tests.tables import each_row

ROOT = Path(__file__).parents[2]
RUNS_CODE = "pipeline/engines/tts/cosyvoice/"
"""The engine in which upstream's code runs, once the user agreed."""
PACKAGES = ("manifests", "voicebank", "pipeline", "parley", "prompts")

torch = pytest.importorskip("torch")


def with_payload(directory: Path) -> Path:
    """A file that leaves a mark where it runs."""
    payload = directory / "payload.py"
    payload.write_text(f"open({str(directory / 'PWNED')!r}, 'w').close()\n")
    return payload


class Runs:
    """What an unpickler runs while it reads this."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (open, (str(self.mark), "w"))


@each_row(
    ("config", "configuration"),
    [
        ({"trust_remote_code": True, "remote_code": "{payload}"}, None),
        ({"trust_remote_code": True, "remote_code": "{payload}"}, {"config": "config.yaml", "init_param": "model.pt"}),
        ({"model": "GLMASR", "model_path": "{directory}"}, None),
        ({"model": "MOSSTranscribeDiarize"}, None),
        ({"encoder": "Data2VecEncoder", "encoder_conf": {"conv_feature_layers": "exec('{payload}')"}}, None),
        ({"vad_model": "{directory}"}, None),
        ({"init_param": "{directory}/other.pt"}, None),
    ],
)
def test_a_funasr_directory_runs_nothing(
    tmp_path: Path, config: dict[str, Any], configuration: dict[str, str] | None
) -> None:
    pytest.importorskip("funasr")
    directory = Path(tempfile.mkdtemp(dir=tmp_path))
    payload = with_payload(directory)
    text = json.dumps({"model": "Paraformer", "model_conf": {}} | config)
    text = text.replace("{payload}", str(payload)).replace("{directory}", str(directory))
    (directory / "config.yaml").write_text(yaml.safe_dump(json.loads(text)))
    (directory / "requirements.txt").write_text("no-such-package\n")
    if configuration is not None:
        (directory / "configuration.json").write_text(json.dumps({"file_path_metas": configuration}))
    for name in ("model.pt", "other.pt"):
        torch.save({"a": Runs(directory / "PWNED")}, directory / name)
    with pytest.raises(EngineUnavailable) as caught:
        open_recognizer(FunASRModel(engine="funasr", model=str(directory)))
    assert not (directory / "PWNED").exists() and "\n" not in str(caught.value)


def test_weights_that_name_code_are_not_unpickled(tmp_path: Path) -> None:
    pytest.importorskip("funasr")
    (tmp_path / "config.yaml").write_text("{model: SenseVoiceSmall, encoder: SenseVoiceEncoderSmall}")
    torch.save({"a": Runs(tmp_path / "PWNED")}, tmp_path / "model.pt")
    with pytest.raises(EngineUnavailable):
        open_recognizer(FunASRModel(engine="funasr", model=str(tmp_path)))
    assert not (tmp_path / "PWNED").exists()


@each_row(
    ("kind", "engine"),
    [("quality", "utmos"), ("tts", "cosyvoice")],
)
def test_code_of_a_model_runs_only_where_the_user_agrees(tmp_path: Path, kind: str, engine: str) -> None:
    with_payload(tmp_path)
    (tmp_path / "hubconf.py").write_text((tmp_path / "payload.py").read_text())
    problems: list[str] = []
    models = parse_models({"mine": {"engine": engine, "model": str(tmp_path)}}, problems)
    assert problems == []
    for use in (load_engine, engine_version):
        with pytest.raises(RecipeError, match=r"--set models\.mine\.serving\.run_model_code=true"):
            use(kind, "mine", models)
    assert not (tmp_path / "PWNED").exists()


def test_with_the_agreement_it_does(tmp_path: Path) -> None:
    """So the test above can fail."""
    with_payload(tmp_path)
    (tmp_path / "hubconf.py").write_text((tmp_path / "payload.py").read_text())
    agreed = {"engine": "utmos", "model": str(tmp_path), "serving": {"run_model_code": True, "device": "cpu"}}
    with pytest.raises(EngineUnavailable):
        load_engine("quality", "mine", parse_models({"mine": agreed}, []))
    assert (tmp_path / "PWNED").exists()


def sources() -> dict[str, str]:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


def calls(text: str, name: str) -> list[str]:
    """The arguments of each call of a function, by its name, up to the parenthesis that closes them."""
    found = []
    for start in re.finditer(rf"{'' if name[0] == '.' else chr(92) + 'b'}{re.escape(name)}\(", text):
        depth, end = 1, start.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found.append(text[start.end() : end - 1])
    return found


@each_row(
    ("function", "argument", "at_least"),
    [
        ("torch.load", "weights_only=True", 3),
        ("load_state_dict_from_url", "weights_only=True", 1),
        (".from_pretrained", "trust_remote_code=False", 8),
    ],
)
def test_every_loader_says_that_no_code_is_wanted(function: str, argument: str, at_least: int) -> None:
    found = [(file, given) for file, text in sources().items() for given in calls(text, function)]
    found = [(file, given) for file, given in found if not file.startswith(RUNS_CODE)]
    assert len(found) >= at_least
    assert [file for file, given in found if argument not in given] == []


@each_row(
    "words",
    [
        r"trust_remote_code[\"']?\s*[=:]\s*True",
        r"\bimport pickle\b[\s\S]*\bpickle\.loads?\(",
        r"\byaml\.(unsafe_)?load\((?![^)]*Loader=_\w+\))",
        r"allow_pickle\s*=\s*True",
        r"weights_only\s*=\s*False",
        r"(?<![\w.])(eval|exec)\(",
        r"shell\s*=\s*True",
        r"\bos\.system\(",
        r"\b(shelve|marshal)\b",
        r"\.extract(all)?\(|\bunpack_archive\(",  # members are read by name, nothing is unpacked
    ],
)
def test_nothing_in_the_code_runs_data(words: str) -> None:
    assert [file for file, text in sources().items() if re.search(words, text)] == []


def test_pytorch_is_asked_for_where_it_reads_weights_only() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    asked = re.findall(r'"torch\s*>=\s*(\d+)\.(\d+)', text)
    assert len(asked) >= 3 and all((int(major), int(minor)) >= (2, 6) for major, minor in asked)
