import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.audio import decode
from manifests.reasons import Reason
from pipeline.audio.levels import normalize_peak
from pipeline.audio.samples import encode, pad_silence, resample, trim_silence
from pipeline.engines.asr.tone import ToneRecognizer
from pipeline.engines.contract import Clip, Failure, SpeechRequest
from pipeline.engines.shared.tones import SAMPLE_RATE, VERSION
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.engines.watermark.tone_mark import ToneWatermarker
from tests.tables import each_row
from voicebank.voice import Voice

ANNA = Voice("anna", "tone", "1", "en", "female")
BEN = Voice("ben", "tone", "2", "en", "male", pitch=0.8)
ENGLISH = "Is it true, 3 > 2?"
CHINESE = "今天下雨吗？"


def request(text, voice=ANNA, rate=1.0, seed=0):
    return SpeechRequest(text, "en", voice, rate, seed)


def say(text, **how):
    (clip,) = ToneSynthesizer().synthesize([request(text, **how)])
    assert isinstance(clip, Clip)
    return clip


def hear(samples, sample_rate=SAMPLE_RATE):
    (transcript,) = ToneRecognizer().transcribe([Clip(samples, sample_rate)], ["xx"])
    return transcript.text


def mark(clip):
    (marked,) = ToneWatermarker().embed([clip], [0])
    return marked


def score(samples, sample_rate=SAMPLE_RATE):
    (detection,) = ToneWatermarker().detect([Clip(samples, sample_rate)])
    return detection.score


def noise(num_samples, level, seed=0):
    return np.random.default_rng(seed).normal(0, level, num_samples).astype(np.float32)


def with_noise(samples, snr_db):
    level = np.sqrt(np.mean(samples**2)) * 10 ** (-snr_db / 20)
    return samples + noise(len(samples), level)


def through(codec, samples):
    return decode(encode(samples, SAMPLE_RATE, codec))[0]


@each_row(
    "text",
    [
        pytest.param(ENGLISH, id="english"),
        pytest.param(CHINESE, id="chinese"),
        pytest.param("uh, 你好 world", id="mixed"),
        pytest.param("𠮷野家 🦜", id="astral"),
        pytest.param("é e\u0301 ไทย עברית", id="combining and right-to-left"),
        pytest.param("\x00\t\n\x7f", id="control characters"),
        pytest.param("\U0010ffff\uffff\x00", id="ends of the range"),
        pytest.param("\ud800", id="a lone surrogate"),
        pytest.param("a", id="one narrow character"),
        pytest.param("好", id="one wide character"),
        pytest.param("啊啊啊啊啊啊", id="repeated"),
    ],
)
def test_what_is_said_is_heard(text):
    assert hear(say(text).samples) == text


@given(st.text(min_size=1, max_size=12), st.integers(0, 2**63), st.floats(0.5, 2))
def test_any_text_any_voice_any_seed(text, seed, pitch):
    voice = replace(ANNA, voice_id=f"v{seed}", pitch=pitch)
    assert hear(say(text, voice=voice, seed=seed).samples) == text


@each_row("text", [ENGLISH, CHINESE, "a", "𠮷"])
@each_row(
    "treatment",
    [
        pytest.param(lambda x: through("wav", x), id="wav"),
        pytest.param(lambda x: through("flac", x), id="flac"),
        pytest.param(lambda x: through("flac", normalize_peak(x, -30.0)), id="quiet flac"),
        pytest.param(lambda x: normalize_peak(x, 0.0), id="loud"),
        pytest.param(trim_silence, id="trimmed"),
        pytest.param(lambda x: pad_silence(x, 16000, 137, 291), id="padded"),
        pytest.param(lambda x: pad_silence(trim_silence(x), 16000, 100, 100), id="trimmed and padded"),
        pytest.param(lambda x: mark(Clip(x, 16000)).samples, id="marked"),
        pytest.param(lambda x: with_noise(x, 15), id="noise 15 dB below"),
    ],
)
def test_delivery_keeps_the_words(treatment, text):
    assert hear(treatment(say(text).samples)) == text


@each_row("sample_rate", [8000, 11025, 22050, 24000, 44100, 48000])
def test_heard_at_any_rate(sample_rate):
    assert hear(resample(say(ENGLISH).samples, SAMPLE_RATE, sample_rate), sample_rate) == ENGLISH


