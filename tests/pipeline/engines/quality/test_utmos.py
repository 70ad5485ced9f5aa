"""UTMOS on tiny predictors in both forms: a TorchScript file, and a directory with a hubconf.py."""

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.errors import EngineDied, EngineUnavailable
from pipeline.engines.contract import Clip, Failure
from pipeline.engines.quality.utmos import Utmos, UtmosModel
from pipeline.engines.registry import engine_version, load_engine

torch: Any = pytest.importorskip("torch", reason="scores with PyTorch")

RATE = 16_000

HUBCONF = """
dependencies = ["torch"]
import torch

class Predictor(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = torch.nn.Parameter(torch.tensor(1.0))
    def forward(self, wave, sr):
        if wave.ndim != 2 or sr != 16000:
            raise ValueError("wave [B, T] at 16 kHz")
        return self.offset + 4 * wave.abs().amax(dim=1)

def utmos22_strong(**kwargs):
    return Predictor()

def not_a_number(**kwargs):
    predictor = Predictor()
    predictor.offset.data.fill_(float("nan"))
    return predictor

def broken(**kwargs):
    raise RuntimeError("cannot reach " + __file__)
"""


class Scripted(torch.nn.Module):  # type: ignore[misc]
    def forward(self, wave: torch.Tensor, sample_rate: int) -> torch.Tensor:
        assert sample_rate == 16000
        return 1 + 4 * wave.abs().amax(dim=1)


class Failing(torch.nn.Module):  # type: ignore[misc]
    def forward(self, wave: torch.Tensor, sample_rate: int) -> torch.Tensor:
        return wave.view(3, -1, 7)


def script(path: Path, module: Any) -> Path:
    torch.jit.script(module).save(str(path))
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "SpeechMOS"
    made.mkdir()
    (made / "hubconf.py").write_text(HUBCONF)
    return made


def model(path: Path, **settings: Any) -> UtmosModel:
    return UtmosModel(
        engine="utmos", model=str(path), revision="v1", serving={"device": "cpu", "run_model_code": True}, **settings
    )


def tone(peak: float, seconds: float = 1.0, rate: int = RATE) -> Clip:
    time = np.arange(round(seconds * rate)) / rate
    return Clip((peak * np.sin(2 * np.pi * 200 * time)).astype(np.float32), rate)


@pytest.mark.parametrize("form", ["file", "directory"])
def test_both_forms_rate_each_clip_by_itself(form: str, directory: Path, tmp_path: Path) -> None:
    path = directory if form == "directory" else script(tmp_path / "utmos.pt", Scripted())
    engine = load_engine("quality", "mos", {"mos": model(path)})
    clips = [tone(0.5), tone(0.25, 2.5), tone(0.5, rate=48_000)]
    together = engine.predict(clips)
    assert [rated["utmos"] for rated in together] == [pytest.approx(score, abs=0.02) for score in (3, 2, 3)]
    assert together == [engine.predict([clip])[0] for clip in clips]
    assert engine.scores == ("utmos",)
    expected = f"{path.name}@v1 torch {torch.__version__}"
    assert engine.version == engine_version("quality", "mos", {"mos": model(path)}) == expected
    assert str(tmp_path) not in engine.version


@pytest.mark.parametrize(
    ("clip", "detail"),
    [
        (tone(0.5, 0.4), "0.40 s"),
        (Clip(np.zeros(RATE, np.float32), RATE), "silent"),
        (Clip(np.full(RATE, np.nan, np.float32), RATE), "NaN"),
        (Clip(np.zeros(0, np.float32), RATE), "0.00 s"),
    ],
    ids=["short", "silence", "nan", "empty"],
)
def test_bad_clips_are_failures_among_good_ones(clip: Clip, detail: str, directory: Path) -> None:
    first, bad, last = Utmos(model(directory)).predict([tone(0.5), clip, tone(0.5)])
    assert isinstance(bad, Failure) and detail in bad.detail
    assert first == last and not isinstance(first, Failure)


def test_speechmos_and_the_package_of_that_name_with_dnsmos_keep_apart(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dnsmos = types.ModuleType("speechmos")
    monkeypatch.setitem(sys.modules, "speechmos", dnsmos)
    (directory / "speechmos" / "utmos22").mkdir(parents=True)
    (directory / "speechmos" / "__init__.py").write_text("")
    (directory / "speechmos" / "utmos22" / "__init__.py").write_text("HERE = True")
    (directory / "hubconf.py").write_text("from speechmos.utmos22 import HERE" + HUBCONF)
    assert Utmos(model(directory)).predict([tone(0.5)])[0] == {"utmos": pytest.approx(3, abs=0.01)}
    assert sys.modules["speechmos"] is dnsmos and "speechmos.utmos22" not in sys.modules


def test_a_score_that_is_no_number_is_a_failure(directory: Path) -> None:
    (rated,) = Utmos(model(directory, entry="not_a_number")).predict([tone(0.5)])
    assert isinstance(rated, Failure) and "NaN or infinite" in rated.detail


def test_a_predictor_that_breaks_has_died(tmp_path: Path) -> None:
    engine = Utmos(model(script(tmp_path / "utmos.pt", Failing())))
    with pytest.raises(EngineDied, match="utmos stopped"):
        engine.predict([tone(0.5)])


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("absent.pt", "utmos22_strong", "there is no file or directory absent.pt@v1"),
        ("empty", "utmos22_strong", "empty@v1 has no hubconf.py"),
        ("text.pt", "utmos22_strong", "it is not a TorchScript file"),
        ("SpeechMOS", "utmos_of_tomorrow", "its hubconf.py gives no 'utmos_of_tomorrow'"),
        ("SpeechMOS", "broken", "or it is broken"),
    ],
)
def test_what_cannot_load_says_so_without_paths(
    name: str, entry: str, message: str, directory: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.pt").write_text("not weights")
    with pytest.raises(EngineUnavailable, match=message) as error:
        Utmos(model(tmp_path / name, entry=entry))
    assert str(tmp_path) not in str(error.value)
    assert error.value.__cause__ is None
