"""Whisper by both backends, on tiny checkpoints in the true file format."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sounds import SEVERAL, silence, sound

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.audio.samples import resample
from pipeline.engines.asr import whisper as engine
from pipeline.engines.asr._windows import cut_windows
from pipeline.engines.asr.whisper import Whisper, WhisperModel, open_recognizer, token_limit, version
from pipeline.engines.contract import Clip, Failure, Transcript
from pipeline.engines.shared.silence_guard import prepare

BACKENDS = ("transformers", "ctranslate2")
pytestmark = pytest.mark.parametrize("backend", BACKENDS)


def model(checkpoint: Path | str, backend: str, **changes: Any) -> WhisperModel:
    return WhisperModel.model_validate({"engine": "whisper", "backend": backend, "model": str(checkpoint), **changes})


@pytest.fixture(scope="module")
def recognizer(whisper: dict[str, Path]) -> Callable[[str], Whisper]:
    loaded = {backend: open_recognizer(model(path, backend)) for backend, path in whisper.items()}
    return loaded.__getitem__


def texts(results: Sequence[Transcript | Failure]) -> list[str]:
    return [result.text if isinstance(result, Transcript) else str(result) for result in results]


def test_a_batch_hears_what_single_clips_say(recognizer: Callable[[str], Whisper], backend: str) -> None:
    languages = ["en", "zh", "de", "zh", "en"]
    together = recognizer(backend).transcribe(SEVERAL, languages)
    alone = [recognizer(backend).transcribe([c], [lang])[0] for c, lang in zip(SEVERAL, languages, strict=True)]
    assert texts(together) == texts(alone)
    assert len(set(texts(together))) == len(SEVERAL), "what is heard depends on the clip"


def test_both_backends_hear_the_same(recognizer: Callable[[str], Whisper], backend: str) -> None:
    reference = recognizer("transformers").transcribe(SEVERAL, ["zh"] * len(SEVERAL))
    results = recognizer(backend).transcribe(SEVERAL, ["zh"] * len(SEVERAL))
    assert texts(results) == texts(reference)
    for one, other in zip(results, reference, strict=True):
        assert isinstance(one, Transcript) and isinstance(other, Transcript)
        assert one.no_speech == pytest.approx(other.no_speech, abs=1e-4)
        assert one.no_speech is not None and 0 <= one.no_speech <= 1
        assert one.log_probability is not None and one.log_probability < 0


def test_the_language_is_forced_for_each_row(recognizer: Callable[[str], Whisper], backend: str) -> None:
    clip = SEVERAL[1]
    results = recognizer(backend).transcribe([clip] * 4, ["en", "zh", "fr", "cmn"])
    heard = texts(results)
    assert len(set(heard[:3])) == 3
    assert heard[3] == heard[1], "cmn is Whisper's zh"


def test_an_unknown_language_is_refused(recognizer: Callable[[str], Whisper], backend: str) -> None:
    (known, unknown) = recognizer(backend).transcribe([SEVERAL[0]] * 2, ["en", "tlh"])
    assert isinstance(known, Transcript)
    assert isinstance(unknown, Failure) and unknown.reason == Reason.NO_RECOGNIZER


def test_an_english_only_checkpoint_hears_english_alone(english_whisper: dict[str, Path], backend: str) -> None:
    recognizer = open_recognizer(model(english_whisper[backend], backend))
    assert recognizer.languages == {"en"}
    (english, chinese) = recognizer.transcribe([SEVERAL[0]] * 2, ["en", "zh"])
    assert isinstance(english, Transcript) and english.text
    assert isinstance(chinese, Failure) and chinese.reason == Reason.NO_RECOGNIZER


def test_all_of_a_long_clip_is_heard(recognizer: Callable[[str], Whisper], backend: str) -> None:
    parts = [sound(22, 300), silence(1), sound(24, 800), silence(1), sound(8, 500)]
    long = Clip(np.concatenate([part.samples for part in parts]), 16_000)
    windows = cut_windows(long.samples)
    assert len(windows) == 3
    (whole,) = recognizer(backend).transcribe([long], ["en"])
    pieces = recognizer(backend).transcribe([Clip(window, 16_000) for window in windows], ["en"] * 3)
    assert texts([whole]) == [" ".join(texts(pieces))]
    assert isinstance(whole, Transcript) and whole.log_probability is not None
    each = [piece.log_probability or 0 for piece in pieces if isinstance(piece, Transcript)]
    assert min(each) <= whole.log_probability <= max(each)


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 48_000])
def test_clips_of_any_rate_are_heard_at_16_khz(recognizer: Callable[[str], Whisper], backend: str, rate: int) -> None:
    clip = sound(2, 440, rate)
    same = Clip(resample(clip.samples, rate, 16_000), 16_000)
    first, second = recognizer(backend).transcribe([clip, same], ["en", "en"])
    assert first == second


def test_silence_never_reaches_the_model(
    recognizer: Callable[[str], Whisper], backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []
    inner = recognizer(backend)._backend
    decode = inner.decode
    monkeypatch.setattr(inner, "decode", lambda w, *rest: shown.append(len(w)) or decode(w, *rest))
    faint = Clip((silence(1).samples + 2e-4).astype(np.float32), 16_000)
    broken = Clip(np.array([0.1, np.nan] * 4000, np.float32), 16_000)
    empty = Clip(np.zeros(0, np.float32), 16_000)
    results = recognizer(backend).transcribe([silence(2), SEVERAL[0], faint, broken, empty], ["en"] * 5)
    assert shown == [1]
    assert results[0] == results[2] == Transcript("")
    assert [r.reason for r in results[3:] if isinstance(r, Failure)] == [Reason.RECOGNITION_FAILED] * 2


def test_batches_hold_so_many_seconds_with_padding(
    whisper: dict[str, Path], backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = open_recognizer(model(whisper[backend], backend, serving={"batch_s": 90}))
    sizes: list[int] = []
    decode = recognizer._backend.decode
    monkeypatch.setattr(recognizer._backend, "decode", lambda w, *rest: sizes.append(len(w)) or decode(w, *rest))
    recognizer.transcribe([sound(1 + i / 10) for i in range(7)], ["en"] * 7)
    assert sizes == [3, 3, 1], "every window costs 30 s"


def test_a_transcript_that_is_cut_off_is_no_transcript(whisper: dict[str, Path], backend: str) -> None:
    recognizer = open_recognizer(model(whisper[backend], backend, max_new_tokens=3))
    (result,) = recognizer.transcribe([SEVERAL[1]], ["en"])
    assert result == Failure(Reason.RECOGNITION_FAILED, "the transcript was cut off after 3 tokens")


def test_a_beam_search_is_heard_alike(whisper: dict[str, Path], backend: str) -> None:
    recognizer = open_recognizer(model(whisper[backend], backend, beams=3))
    together = recognizer.transcribe(SEVERAL[:3], ["zh"] * 3)
    assert texts(together) == [texts(recognizer.transcribe([clip], ["zh"]))[0] for clip in SEVERAL[:3]]
    assert all(isinstance(result, Transcript) and result.log_probability for result in together)


@pytest.mark.parametrize("name", ["/nowhere/private/whisper-x", "nobody/no-such-whisper"])
def test_a_missing_checkpoint_is_a_sentence(backend: str, name: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"no checkpoint .*could be loaded as .*whisper"):
        open_recognizer(model(name, backend))
    try:
        open_recognizer(model(name, backend))
    except EngineUnavailable as error:
        assert "private" not in str(error)


def test_a_lost_model_is_a_dead_engine(
    recognizer: Callable[[str], Whisper], backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(recognizer(backend)._backend, "decode", lost)
    with pytest.raises(EngineDied, match="out of memory"):
        recognizer(backend).transcribe([SEVERAL[0]], ["en"])


def test_the_version_says_what_decides_the_transcript(whisper: dict[str, Path], backend: str) -> None:
    stated = version(model(whisper[backend], backend, revision="abc"))
    assert stated.startswith(f"{backend}@abc ") and "beams=1" in stated and str(whisper[backend].parent) not in stated
    assert version() == version() and "transformers" in version()


@pytest.mark.parametrize(
    ("seconds", "most", "limit"),
    [(0.5, 440, 91), (5.0, 440, 91), (5.1, 440, 166), (30.0, 440, 440), (30.0, 100, 100), (1.0, 50, 50)],
)
def test_short_clips_get_short_transcripts(backend: str, seconds: float, most: int, limit: int) -> None:
    assert token_limit(seconds, most) == limit


def test_prepared_samples_are_what_the_model_hears(backend: str) -> None:
    prepared = prepare(sound(1, rate=24_000))
    assert isinstance(prepared, np.ndarray)
    assert prepared.dtype == np.float32 and prepared.shape == (16_000,) and prepared.flags.c_contiguous
    assert engine.NAME == "whisper"
