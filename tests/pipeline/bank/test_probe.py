"""The audio check, on doubles whose audio carries the x-vector as the strengths of tones, and on real voices."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from manifests.errors import UserError
from manifests.reasons import Reason
from pipeline.bank.probe import SENTENCES, probe
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest
from tests.voicebank.made_up import WIDTH, people
from voicebank.speaker_table import SpeakerTable, blend_vectors, speaker_table_of
from voicebank.voice import Voice

RATE = 16_000
SECOND = np.arange(RATE) / RATE
PITCHES = 100 + 50 * np.arange(WIDTH)
SPEAKERS = speaker_table_of(people())


class ToneVoices:
    """Speaks a vector as a chord: `vectors` by voice_id, one tone for each number; a faint one depends on the text."""

    name, version = "tones", "1"

    def __init__(self, vectors: dict[str, Samples]) -> None:
        self.vectors = vectors
        self.batches: list[int] = []

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        self.batches.append(len(requests))
        return [self._say(request) for request in requests]

    def _say(self, request: SpeechRequest) -> Clip | Failure:
        if request.voice.voice_id not in self.vectors:
            return Failure(Reason.SYNTHESIS_FAILED, "no such voice")
        strengths = self.vectors[request.voice.voice_id].copy()
        strengths[len(request.text) % WIDTH] += 0.05
        chord = np.sin(2 * np.pi * PITCHES[:, None] * SECOND).T @ strengths
        return Clip(chord.astype(np.float32), RATE)


class ToneEncoder:
    """Hears the strengths of the tones."""

    name, version, dimension = "tones", "1", WIDTH

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        heard = [np.fft.rfft(clip.samples)[PITCHES].imag for clip in clips]
        return [(-values / np.linalg.norm(values)).astype(np.float32) for values in heard]


def virtual(
    name: str, rows: tuple[int, int], speakers: SpeakerTable = SPEAKERS, language: str = "en"
) -> tuple[Voice, Samples]:
    parents = tuple(speakers.ids[row] for row in rows)
    vector, _ = blend_vectors(speakers.xvectors, np.array([rows]), np.array([[0.5, 0.5]]))
    return Voice(name, "tones", name, language, "female", parents=parents, weights=(0.5, 0.5)), vector[0]


def some(count: int = 20) -> tuple[list[Voice], dict[str, Samples]]:
    made = [virtual(f"v{index}", (index, index + 20)) for index in range(count)]
    return [voice for voice, _ in made], {voice.voice_id: vector for voice, vector in made}


def test_audio_that_follows_its_vectors_passes() -> None:
    voices, vectors = some()
    engine = ToneVoices(vectors)
    report = probe(voices, SPEAKERS, {"tones": engine}, ToneEncoder(), 0.95)
    assert report.ok and len(report.heard) == 20 and engine.batches == [32, 8]
    for one, voice in zip(report.heard, voices, strict=True):
        expected = [float(vectors[voice.voice_id] @ SPEAKERS.xvectors[SPEAKERS.ids.index(p)]) for p in voice.parents]
        assert one.parents == pytest.approx(expected, abs=0.02)
        assert 0.95 < one.own < 1


def test_a_voice_that_sounds_like_a_real_speaker_is_named() -> None:
    voices, vectors = some()
    vectors["v3"] = SPEAKERS.xvectors[50]  # no parent of it
    report = probe(voices, SPEAKERS, {"tones": ToneVoices(vectors)}, ToneEncoder(), 0.95)
    assert [(one.voice_id, one.nearest_id) for one in report.near] == [("v3", SPEAKERS.ids[50])]
    assert not report.ok and report.figures()["near_real"]["v3"][1] == SPEAKERS.ids[50]


def test_a_voice_that_falls_back_to_its_parent_is_named() -> None:
    voices, vectors = some()
    vectors["v7"] = SPEAKERS.xvectors[7]
    report = probe(voices, SPEAKERS, {"tones": ToneVoices(vectors)}, ToneEncoder(), 0.95)
    assert [(one.voice_id, one.nearest_id) for one in report.near] == [("v7", SPEAKERS.ids[7])]
    assert max(report.heard[7].parents) == pytest.approx(1, abs=0.01)


def test_what_cannot_be_measured_fails_the_check() -> None:
    voices, vectors = some()
    del vectors["v2"]
    vectors["v4"] = np.full(WIDTH, np.nan, np.float32)
    vectors["v5"] = np.zeros(WIDTH, np.float32)
    voices[6] = replace(voices[6], language="tlh")
    quiet = Quiet(vectors)
    report = probe(voices, SPEAKERS, {"tones": quiet}, ToneEncoder(), 0.95)
    assert report.failures == {
        "v2": "synthesis_failed: no such voice",
        "v4": "the synthesizer gave no sound",
        "v5": "the synthesizer gave no sound",
        "v6": "no probe sentence for language tlh",
    }
    assert not report.ok and len(report.heard) == 16


class Quiet(ToneVoices):
    """Silence where the vector is all zeros."""

    def _say(self, request: SpeechRequest) -> Clip | Failure:
        clip = super()._say(request)
        silent = isinstance(clip, Clip) and not self.vectors[request.voice.voice_id].any()
        return Clip(np.zeros(RATE, np.float32), RATE) if silent else clip


def test_nothing_heard_is_nothing_proven() -> None:
    assert not probe([], SPEAKERS, {}, ToneEncoder(), 0.95).ok


@pytest.mark.parametrize(
    "engine, width, message",
    [("other", WIDTH, "no speech engine for voices of tones"), ("tones", 5, "gives 5 numbers, the speakers have 64")],
)
def test_engines_that_do_not_fit(engine: str, width: int, message: str) -> None:
    voices, vectors = some(1)
    encoder = ToneEncoder()
    encoder.dimension = width
    with pytest.raises(UserError, match=message):
        probe(voices, SPEAKERS, {engine: ToneVoices(vectors)}, encoder, 0.95)


def test_an_agent_of_any_language_speaks() -> None:
    voice, vector = virtual("agent-female", (1, 2), language="mul")
    assert probe([voice], SPEAKERS, {"tones": ToneVoices({voice.voice_id: vector})}, ToneEncoder(), 0.97).ok


@pytest.mark.parametrize("language", ["en", "zh"])
def test_probe_sentences_differ(language: str) -> None:
    one, other = SENTENCES[language]
    assert one != other and min(len(one), len(other)) >= 20


@pytest.mark.offline
def test_real_voices_and_a_real_encoder() -> None:
    """flite's rms and awb as "real" speakers. A voice that speaks as rms is caught; slt, a woman, is neither."""
    from pipeline.engines.encoder.resemblyzer import Resemblyzer
    from pipeline.engines.tts.flite import Flite

    encoder, flite = Resemblyzer(device="cpu"), Flite()
    names = ("rms", "awb")
    clips = flite.synthesize([_said_by(name, SENTENCES["en"][1]) for name in names])
    xvectors = encoder.encode([clip for clip in clips if isinstance(clip, Clip)])
    speakers = [
        replace(one, speaker_id=name, xvector=xvector, embedding=None)
        for one, name, xvector in zip(people(2), names, xvectors, strict=True)
    ]
    speakers = speaker_table_of([one for one in speakers if not isinstance(one.xvector, Failure)])
    voices = [
        Voice("parrot", "flite", "rms", "en", "male", parents=names, weights=(0.5, 0.5)),
        Voice("stranger", "flite", "slt", "en", "female", parents=names, weights=(0.5, 0.5)),
    ]
    parrot, stranger = (probe([voice], speakers, {"flite": flite}, encoder, 0.85) for voice in voices)
    assert [(one.voice_id, one.nearest_id) for one in parrot.near] == [("parrot", "rms")]
    assert stranger.ok and stranger.heard[0].own > stranger.heard[0].nearest_real


def _said_by(speaker: str, text: str) -> SpeechRequest:
    return SpeechRequest(text, "en", Voice(speaker, "flite", speaker, "en", "male"), 1.0, 1)
