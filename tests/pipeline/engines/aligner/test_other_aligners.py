"""What the synthesizer told, and what the package qwen-asr answers, become times of our words."""

from dataclasses import dataclass

import numpy as np

from manifests.schema import Word, WordTimes
from pipeline.engines.aligner.qwen3_forced_aligner import Qwen3ForcedAligner
from pipeline.engines.aligner.synthesizer import SynthesizerTimes
from pipeline.engines.contract import AlignRequest, Clip, Failure, SpeechRequest
from pipeline.engines.tts.tone import ToneSynthesizer
from voicebank.voice import Voice

CLIP = Clip(np.full(24_000, 0.5, np.float32), 24_000)


def told(*words: tuple[str, int | None, int | None], problem: str | None = None) -> WordTimes:
    return WordTimes("server 1", "word", tuple(Word(*word) for word in words), problem)


def test_the_synthesizers_times_keep_their_source_whatever_its_words() -> None:
    own = told(("Yes,", 0, 5), ("it", None, None))
    other = told(("yes", 0, 5), ("it", 5, 6), ("'s", 6, 9))
    empty = told(problem="the server left the word times out")
    requests = [AlignRequest(CLIP, text, "en", given) for text, given in (("Yes, it", own), ("Yes, it's", other))]
    same, cut = SynthesizerTimes().align(requests)
    assert same == own
    assert cut == told(("Yes,", 0, 5), ("it's", 5, 9))
    for given, words in ((None, "told no times"), (empty, "left the word times out")):
        (failure,) = SynthesizerTimes().align([AlignRequest(CLIP, "Yes", "en", given)])
        assert isinstance(failure, Failure) and words in failure.detail


def test_the_tone_engine_tells_its_words_to_the_sample() -> None:
    voice = Voice("v", "tone", "a", "zh", "male")
    text = "好的， it is。"
    (clip,) = ToneSynthesizer().synthesize([SpeechRequest(text, "zh", voice, 1.0, 1, word_times=True)])
    assert clip.word_times and clip.word_times.unit == "character"
    sound = np.abs(clip.samples) > 1e-3
    for word in clip.word_times.words:
        assert sound[word.start_sample : word.start_sample + 32].any(), word
        assert not sound[word.start_sample - 80 : word.start_sample].any(), "silence before each chord"
        assert sound[word.end_sample - 32 : word.end_sample].any()
        assert not sound[word.end_sample : word.end_sample + 80].any(), word
    texts = ["好", "的，", "it", "is。"]
    assert [word.text for word in clip.word_times.words] == texts
    (plain,) = ToneSynthesizer().synthesize([SpeechRequest(text, "zh", voice, 1.0, 1)])
    assert plain.word_times is None and np.array_equal(plain.samples, clip.samples)


@dataclass
class Item:
    text: str
    start_time: float
    end_time: float


class Package:
    """Answers as `qwen_asr.Qwen3ForcedAligner` does."""

    def __init__(self, items: list[Item]) -> None:
        self.items, self.asked = items, list[dict[str, object]]()

    def align(self, **asked: object) -> list[list[Item]]:
        self.asked.append(asked)
        return [self.items]


def test_qwens_items_without_marks_are_our_words_and_the_clip_comes_at_16_khz() -> None:
    package = Package([Item("你", 0.08, 0.24), Item("好", 0.24, 0.4), Item("我", 0.56, 1.2)])
    aligner = Qwen3ForcedAligner(package, "test")
    known, unknown = aligner.align([AlignRequest(CLIP, "你好，我。", "zh"), AlignRequest(CLIP, "hej", "sv")])
    assert isinstance(unknown, Failure) and "'sv'" in unknown.detail
    assert isinstance(known, WordTimes)
    assert known.words == (Word("你", 1920, 5760), Word("好，", 5760, 9600), Word("我。", 13440, 24_000))
    ((samples, rate),) = package.asked[0]["audio"]  # type: ignore[misc]
    assert (len(samples), rate) == (16_000, 16_000) and package.asked[0]["language"] == ["Chinese"]
