"""Checkpoints of AudioSeal: every layout that there is, and what cannot be loaded is one sentence."""

import subprocess
import sys
import urllib.error
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("audioseal")

import torch
from omegaconf import OmegaConf

from manifests.errors import EngineUnavailable
from pipeline.engines.watermark import _audioseal_networks, audioseal
from pipeline.engines.watermark._audioseal_networks import load_network
from pipeline.engines.watermark.audioseal import AudioSealModel, AudioSealWatermarker
from tests.pipeline.engines.watermark import tiny_audioseal as tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> AudioSealModel:
    return tiny.tiny_model(tmp_path_factory.mktemp("checkpoints"))


CONFIG = tiny.architecture("generator", **tiny.TINY)
PARAMETRIZED = ("parametrizations.weight.original0", "parametrizations.weight.original1")


def layouts(weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    old = tiny.old_names(weights)
    return {
        "published": {
            "xp.cfg": OmegaConf.create(CONFIG),
            "model": tiny.weight_normalized(old, "weight_g", "weight_v"),
        },
        "as trained": {"xp.cfg": OmegaConf.create(CONFIG), "best_state": {"model": old}},
        "parametrized": {"xp.cfg": CONFIG, "model": tiny.weight_normalized(old, *PARAMETRIZED)},
        "as the networks give it": {"xp.cfg": CONFIG, "model": weights},
        "at the top": {"xp.cfg": CONFIG, **weights},
        "with more than is needed": {"xp.cfg": CONFIG, "model": {**weights, "ema": torch.zeros(1)}, "epoch": 3},
    }


@pytest.mark.parametrize("layout", list(layouts({})))
def test_a_checkpoint_of_any_layout_gives_the_same_weights(layout: str, tmp_path: Path, model: AudioSealModel) -> None:
    network = tiny.make_network("generator", CONFIG)
    path = tmp_path / "g.pth"
    torch.save(layouts(dict(network.state_dict()))[layout], path)
    loaded = load_network("generator", model.model_copy(update={"generator": str(path)}), torch)
    assert loaded.nbits == 16 and not loaded.training
    for name, value in network.state_dict().items():
        assert torch.allclose(loaded.state_dict()[name], value, atol=1e-6), name


@pytest.fixture(scope="module")
def published_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights alone, of the cards' size and names."""
    path = tmp_path_factory.mktemp("bare") / "generator_base.pth"
    network = tiny.make_network("generator", tiny.architecture("generator"))
    torch.save({"model": tiny.old_names(network.state_dict())}, path)
    return path


@pytest.mark.parametrize(("name", "causal"), [("base", False), ("streaming", True)])
def test_weights_alone_have_the_architecture_of_a_card(published_size: Path, name: Any, causal: bool) -> None:
    model = AudioSealModel(engine="audioseal", generator=str(published_size), architecture=name)
    network = load_network("generator", model, torch)
    assert network.encoder.model[0].causal is causal


def test_a_card_is_taken_from_where_the_package_keeps_it(
    published_size: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, with the file where the package's own download lies."""
    monkeypatch.setenv("AUDIOSEAL_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda url, path, *_, **__: asked.append((url, path)))
    asked: list[tuple[str, str]] = []
    model = AudioSealModel(engine="audioseal")
    with pytest.raises(EngineUnavailable):
        load_network("generator", model, torch)
    ((url, path),) = asked
    assert url == "https://huggingface.co/facebook/audioseal/resolve/main/generator_base.pth"
    Path(path).symlink_to(published_size)
    assert Path(path).parent == tmp_path / "audioseal"
    assert load_network("generator", model, torch).nbits == 16
    assert len(asked) == 1


def test_offline_a_card_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("no such host")

    monkeypatch.setattr("torch.hub.urlopen", offline)
    monkeypatch.setenv("AUDIOSEAL_CACHE_DIR", str(tmp_path))
    with pytest.raises(EngineUnavailable) as error:
        AudioSealWatermarker(AudioSealModel(engine="audioseal", serving={"device": "cpu"}))
    assert str(error.value) == (
        "audioseal: the checkpoint of audioseal_wm_16bits cannot be downloaded (URLError): "
        "go online once, or name a local file"
    )


class RunsCode:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("import pathlib, os; pathlib.Path(os.environ['PROOF']).touch()",)


def _write(path: Path, what: str) -> None:
    network = tiny.make_network("generator", CONFIG).state_dict()
    some = dict(list(network.items())[:-1])
    of_ten_bits = tiny.make_network("generator", tiny.architecture("generator", 10, **tiny.TINY)).state_dict()
    contents: dict[str, Any] = {
        "code": {"xp.cfg": CONFIG, "model": network, "extra": RunsCode()},
        "a weight missing": {"xp.cfg": CONFIG, "model": some},
        "other sizes": {"xp.cfg": CONFIG, "model": of_ten_bits},
        "no architecture": {"xp.cfg": {"dataset": "x"}, "model": network},
        "a list": [network],
    }
    if what == "text":
        path.write_text("no weights at all")
    elif what == "nothing":
        path.touch()
    elif what != "no file":
        torch.save(contents[what], path)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("no file", "g.pth is neither a file nor a card (audioseal_wm_16bits, audioseal_wm_streaming)"),
        ("nothing", "g.pth is not a checkpoint that can be read without running code found in it"),
        ("text", "g.pth is not a checkpoint that can be read without running code found in it"),
        ("code", "g.pth is not a checkpoint that can be read without running code found in it"),
        ("a weight missing", "g.pth holds no generator of this architecture (KeyError)"),
        ("other sizes", "g.pth holds no generator of this architecture (RuntimeError)"),
        ("no architecture", "g.pth holds no generator of this architecture (AssertionError)"),
        ("a list", "g.pth holds no generator of this architecture (AttributeError)"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence_without_a_path(
    what: str, message: str, tmp_path: Path, model: AudioSealModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROOF", str(tmp_path / "code ran"))
    _write(tmp_path / "g.pth", what)
    with pytest.raises(EngineUnavailable) as error:
        AudioSealWatermarker(model.model_copy(update={"generator": str(tmp_path / "g.pth")}))
    assert str(error.value) == f"audioseal: {message}"
    assert not (tmp_path / "code ran").exists()


def test_a_detector_is_no_generator(model: AudioSealModel) -> None:
    with pytest.raises(EngineUnavailable, match=r"detector\.pth holds no generator"):
        AudioSealWatermarker(model.model_copy(update={"generator": model.detector}))


# names, versions, what is installed


def test_private_paths_stay_private(model: AudioSealModel) -> None:
    dumped = model.model_dump(mode="json")
    assert (dumped["generator"], dumped["detector"]) == ("generator.pth", "detector.pth")
    assert audioseal.version(model) == "generator.pth detector.pth audioseal 0.2.0"
    assert audioseal.version() == "audioseal 0.2.0"


def test_another_release_is_refused(model: AudioSealModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_audioseal_networks, "library_version", lambda *_: "0.3.0")
    for ask in (audioseal.version, lambda: AudioSealWatermarker(model)):
        with pytest.raises(EngineUnavailable, match=r"knows release 0\.2\.0 only, not 0\.3\.0: pip install"):
            ask()


def test_without_the_package_it_is_said_what_to_install() -> None:
    code = """
import sys
sys.modules["audioseal"] = None
from pipeline.engines.watermark.audioseal import AudioSealModel, AudioSealWatermarker
try:
    AudioSealWatermarker(AudioSealModel(engine="audioseal"))
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("EngineUnavailable audioseal needs the package audioseal"), done.stderr
    assert "pip install 'parley[audioseal]'" in done.stdout


def test_a_device_that_is_not_there_is_refused(model: AudioSealModel) -> None:
    with pytest.raises(EngineUnavailable, match="cannot run on 'cuda:99'"):
        AudioSealWatermarker(
            model.model_copy(update={"serving": model.serving.model_copy(update={"device": "cuda:99"})})
        )
