import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.tts import _festival_child, festival
from pipeline.engines.tts._festival_child import ChildFailed, FestivalChild
from pipeline.engines.tts._prosody import Prosody
from pipeline.engines.tts.festival import Festival
from voicebank.voice import Voice

pytestmark = pytest.mark.offline

TEXT = "The baker opens her shop before the sun is up."
HTS = "cmu_us_slt_arctic_hts"
SPEAKERS = {HTS: 32_000, "kal_diphone": 16_000, "ked_diphone": 16_000}


@pytest.fixture(scope="module")
def engine() -> Iterator[Festival]:
    engine = Festival()
    yield engine
    engine.close()


def _request(
    text: str = TEXT, speaker: str = "kal_diphone", rate: float = 1.0, seed: int = 7, pitch: float = 1.0
) -> SpeechRequest:
    return SpeechRequest(text, "en", Voice("v", "festival", speaker, "en", "male", pitch=pitch), rate, seed)


def _say(engine: Festival, **changes: object) -> Clip:
    (clip,) = engine.synthesize([_request(**changes)])
    assert isinstance(clip, Clip), clip
    return clip


def _is_running(pid: int) -> bool:
    """Whether the process is there, as a zombie or alive."""
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(("speaker", "sample_rate"), SPEAKERS.items())
def test_clip(engine: Festival, speaker: str, sample_rate: int) -> None:
    clip = _say(engine, speaker=speaker)
    assert clip.sample_rate == sample_rate
    assert clip.samples.dtype == np.float32
    assert clip.samples.ndim == 1
    assert 1.5 < len(clip.samples) / clip.sample_rate < 5
    assert 0.1 < np.abs(clip.samples).max() <= 1.0


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_no_call_leaks_into_the_next(engine: Festival, speaker: str) -> None:
    first = _say(engine, speaker=speaker)
    for other in SPEAKERS:
        _say(engine, text="Something else!", speaker=other, rate=0.7, pitch=1.2, seed=99)
    assert np.array_equal(_say(engine, speaker=speaker).samples, first.samples)
    fresh = Festival()
    assert np.array_equal(_say(fresh, speaker=speaker).samples, first.samples)
    fresh.close()


@pytest.mark.parametrize("speaker", SPEAKERS)
@pytest.mark.parametrize(("rate", "pitch"), [(0.75, 1.0), (1.25, 1.0), (1.0, 0.85), (1.0, 1.2), (0.8, 1.1)])
def test_rate_alone_sets_the_length(engine: Festival, speaker: str, rate: float, pitch: float) -> None:
    normal, changed = _say(engine, speaker=speaker), _say(engine, speaker=speaker, rate=rate, pitch=pitch)
    assert len(changed.samples) / len(normal.samples) == pytest.approx(1 / rate, rel=0.06)


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_pitches_and_seeds_differ(engine: Festival, speaker: str) -> None:
    changes = [{}, {"pitch": 1.1}, {"pitch": 0.9}, {"seed": 8}, {"seed": -1}]
    assert len({_say(engine, speaker=speaker, **change).samples.tobytes() for change in changes}) == len(changes)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"text": ""}, "no letters"),
        ({"text": "'"}, "no letters"),
        ({"text": "one\0two"}, "U+0000"),
        ({"text": '"(quit) "'}, "U+0028"),
        ({"text": "a\\b"}, "U+005C"),
        ({"text": "你好"}, "U+4F60"),
        ({"speaker": "nobody"}, "'nobody'"),
        ({"speaker": "kal_diphone)(quit"}, "kal_diphone)(quit"),
        ({"rate": 9.0}, "rate 9 "),
    ],
)
def test_what_cannot_be_said_is_a_failure(engine: Festival, changes: dict[str, object], detail: str) -> None:
    before = engine._child.pid
    failure, clip = engine.synthesize([_request(**changes), _request()])
    assert isinstance(failure, Failure)
    assert failure.reason is Reason.SYNTHESIS_FAILED
    assert detail in failure.detail
    assert isinstance(clip, Clip)
    assert engine._child.pid == before


