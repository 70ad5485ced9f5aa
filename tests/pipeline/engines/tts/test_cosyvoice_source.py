"""Where upstream's source is looked for, what is refused, and what a model directory must have."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import EngineUnavailable
from pipeline.engines import registry as table
from pipeline.engines.tts import cosyvoice
from pipeline.engines.tts.cosyvoice import CosyVoiceModel, CosyVoiceServing, checkpoint
from pipeline.engines.tts.cosyvoice.upstream import COMMIT, find_source, source_digest
from tests.tables import each_row

REAL = ("cosyvoice/__init__.py", "cosyvoice/cli/__init__.py", "cosyvoice/cli/cosyvoice.py")
MATCHA = "third_party/Matcha-TTS/matcha/__init__.py"
STUB = ("cosyvoice/__init__.py", "cosyvoice/api.py", "cosyvoice/server.py", "cosyvoice/version.py")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in front of the import path, and nothing else on it that is called like upstream's packages."""
    hidden = [entry for entry in sys.path if not (Path(entry) / "cosyvoice" / "__init__.py").exists()]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *hidden])
    for name in [name for name in sys.modules if name.split(".")[0] in ("cosyvoice", "matcha")]:
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    return tmp_path


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x = 1\n")
    importlib.invalidate_caches()


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ((), "cosyvoice is not on the path; its source is needed: git clone --recursive .*CosyVoice"),
        (("cosyvoice/readme.txt",), "cosyvoice is not on the path"),
        (STUB, "is not CosyVoice but a stub without its code: pip uninstall cosyvoice"),
        (REAL, "lacks its submodule Matcha-TTS: git submodule update"),
    ],
    ids=["nothing", "a directory of that name", "the package from PyPI", "no submodule"],
)
def test_what_is_not_upstream_is_refused_with_the_remedy(path: Path, files: tuple[str, ...], sentence: str) -> None:
    write(path, *files)
    with pytest.raises(EngineUnavailable, match=sentence):
        cosyvoice.version()


def test_a_checkout_is_found_and_its_submodule_with_it(path: Path) -> None:
    write(path, *REAL, MATCHA)
    assert find_source() == path / "cosyvoice"
    assert importlib.util.find_spec("matcha") is not None


def test_version_names_the_source_and_the_model(path: Path) -> None:
    write(path, *REAL, MATCHA)
    digest = source_digest(path / "cosyvoice")
    model = CosyVoiceModel(engine="cosyvoice", model="iic/CosyVoice-300M", revision="v1")
    assert cosyvoice.version() == f"source {digest}"
    assert cosyvoice.version(model) == f"iic/CosyVoice-300M@v1 cosyvoice source {digest} batched 1"
    upstreams = model.model_copy(update={"decoder": "upstream"})
    assert cosyvoice.version(upstreams) == f"iic/CosyVoice-300M@v1 cosyvoice source {digest}"
    private = CosyVoiceModel(engine="cosyvoice", model="/home/me/models/mine")
    assert cosyvoice.version(private).startswith("mine@unpinned ")


def test_the_table_finds_the_engine_by_its_model(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = {"mine": CosyVoiceModel(engine="cosyvoice", model="iic/x", serving=CosyVoiceServing(run_model_code=True))}
    write(path, *STUB)
    with pytest.raises(EngineUnavailable, match="stub"):
        table.load_engine("tts", "mine", models)
    (path / "cosyvoice" / "cli").mkdir()
    write(path, *REAL, MATCHA)
    assert table.engine_version("tts", "mine", models).startswith("iic/x@unpinned cosyvoice source ")


def test_a_changed_source_has_another_digest(path: Path) -> None:
    write(path, *(f"one/{name}" for name in REAL), *(f"two/{name}" for name in REAL))
    first, second = path / "one" / "cosyvoice", path / "two" / "cosyvoice"
    assert source_digest(first) == source_digest(second)
    (third := path / "three").mkdir()
    write(third, *REAL)
    (third / REAL[-1]).write_text("x = 2\n")
    assert source_digest(third / "cosyvoice") != source_digest(first)


WHOLE = {
    1: ("llm.pt", "flow.pt", "hift.pt", "campplus.onnx", "cosyvoice.yaml", "speech_tokenizer_v1.onnx"),
    2: ("llm.pt", "flow.pt", "hift.pt", "campplus.onnx", "cosyvoice2.yaml", "speech_tokenizer_v2.onnx",
        "CosyVoice-BlankEN/config.json"),
    3: ("llm.pt", "flow.pt", "hift.pt", "campplus.onnx", "cosyvoice3.yaml", "speech_tokenizer_v3.onnx",
        "CosyVoice-BlankEN/config.json"),
}  # fmt: skip


@pytest.mark.parametrize("version", WHOLE)
def test_the_yaml_says_which_version_a_directory_is(tmp_path: Path, version: int) -> None:
    write(tmp_path, *WHOLE[version])
    assert checkpoint.version_of(tmp_path) == version


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ((), "is not a model directory: it has none of cosyvoice.yaml, cosyvoice2.yaml, cosyvoice3.yaml"),
        (WHOLE[1][1:], "is incomplete: llm.pt missing"),
        (WHOLE[2][:-1], "is incomplete: CosyVoice-BlankEN missing"),
    ],
    ids=["no yaml", "no language model", "no tokenizer"],
)
def test_a_directory_that_is_not_whole_is_a_sentence(tmp_path: Path, files: Any, sentence: str) -> None:
    write(tmp_path / "mine", *files)
    (tmp_path / "mine").mkdir(exist_ok=True)
    with pytest.raises(EngineUnavailable, match=f"mine {sentence}") as error:
        checkpoint.version_of(tmp_path / "mine")
    assert str(tmp_path) not in str(error.value)


