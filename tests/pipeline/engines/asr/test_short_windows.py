"""Windows that are shorter than 30 s: their lengths, what is doubtful in them, and what is then heard again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from sounds import SEVERAL, sound

from pipeline.engines.asr._chunked_decoding import WindowTranscript
from pipeline.engines.asr._short_windows import LABEL, SPARE_S, STEP_S, is_doubtful, window_seconds
from pipeline.engines.asr.whisper import Whisper, WhisperModel, open_recognizer, version
from pipeline.engines.contract import Samples, Transcript
from tests.tables import each_row


def cut(checkpoint: Path | str) -> WhisperModel:
    return WhisperModel.model_validate(
        {"engine": "whisper", "backend": "ctranslate2", "model": str(checkpoint), "window": "cut"}
    )


class Recorder:
    """Hears "short" in a short window and "whole" in a whole one, and notes each batch."""

    languages = frozenset({"en", "zh"})
    max_tokens = 444
    has_one_limit = True

    def __init__(self, short: str) -> None:
        self.short = short
        self.batches: list[tuple[int, float]] = []

    def decode(
        self, windows: Sequence[Samples], languages: Sequence[str], limits: Sequence[int], window_s: float
    ) -> list[WindowTranscript]:
        self.batches.append((len(windows), window_s))
        return [WindowTranscript("whole" if window_s == 30 else self.short) for _ in windows]


@pytest.mark.parametrize("seconds", [0.2, 4.99, 5.0, 5.01, 14.0, 20.0, 29.5, 30.0])
def test_a_window_holds_the_clip_and_its_silence(seconds: float) -> None:
    window = window_seconds(seconds)
    assert seconds <= window <= 30
    assert window == 30 or SPARE_S <= window - seconds <= SPARE_S + STEP_S
    assert window == 30 or window % STEP_S == SPARE_S % STEP_S


@each_row(
    ("language", "text", "doubtful"),
    [
        ("en", "Bring five or eight friends.", False),
        ("en", "Bring five or eight friends. Bring five or eight friends.", True),
        ("en", "I said bring five or eight friends, bring 5 or 8 friends", True),
        ("en", "No, no.", False),
        ("en", "He said that that was it.", False),
        ("zh", "爷爷奶奶住在乡下。", False),
        ("zh", "爷爷奶奶住在乡下。爷爷奶奶住在乡下。", True),
        ("zh", "谢谢谢谢", False),
        ("zh", "他 might let you learn SUV", True),
    ],
)
def test_what_is_said_twice_or_is_no_speech_is_doubtful(language: str, text: str, doubtful: bool) -> None:
    assert is_doubtful(WindowTranscript(text), language, 6.0) is doubtful


def test_a_transcript_that_is_cut_off_is_doubtful() -> None:
    assert is_doubtful(WindowTranscript("and so", ended=False), "en", 6.0)


def test_the_doubtful_are_heard_again_in_batches_of_whole_windows() -> None:
    backend = Recorder("so it goes, so it goes")
    recognizer = Whisper(backend, "", 440, batch_s=60, spare_s=SPARE_S)
    heard = recognizer.transcribe([sound(4)] * 3, ["en"] * 3)
    assert heard == [Transcript("whole")] * 3
    assert backend.batches == [(3, 15.0), (2, 30), (1, 30)]


def test_what_is_not_doubtful_is_heard_once() -> None:
    backend = Recorder("short")
    heard = Whisper(backend, "", 440, batch_s=60, spare_s=SPARE_S).transcribe([sound(4), sound(26)], ["en"] * 2)
    assert heard == [Transcript("whole"), Transcript("short")][::-1]
    assert sorted(backend.batches) == [(1, 15.0), (1, 30)]


def test_a_batch_hears_what_single_clips_say(whisper: dict[str, Path]) -> None:
    recognizer = open_recognizer(cut(whisper["ctranslate2"]))
    languages = ["en", "zh", "de", "zh", "en"]
    together = recognizer.transcribe(SEVERAL, languages)
    alone = [recognizer.transcribe([c], [lang])[0] for c, lang in zip(SEVERAL, languages, strict=True)]
    assert [one.text for one in together if isinstance(one, Transcript)] == [
        one.text for one in alone if isinstance(one, Transcript)
    ]
    assert all(isinstance(one, Transcript) for one in together)


def test_a_short_window_has_the_features_of_the_whole_one(whisper: dict[str, Path]) -> None:
    backend = open_recognizer(cut(whisper["ctranslate2"]))._backend
    samples = sound(4).samples
    whole, short = (backend._mel(samples, seconds) for seconds in (30, 15))  # type: ignore[attr-defined]
    assert whole.shape[1] == 3000 and short.shape[1] == 1500
    assert np.allclose(short, whole[:, :1500], atol=1e-5)


def test_the_window_is_part_of_the_version_and_needs_ctranslate2(whisper: dict[str, Path]) -> None:
    model = cut(whisper["ctranslate2"])
    assert version(model) != version(model.model_copy(update={"window": "whole"}))
    assert f"window={LABEL}" in version(model)
    with pytest.raises(ValidationError, match="window: cut needs backend: ctranslate2"):
        WhisperModel.model_validate({"engine": "whisper", "model": "x", "window": "cut"})
