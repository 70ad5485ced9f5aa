"""When Kokoro's words are spoken: by phonemes, and by what a graph predicts of them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("hibari", reason="needs the extra 'kokoro'")
pytest.importorskip("onnx", reason="needs the extra 'kokoro'")

from pipeline.engines.contract import Clip, SpeechRequest
from pipeline.engines.tts._prosody import Prosody
from pipeline.engines.tts.kokoro import KokoroModel, open_synthesizer, synthesizer
from pipeline.engines.tts.kokoro.word_spans import TimedPhoneme, word_spans
from tests.pipeline.engines.tts.kokoro.tiny_kokoro import TOKEN_SAMPLES, make_directory
from voicebank.voice import Voice


def timed(phonemes: str) -> list[TimedPhoneme]:
    return [TimedPhoneme(phoneme, 10 * at, 10 * at + 10) for at, phoneme in enumerate(phonemes)]


@pytest.mark.parametrize(
    ("units", "phonemes", "has_blanks", "spans"),
    [
        (["wˈɛl,", "jˈɛs"], "wˈɛl, jˈɛs!", True, [(0, 40), (50, 100)]),
        # A number has two groups; "the" sounds otherwise alone than before a vowel.
        (["ðə", "twˈɛnti fˈIv"], "ði twˈɛnti fˈIv.", True, [(0, 20), (20, 150)]),
        (["nˈO"], "nˈO wˈA", True, [None]),
        (["xɤ↗", "pjɛ→n", "hə lO"], "xɤ↗pjɛ→n, həlO", False, [(0, 30), (30, 80), (90, 140)]),
        (["xɤ↗", "pjɛ↘n"], "xɤ↗pjɛ→n", False, [None, None]),
    ],
)
def test_phonemes_are_given_to_words_only_where_all_fit(units, phonemes, has_blanks, spans) -> None:
    assert word_spans(units, timed(phonemes), has_blanks) == spans


@pytest.mark.parametrize(("language", "speaker"), [("en", "af_heart"), ("zh", "zm_yunxi")])
def test_words_begin_where_the_graph_says_that_their_phonemes_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, speaker: str
) -> None:
    if language == "zh":
        pytest.importorskip("misaki", reason="needs the extra 'kokoro'")
    # At another rate, the tiny graph's samples are no whole frames, and then nothing is told.
    monkeypatch.setattr(synthesizer, "vary_prosody", lambda request: Prosody(1.0, 1.0, 1.0))
    text = {"en": "Well, the old bridge was closed.", "zh": "河边那条步道就不错，iPhone很好。"}[language]
    engine = open_synthesizer(KokoroModel(engine="kokoro", model=str(make_directory(tmp_path / "model"))))
    voice = Voice("v", "kokoro", speaker, language, "female")
    asked, plain = engine.synthesize([SpeechRequest(text, language, voice, 1.0, 3, told) for told in (True, False)])
    assert isinstance(asked, Clip) and isinstance(plain, Clip)
    assert plain.word_times is None and np.array_equal(asked.samples, plain.samples)
    assert asked.word_times is not None and asked.word_times.is_complete
    phonemes = engine._phonemizer.phonemize(text, language, False)  # type: ignore[attr-defined]
    starts = [word.start_sample or 0 for word in asked.word_times.words]
    assert starts == sorted(set(starts)), "each after the one before"
    for word in asked.word_times.words:
        assert word.start_sample is not None and word.end_sample is not None
        # Before the text is a silence of one token, and a frame, here a token, is what phonemes are heard earlier.
        first, last = word.start_sample / TOKEN_SAMPLES, word.end_sample / TOKEN_SAMPLES
        assert abs(first - round(first)) < 0.5 and 0 <= round(first) < round(last) <= len(phonemes)
        assert phonemes[round(first)].isalpha() or phonemes[round(first)] in "ˈˌ ", word