@pytest.mark.parametrize(
    ("text", "quoted"), [("plain", '"plain"'), ('a"b', r'"a\"b"'), ("a\\", r'"a\\"'), ('\\"', r'"\\\""')]
)
def test_the_second_fence_escapes(engine: Festival, text: str, quoted: str) -> None:
    assert festival._quoted(text) == quoted
    assert engine._child.evaluate(f'(format t "%s" {quoted})', 10.0) == text


def test_no_audio_is_a_failure(engine: Festival, monkeypatch: pytest.MonkeyPatch) -> None:
    _say(engine)
    monkeypatch.setattr(festival, "_scheme", lambda *_: "(car 3)")
    (failure,) = engine.synthesize([_request()])
    assert failure == Failure(Reason.SYNTHESIS_FAILED, "festival gave no audio")


def test_a_dead_child_is_replaced_once(engine: Festival) -> None:
    expected, pid = _say(engine), engine._child.pid
    os.kill(pid, signal.SIGKILL)
    assert np.array_equal(_say(engine).samples, expected.samples)
    assert engine._child.pid != pid
    assert not _is_running(pid)


@pytest.mark.parametrize("scheme", ["(exit)", "(while t nil)"], ids=["dies", "hangs"])
def test_dying_twice_is_a_dead_engine(engine: Festival, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(festival, "_scheme", lambda *_: scheme)
        patch.setattr(engine, "_limit_s", 0.2)
        patch.setattr(festival, "_LIMIT_S_PER_CHARACTER", 0.0)
        with pytest.raises(EngineDied, match="twice for the same text"):
            engine.synthesize([_request()])
    _say(engine)


def test_close_leaves_nothing_behind() -> None:
    engine = Festival()
    pid, directory = engine._child.pid, engine._wav.parent
    assert _is_running(pid)
    engine.close()
    engine.close()
    assert not _is_running(pid)
    assert not directory.exists()


@pytest.mark.parametrize("last", ["", "os._exit(0)", "os.kill(os.getpid(), 9)"], ids=["returns", "exits", "is killed"])
def test_the_child_ends_with_its_process(last: str) -> None:
    script = (
        "import os\nfrom pipeline.engines.tts._festival_child import FestivalChild\n"
        f"child = FestivalChild()\nchild.evaluate('', 30.0)\nprint(child.pid, flush=True)\n{last}\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    pid, deadline = int(done.stdout), time.monotonic() + 10
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)  # it ends on its own when its input does
    assert not _is_running(pid)


def test_child_prints_what_it_is_asked() -> None:
    child = FestivalChild()
    assert child.evaluate('(format t "one\\n")', 30.0) == "one\n"
    assert child.evaluate("(car 3)", 30.0) == ""
    with pytest.raises(ChildFailed, match="did not answer in time"):
        child.evaluate("(while t nil)", 0.1)
    with pytest.raises(ChildFailed, match="has ended"):
        child.evaluate("", 1.0)


def test_the_program_of_a_take() -> None:
    scheme = festival._scheme("Hello.", HTS, Prosody(rate=0.9, pitch=1.2, spread=1.0), Path("/x/clip.wav"))
    assert '"-r" 0.750000' in scheme
    assert '(Utterance Text "Hello.")' in scheme


def test_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_arguments: object, **_options: object) -> None:
        raise FileNotFoundError("festival")

    monkeypatch.setattr(_festival_child.subprocess, "run", missing)
    with pytest.raises(EngineUnavailable, match="Debian package festival"):
        festival.version()
    monkeypatch.setattr(_festival_child.subprocess, "Popen", missing)
    with pytest.raises(EngineUnavailable, match="Debian packages festival, "):
        FestivalChild()


def test_without_a_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(festival._PACKAGES, "no_such_diphone", "festvox-no-such")
    with pytest.raises(EngineUnavailable, match=r"install the Debian packages festvox-no-such$"):
        Festival()
