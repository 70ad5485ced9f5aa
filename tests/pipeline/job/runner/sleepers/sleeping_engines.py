"""Tone engines that take a known time for each clip, in place of work: 0.12 s to speak, 0.03 s to hear."""

import time
from collections.abc import Sequence

from pipeline.engines.asr import tone as hearing
from pipeline.engines.contract import Clip, Failure, SpeechRequest, Transcript
from pipeline.engines.tts import tone as speech

SPEAK_S, HEAR_S = 0.12, 0.03


def version(*_: object) -> str:
    return "sleeping"


class SleepingSynthesizer(speech.ToneSynthesizer):
    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        time.sleep(SPEAK_S * len(requests))
        return super().synthesize(requests)


class SleepingRecognizer(hearing.ToneRecognizer):
    def transcribe(self, clips: Sequence[Clip], languages: Sequence[str]) -> list[Transcript | Failure]:
        time.sleep(HEAR_S * len(clips))
        return super().transcribe(clips, languages)