def test_a_directory_that_is_not_there_is_not_looked_for_on_a_hub(tmp_path: Path) -> None:
    model = CosyVoiceModel(engine="cosyvoice", model=str(tmp_path / "gone"))
    with pytest.raises(EngineUnavailable, match="there is no directory gone") as error:
        checkpoint.find_directory(model)
    assert str(tmp_path) not in str(error.value)


class Hub:
    def __init__(self, answer: str | Exception) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.answer = answer

    def snapshot_download(self, model: str, revision: str | None) -> str:
        self.asked.append((model, revision))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_hub_id_is_fetched_at_its_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(str(tmp_path))
    monkeypatch.setitem(sys.modules, "modelscope", hub)  # type: ignore[arg-type]
    model = CosyVoiceModel(engine="cosyvoice", model="iic/CosyVoice-300M", revision="v1.2")
    assert checkpoint.find_directory(model) == tmp_path
    assert hub.asked == [("iic/CosyVoice-300M", "v1.2")]


def test_a_hub_that_cannot_be_reached_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope", Hub(ConnectionError("no route to /home/me/cache/x")))  # type: ignore[arg-type]
    model = CosyVoiceModel(engine="cosyvoice", model="iic/CosyVoice-300M")
    sentence = r"iic/CosyVoice-300M@unpinned cannot be downloaded from ModelScope \(ConnectionError: no route to x\)"
    with pytest.raises(EngineUnavailable, match=sentence):
        checkpoint.find_directory(model)


@each_row(
    ("version", "settings", "cuda", "expected"),
    [
        (1, {}, False, {"load_jit", "load_trt", "fp16", "trt_concurrent"}),
        (2, {}, False, {"load_jit", "load_trt", "load_vllm", "fp16", "trt_concurrent"}),
        (3, {"fp16": True, "serving": {"vllm": True, "threads": 4}}, True,
         {"load_trt", "load_vllm", "fp16", "trt_concurrent"}),
        (1, {"serving": {"vllm": True}}, True, "version 1 has no vllm"),
        (3, {"serving": {"jit": True}}, True, "version 3 has no jit"),
        (2, {"fp16": True}, False, "fp16 needs a GPU"),
        (3, {"serving": {"vllm": True}}, False, "vllm needs a GPU"),
        (1, {"decoder": "batched", "precision": "bfloat16"}, True, "version 1 has no `precision: bfloat16`"),
        (2, {"serving": {"threads": 4}}, True, "4 threads need tensorrt or vllm"),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_passed_on_or_refused(version: int, settings: Any, cuda: bool, expected: Any) -> None:
    model = CosyVoiceModel(engine="cosyvoice", model="iic/x", **{"decoder": "upstream", **settings})
    if isinstance(expected, str):
        with pytest.raises(EngineUnavailable, match=expected):
            checkpoint.constructor_arguments(model, version, cuda)
    else:
        arguments = checkpoint.constructor_arguments(model, version, cuda)
        assert set(arguments) == expected
        assert arguments["fp16"] == model.fp16


@pytest.mark.parametrize("settings", [{"fp16": True}, {"decoder": "upstream", "precision": "tf32"}])
def test_each_loop_has_its_own_precision(settings: Any) -> None:
    with pytest.raises(ValueError, match="needs `decoder: "):
        CosyVoiceModel(engine="cosyvoice", model="iic/x", **settings)


def test_the_page_names_the_commit() -> None:
    page = Path(__file__).parents[4] / "docs" / "cosyvoice.md"
    assert COMMIT in page.read_text(encoding="utf-8")
