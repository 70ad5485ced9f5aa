"""PocketSphinx's aligner against flite, which knows when it says its words."""

import numpy as np
import pytest

from manifests.words import words_of
from pipeline.engines.aligner._letter_sounds import guess_sounds
from pipeline.engines.aligner.pocketsphinx import PocketSphinxAligner
from pipeline.engines.contract import AlignRequest, Clip, Failure, SpeechRequest
from pipeline.engines.tts.flite import Flite
from voicebank.voice import Voice

pytestmark = pytest.mark.offline

TEXT = "Well, the old clock in Zagrovia's hall stopped years ago. Nobody noticed!"


@pytest.fixture(scope="module")
def engine() -> PocketSphinxAligner:
    return PocketSphinxAligner()


@pytest.fixture(scope="module")
def clip() -> Clip:
    voice = Voice("v", "flite", "slt", "en", "female", rate=0.95)
    (made,) = Flite().synthesize([SpeechRequest(TEXT, "en", voice, 1.0, 3, word_times=True)])
    assert isinstance(made, Clip)
    return made


def test_words_are_where_they_are_said_even_those_of_no_dictionary(engine, clip) -> None:
    (found,) = engine.align([AlignRequest(clip, TEXT, "en")])
    assert found.is_complete and [word.text for word in found.words] == [word.text for word in words_of(TEXT, "en")]
    for side in ("start_sample", "end_sample"):
        errors = [
            abs(getattr(ours, side) - getattr(true, side)) / clip.sample_rate
            for ours, true in zip(found.words, clip.word_times.words, strict=True)
        ]
        assert np.median(errors) < 0.02 and max(errors) < 0.12, (side, errors)


def test_times_are_those_of_the_clips_own_rate_and_no_clip_leaves_a_trace(engine, clip) -> None:
    (first,) = engine.align([AlignRequest(clip, TEXT, "en")])
    from pipeline.audio.samples import resample

    finer = Clip(resample(clip.samples, clip.sample_rate, 24_000), 24_000)
    (at_24,) = engine.align([AlignRequest(finer, TEXT, "en")])
    for one, other in zip(first.words, at_24.words, strict=True):
        assert abs(1.5 * one.start_sample - other.start_sample) <= 480
    assert engine.align([AlignRequest(clip, TEXT, "en")]) == [first]


@pytest.mark.parametrize(
    "text",
    [
        "Well, the old clock in Zagrovia's hall stopped years ago.",
        "The old clock in Zagrovia's hall stopped years ago. Nobody noticed!",
        "Well, the old clock in Zagrovia's hall. Nobody noticed!",
        "Please bring me a glass of cold water and two slices of bread, thank you.",
        "Well, the old clock in Zagrovia's hall stopped years ago. Nobody noticed! And nobody ever asked me.",
    ],
)
def test_another_text_is_not_believed(engine, clip, text: str) -> None:
    (found,) = engine.align([AlignRequest(clip, text, "en")])
    assert isinstance(found, Failure) or found.problem


@pytest.mark.parametrize(
    ("samples", "text", "language", "words"),
    [
        (np.zeros(16_000), "Yes.", "en", "silent"),
        (np.full(16_000, np.nan), "Yes.", "en", "NaN"),
        (np.ones(160), "Yes.", "en", "too short"),
        (np.ones(16_000), "Yes, 25.", "en", "not of letters"),
        (np.ones(16_000), "…", "en", "not of letters"),
        (np.ones(16_000), "是", "zh", "English only"),
    ],
)
def test_what_cannot_be_aligned_says_why(engine, samples, text: str, language: str, words: str) -> None:
    (found,) = engine.align([AlignRequest(Clip(samples.astype(np.float32), 16_000), text, language)])
    assert isinstance(found, Failure) and words in found.detail


def test_every_letter_has_a_sound() -> None:
    assert guess_sounds("zagrovia's") == "Z AE G R AA V IH AE S".split()
    assert guess_sounds("phoebe") and guess_sounds("''") == ["AH"]
    assert all(guess_sounds(letter) for letter in "abcdefghijklmnopqrstuvwxyz")