@each_row("sample_rate", [8000, 16000, 22050, 24000, 44100, 48000])
@each_row("text", [CHINESE, ""])
def test_marked_rests_are_silent_at_any_rate(text, sample_rate):
    """16-bit rounding gives a pilot tone that stands alone overtones that look like a chord."""
    words = resample(say(text).samples, 16000, sample_rate) if text else np.zeros(0, np.float32)
    padded = normalize_peak(pad_silence(words, sample_rate, 300, 300), -9.0)
    marked = mark(Clip(padded, sample_rate)).samples
    assert hear(*decode(encode(marked, sample_rate, "flac"))) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("a", 0.06), ("hello", 0.30), ("好", 0.18), ("你好 ok", 0.54), ("🦜", 0.18)],
)
def test_duration_follows_the_characters_alone(text, seconds):
    for how in ({}, {"voice": BEN}, {"rate": 1.3}, {"seed": 9}):
        assert len(say(text, **how).samples) == round(seconds * SAMPLE_RATE)


@pytest.mark.parametrize(
    "how",
    [
        {"voice": replace(ANNA, voice_id="anne")},
        {"voice": replace(ANNA, pitch=1.1)},
        {"voice": replace(ANNA, rate=1.1)},
        {"rate": 1.1},
        {"seed": 1},
    ],
    ids=str,
)
def test_another_take_is_other_audio(how):
    assert not np.array_equal(say(ENGLISH).samples, say(ENGLISH, **how).samples)


def test_clips_depend_on_their_request_alone():
    requests = [request(ENGLISH), request(CHINESE, voice=BEN), request("no", seed=4)]
    together = ToneSynthesizer().synthesize(requests)
    alone = [say(r.text, voice=r.voice, seed=r.seed) for r in reversed(requests)][::-1]
    assert [c.samples.tobytes() for c in together] == [c.samples.tobytes() for c in alone]


def test_clips_follow_the_audio_convention():
    samples = say("".join(chr(c) for c in range(32, 1000))).samples
    assert (samples.dtype, samples.ndim, samples.flags.c_contiguous) == (np.float32, 1, True)
    assert 0.3 < np.abs(samples).max() < 1


def test_empty_text_is_a_failure_among_clips():
    failed, spoken = ToneSynthesizer().synthesize([request(""), request("a")])
    assert isinstance(failed, Failure)
    assert failed.reason is Reason.SYNTHESIS_FAILED
    assert isinstance(spoken, Clip)


SLOT = 960


@pytest.mark.parametrize(
    ("cut", "heard"),
    [
        pytest.param(slice(None, 7 * SLOT), "we walk", id="end"),
        pytest.param(slice(3 * SLOT, None), "walked home", id="beginning"),
        pytest.param(slice(None, 7 * SLOT + 200), "we walk", id="end, within a character"),
        pytest.param(slice(4 * SLOT - 200, None), "alked home", id="beginning, within a character"),
        pytest.param(slice(3 * SLOT, 9 * SLOT), "walked", id="both"),
    ],
)
def test_a_cut_clip_loses_its_characters(cut, heard):
    assert hear(say("we walked home").samples[cut]) == heard


def test_a_gap_of_silence_loses_its_characters():
    samples = say("we walked home").samples.copy()
    samples[3 * SLOT : 10 * SLOT] = 0
    assert hear(samples) == "we home"


def test_noise_costs_words_before_it_costs_all():
    text = "the river was high and the bridge was closed " * 5
    samples = say(text).samples
    counts = [len(hear(with_noise(samples, snr_db))) for snr_db in (10, 0, -12)]
    assert counts[0] == len(text)
    assert 0 < counts[1] < len(text)
    assert counts[2] == 0


@each_row(
    "samples",
    [
        pytest.param(np.zeros(0, np.float32), id="nothing"),
        pytest.param(np.zeros(1, np.float32), id="one sample"),
        pytest.param(np.zeros(16000, np.float32), id="silence"),
        pytest.param(noise(16000, 1e-4), id="hiss"),
        pytest.param(normalize_peak(say(ENGLISH).samples, -70.0), id="speech too quiet to hear"),
        pytest.param(noise(160000, 0.1), id="white noise"),
        pytest.param(np.sin(np.arange(16000) * 0.4).astype(np.float32), id="a sine"),
    ],
)
def test_silence_and_other_sounds_are_not_heard(samples):
    assert hear(samples) == ""


def chord(*digits):
    """One slot made by the rule in the docstring of `pipeline.engines.shared.tones`."""
    time = np.arange(800) / 16000
    tones = [np.sin(2 * np.pi * (500 + 500 * i + 31.25 * digit) * time) for i, digit in enumerate(digits)]
    return np.pad(0.1 * sum(tones), 80).astype(np.float32)


