"""Checks the audio of voices: do they *sound* like a real speaker?

The leak test compares vectors, but the product is audio, and a synthesizer need not follow a vector exactly. So a
sample of voices speaks two sentences; their audio goes through the encoder that the bank was built with, and the mean
of both x-vectors is compared with every speaker's, first of all with the parents'.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from manifests.errors import UserError
from pipeline.engines.contract import Clip, Failure, Samples, SpeakerEncoder, SpeechRequest, SpeechSynthesizer
from pipeline.seeds import derive_seed
from voicebank.leak import quantiles
from voicebank.speaker_table import SpeakerTable
from voicebank.voice import ANY_LANGUAGE, Voice

Sentences = Mapping[str, tuple[str, str]]

SENTENCES: Sentences = {
    "en": (
        "Could you tell me which train leaves for the coast on Sunday morning, and how long the journey takes?",
        "My neighbor grows tomatoes on her balcony, and every summer she brings us a whole basket of them.",
    ),
    "zh": (
        "请问星期天早上去海边的火车几点出发，路上大概要花多长时间？",
        "我的邻居在阳台上种了很多西红柿，每年夏天都会送给我们满满一篮子。",
    ),
}
_OF_ANY = "en"
BATCH = 16


@dataclass(frozen=True, slots=True)
class HeardVoice:
    """Holds cosines of one voice's audio: between its two sentences, to its parents, to the nearest real speaker."""

    voice_id: str
    own: float
    parents: tuple[float, ...]
    nearest_real: float
    nearest_id: str


@dataclass
class ProbeReport:
    """Holds the result. `failures` says why voices could not be measured; the check passes only without any."""

    limit: float
    heard: list[HeardVoice] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def near(self) -> list[HeardVoice]:
        """Return the voices whose audio is at least as similar to a real speaker as the limit."""
        return [one for one in self.heard if one.nearest_real >= self.limit]

    @property
    def ok(self) -> bool:
        return bool(self.heard) and not self.near and not self.failures

    def figures(self) -> dict[str, Any]:
        return {
            "limit": self.limit,
            "voices": len(self.heard),
            "nearest_real": quantiles([one.nearest_real for one in self.heard]),
            "own_parents": quantiles([value for one in self.heard for value in one.parents]),
            "own_two_sentences": quantiles([one.own for one in self.heard]),
            "near_real": {one.voice_id: [round(one.nearest_real, 6), one.nearest_id] for one in self.near},
            "failures": dict(self.failures),
        }


def probe(
    voices: Sequence[Voice],
    speakers: SpeakerTable,
    synthesizers: Mapping[str, SpeechSynthesizer],
    encoder: SpeakerEncoder,
    limit: float,
    sentences: Sentences = SENTENCES,
) -> ProbeReport:
    """Let the voices speak and measure them. The keys of `synthesizers` are the names in the voices' `engine`.

    Raises UserError if the encoder's embeddings differ from the speakers' in width, or if a voice has no synthesizer.
    """
    if encoder.dimension != speakers.xvectors.shape[1]:
        have = speakers.xvectors.shape[1]
        raise UserError(
            f"the encoder gives {encoder.dimension} numbers, the speakers have {have}: use the bank's own encoder"
        )
    if strange := sorted({voice.engine for voice in voices} - synthesizers.keys()):
        raise UserError(f"the recipe has no speech engine for voices of {', '.join(strange)}")
    report = ProbeReport(limit)
    for begin in range(0, len(voices), BATCH):
        for voice, found in speak_and_encode(voices[begin : begin + BATCH], synthesizers, encoder, sentences):
            if isinstance(found, str):
                report.failures[voice.voice_id] = found
            else:
                report.heard.append(_compare(voice, found, speakers))
    return report


def speak_and_encode(
    voices: Sequence[Voice],
    synthesizers: Mapping[str, SpeechSynthesizer],
    encoder: SpeakerEncoder,
    sentences: Sentences,
) -> Iterator[tuple[Voice, Samples | str]]:
    """Yield the x-vectors of each voice's sentences [2, D], or the reason why there are none."""
    requests: dict[str, list[SpeechRequest]] = defaultdict(list)
    for voice in voices:
        language = _OF_ANY if voice.language == ANY_LANGUAGE else voice.language
        texts = sentences.get(language, ())
        requests[voice.engine] += [_request(voice, language, text, index) for index, text in enumerate(texts)]
    clips: dict[str, list[Clip | Failure]] = defaultdict(list)
    for engine, asked in requests.items():
        for request, clip in zip(asked, synthesizers[engine].synthesize(asked), strict=True):
            clips[request.voice.voice_id].append(clip)
    for voice in voices:
        spoken = clips[voice.voice_id]
        yield voice, _encode(spoken, encoder) if spoken else f"no probe sentence for language {voice.language}"


def _request(voice: Voice, language: str, text: str, index: int) -> SpeechRequest:
    return SpeechRequest(text, language, voice, 1.0, derive_seed(0, "probe", voice.voice_id, index))


def _encode(clips: Sequence[Clip | Failure], encoder: SpeakerEncoder) -> Samples | str:
    sound: list[Clip] = []
    for clip in clips:
        if isinstance(clip, Failure):
            return f"{clip.reason.value}: {clip.detail}"
        if not clip.samples.size or not np.isfinite(clip.samples).all() or not clip.samples.any():
            return "the synthesizer gave no sound"
        sound.append(clip)
    xvectors: list[Samples] = []
    for result in encoder.encode(sound):
        if isinstance(result, Failure):
            return f"{result.reason.value}: {result.detail}"
        xvectors.append(result)
    return np.stack(xvectors)


def _compare(voice: Voice, xvectors: Samples, speakers: SpeakerTable) -> HeardVoice:
    mean = xvectors.mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    similarities = speakers.xvectors @ mean
    row = int(similarities.argmax())
    place = {speaker_id: index for index, speaker_id in enumerate(speakers.ids)}
    return HeardVoice(
        voice_id=voice.voice_id,
        own=float(xvectors[0] @ xvectors[1]),
        parents=tuple(float(similarities[place[parent]]) for parent in voice.parents if parent in place),
        nearest_real=float(similarities[row]),
        nearest_id=speakers.ids[row],
    )
