import subprocess

import numpy as np
import pytest

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts import espeak_ng
from pipeline.engines.tts.espeak_ng import Espeak
from tests.tables import each_row
from voicebank.bank import load_bank
from voicebank.voice import Voice

pytestmark = pytest.mark.offline

TEXT = "今天下午我想去图书馆看书，你要一起去吗？"


@pytest.fixture(scope="module")
def engine() -> Espeak:
    return Espeak()


def _request(text: str = TEXT, speaker: str = "cmn+f2", rate: float = 1.0, seed: int = 7, pitch: float = 1.0):
    return SpeechRequest(text, "zh", Voice("v", "espeak-ng", speaker, "zh", "female", pitch=pitch), rate, seed)


def _say(engine: Espeak, **changes: object) -> Clip:
    (clip,) = engine.synthesize([_request(**changes)])
    assert isinstance(clip, Clip), clip
    return clip


@each_row("speaker", [*sorted({v.speaker for v in load_bank("offline").select(language="zh")}), "en-us"])
def test_clip(engine: Espeak, speaker: str) -> None:
    clip = _say(engine, text="我们 go!", speaker=speaker)
    assert clip.sample_rate == 22_050
    assert clip.samples.dtype == np.float32
    assert clip.samples.ndim == 1
    assert 0.5 < len(clip.samples) / clip.sample_rate < 5
    assert 0.1 < np.abs(clip.samples).max() <= 1.0


def test_no_call_leaks_into_the_next(engine: Espeak) -> None:
    first = _say(engine)
    for seed in range(3):
        _say(engine, text="别的话。" * (seed + 1), speaker="cmn+m3", seed=seed, rate=1.3, pitch=0.8)
    assert np.array_equal(_say(engine).samples, first.samples)
    assert np.array_equal(_say(Espeak()).samples, first.samples)


def test_variants_speeds_pitches_and_seeds_differ(engine: Espeak) -> None:
    changes = [{}, {"speaker": "cmn+m3"}, {"rate": 0.8}, {"pitch": 1.2}, {"seed": 8}]
    assert len({_say(engine, **change).samples.tobytes() for change in changes}) == len(changes)


def test_rate(engine: Espeak) -> None:
    assert len(_say(engine, rate=0.7).samples) / len(_say(engine).samples) == pytest.approx(1 / 0.7, rel=0.15)


@each_row(
    ("changes", "detail"),
    [
        ({"text": ""}, "no letters"),
        ({"text": "。。！"}, "no letters"),
        ({"text": "你\0好"}, "U+0000"),
        ({"text": "你好 [[n@]]"}, "mark-up"),
        ({"text": "<b>你好</b>"}, "mark-up"),
        ({"text": "好" * 5000}, "limit"),
        ({"speaker": "cmn+nobody"}, "'cmn+nobody'"),
        ({"speaker": "nobody"}, "nobody"),
        ({"speaker": "--version"}, "'--version'"),
        ({"speaker": "../cmn"}, "'../cmn'"),
        ({"rate": 0.1}, "rate 0.1 "),
    ],
)
def test_what_cannot_be_said_is_a_failure(engine: Espeak, changes: dict[str, object], detail: str) -> None:
    failure, clip = engine.synthesize([_request(**changes), _request()])
    assert isinstance(failure, Failure)
    assert failure.reason is Reason.SYNTHESIS_FAILED
    assert detail in failure.detail
    assert isinstance(clip, Clip)


def test_text_is_never_an_option(engine: Espeak) -> None:
    assert len(_say(engine, text="--version 你好").samples) > 0


def test_a_text_without_end_is_a_failure(engine: Espeak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak_ng, "_LIMIT_S", 0.0)
    (failure,) = engine.synthesize([_request()])
    assert isinstance(failure, Failure)
    assert "did not end" in failure.detail


def test_a_killed_program_is_a_dead_engine(engine: Espeak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], -9, b"", b""))
    with pytest.raises(EngineDied, match="signal 9"):
        engine.synthesize([_request()])


def test_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak_ng, "_COMMAND", "no-such-program")
    with pytest.raises(EngineUnavailable, match="Debian package espeak-ng"):
        espeak_ng.version()
    with pytest.raises(EngineUnavailable, match="Debian package espeak-ng"):
        Espeak()