@pytest.mark.parametrize(
    ("digits", "heard"),
    [
        pytest.param((0, 0, 0, 3, 0, 8 + 4), "a", id="U+0061 and its check bits"),
        pytest.param((0, 0, 0, 3, 0, 8 + 5), "", id="other check bits"),
        pytest.param((15, 15, 15, 15, 15, 8 + 7), "", id="beyond U+10FFFF"),
        pytest.param((0, 0, 0, 3, 0), "", id="a digit missing"),
    ],
)
def test_the_documented_chord_is_what_is_heard(digits, heard):
    assert hear(chord(*digits)) == heard


def test_recognizer_answers_for_every_clip_in_order():
    clips = [say("one"), Clip(np.zeros(100, np.float32), 16000), say("two")]
    transcripts = ToneRecognizer().transcribe(clips, ["en", "zh", "en"])
    assert [t.text for t in transcripts] == ["one", "", "two"]


UNMARKED = [
    pytest.param(say(ENGLISH).samples, id="english"),
    pytest.param(say(CHINESE).samples, id="chinese"),
    pytest.param(say("a").samples, id="one character"),
    pytest.param(noise(32000, 0.1), id="noise"),
    pytest.param(np.zeros(16000, np.float32), id="silence"),
]


@pytest.mark.parametrize("samples", UNMARKED)
def test_pilot_is_found_only_where_it_is(samples):
    marked = mark(Clip(samples, 16000))
    assert score(samples) < 0.2
    assert score(marked.samples) > 0.8
    assert (len(marked.samples), marked.samples.dtype, marked.sample_rate) == (len(samples), np.float32, 16000)


@each_row("samples", UNMARKED[:4])
@each_row(
    "treatment",
    [lambda x: through("flac", x), lambda x: normalize_peak(x, -12.0), lambda x: resample(x, 16000, 8000)],
    ids=["flac", "level", "8 kHz"],
)
def test_pilot_survives_delivery(treatment, samples):
    treated = treatment(mark(Clip(samples, 16000)).samples)
    assert score(treated, 16000 * len(treated) // len(samples)) > 0.8


@pytest.mark.parametrize("sample_rate", [8000, 11025, 22050, 48000])
def test_pilot_works_at_any_rate(sample_rate):
    clip = Clip(noise(10 * sample_rate, 0.1), sample_rate)
    assert score(clip.samples, sample_rate) < 0.2 < 0.8 < score(mark(clip).samples, sample_rate)


def test_pilot_is_gone_after_a_high_pass_filter():
    samples = mark(say(ENGLISH)).samples
    spectrum = np.fft.rfft(samples)
    spectrum[: int(300 * len(samples) / 16000)] = 0
    assert score(np.fft.irfft(spectrum, len(samples)).astype(np.float32)) < 0.2


def test_marker_leaves_its_input_alone_and_stays_in_range():
    samples = np.ones(1600, np.float32)
    marked = mark(Clip(samples, 16000))
    assert (samples == 1).all()
    assert np.abs(marked.samples).max() <= 1


def test_empty_clip_cannot_be_marked():
    empty = Clip(np.zeros(0, np.float32), 16000)
    marker = ToneWatermarker()
    for results in (marker.embed([empty], [0]), marker.detect([empty])):
        assert isinstance(results[0], Failure)
        assert results[0].reason is Reason.WATERMARK_FAILED


@pytest.mark.parametrize("num_samples", [200, 500, 700])
def test_short_clips_can_be_marked(num_samples):
    samples = (0.5 * np.sin(np.arange(num_samples) * np.pi / 4)).astype(np.float32)
    marked = mark(Clip(samples, 16000)).samples
    assert len(marked) == num_samples
    assert score(samples) < 0.2 < 0.5 < score(marked)


@pytest.mark.parametrize(
    ("engine", "name"),
    [(ToneSynthesizer, "tone"), (ToneRecognizer, "tone"), (ToneWatermarker, "tone-mark")],
)
def test_names_and_versions(engine, name):
    assert (engine().name, engine().version) == (name, "2" if name == "tone-mark" else VERSION)


def test_languages_are_any():
    assert ToneRecognizer().languages is None


def test_loads_without_torch():
    engines = "pipeline.engines.tts.tone, pipeline.engines.asr.tone, pipeline.engines.watermark.tone_mark"
    code = f"import sys, {engines}; print('torch' in sys.modules, 'ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
