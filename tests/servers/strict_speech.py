"""Speech servers that take one dialect and refuse what the real ones refuse. What they say is tones.

    StrictSpeech("vllm-omni-zonos2")                    an honest one
    StrictSpeech("openai", ignores={"voice"})           one that answers 200 to everything, in one voice
    StrictSpeech("openai", steady=False)                one whose clips differ a little from request to request

The chords of the tone engines carry the text, so that the tone recognizer hears it. Above them lie a tone for the
voice, one for the language and one for the style; the seed is their phase, and the speed stretches the rests.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from aiohttp import web

from pipeline.audio.samples import encode, resample
from pipeline.engines.contract import Clip, SpeechRequest
from pipeline.engines.shared.tones import SAMPLE_RATE, SLOT
from pipeline.engines.tts.tone import ToneSynthesizer
from tests.servers import wire
from tests.servers.dialect_rules import RULES
from tests.servers.faulty_audio import hear
from tests.servers.scripted_audio import ScriptedAudioServer
from voicebank.voice import Voice

MODEL = "strict-1.7B"
_VOICE_HZ, _LANGUAGE_HZ, _STYLE_HZ = 4000.0, 6500.0, 7500.0
_STEP_HZ = 250.0
_SLOTS_PER_CHARACTER = 2
_AMPLITUDE = 0.03


class StrictSpeech(ScriptedAudioServer):
    """`dialect` names the rules; `ignores` what it takes and does not heed; `finish` is its X-Finish-Reason;
    `word_times`: it tells them."""

    def __init__(
        self,
        dialect: str,
        ignores: Collection[str] = (),
        steady: bool = True,
        finish: str = "stop",
        word_times: bool = False,
    ) -> None:
        super().__init__(self._say, models=(MODEL, "aligned-1.7B", "small-0.6B"))
        self._dialect, self._ignores, self._steady = dialect, frozenset(ignores), steady
        self._finish, self._word_times = finish, word_times
        self._met: dict[str, int] = {}

    @property
    def speeches(self) -> list[dict[str, Any]]:
        """The requests for speech so far."""
        return [body for body in self.requests if "input" in body]

    def _say(self, body: dict[str, Any]) -> Any:
        if "file" in body:
            return hear(body)
        if problem := RULES[self._dialect](body, str(body["model"])):
            return 400, wire.error(problem)
        samples = self._samples_for(body)
        headers = {"X-Finish-Reason": self._finish}
        if self._word_times:
            words = body["input"].split()
            step = 1000 * len(samples) / SAMPLE_RATE / len(words)
            times = [
                {"word": w, "start_ms": int(i * step), "end_ms": int((i + 1) * step)} for i, w in enumerate(words)
            ]
            headers["X-Word-Timestamps"] = json.dumps(times)
        rate = 44_100 if "zonos" in self._dialect else SAMPLE_RATE
        audio = encode(resample(samples, SAMPLE_RATE, rate), rate, "wav").bytes
        return web.Response(body=audio, headers={"Content-Type": "audio/wav", **headers})

    def _samples_for(self, body: Mapping[str, Any]) -> npt.NDArray[np.float32]:
        seed = 0 if "seed" in self._ignores else int(body.get("seed", 0))
        speed = 1.0 if "speed" in self._ignores else float(body.get("speed", 1.0))
        clip = _chords(body["input"], seed, speed)
        tones = [_VOICE_HZ + _STEP_HZ * (0 if "voice" in self._ignores else self._number_of(self._voice(body)) % 9)]
        language = "" if "language" in self._ignores else str(body.get("language", body.get("lang_code", "")))
        tones.append(_LANGUAGE_HZ + _STEP_HZ * (self._number_of(language) % 3))
        style = body.get("instructions") or body.get("extra_params", {}).get("emo_text")
        if style and "style" not in self._ignores:
            tones.append(_STYLE_HZ)
        time = np.arange(len(clip)) / SAMPLE_RATE
        for hz in tones:
            clip = clip + _AMPLITUDE * np.sin(2 * np.pi * hz * time + seed % 628 / 100)
        if not self._steady:
            clip = clip + np.random.default_rng().normal(0, 0.002, len(clip))
        return clip.astype(np.float32)

    def _voice(self, body: Mapping[str, Any]) -> str:
        given = next(body[name] for name in ("speaker_embedding", "ref_audio", "references", "voice") if name in body)
        return json.dumps(given)

    def _number_of(self, value: str) -> int:
        """The place of the value among those that were met so far."""
        return self._met.setdefault(value, len(self._met))


def _chords(text: str, seed: int, speed: float) -> npt.NDArray[np.float64]:
    voice = Voice("strict", "tone", "tone", "en", "female")
    (said,) = ToneSynthesizer().synthesize([SpeechRequest(text, "en", voice, 1.0, seed)])
    assert isinstance(said, Clip)
    slots = said.samples.reshape(-1, SLOT)
    loud = slots[np.any(slots != 0, axis=1)]
    stride = _SLOTS_PER_CHARACTER / speed
    spread = np.zeros((int(len(loud) * stride) + 1, SLOT))
    spread[np.floor(np.arange(len(loud)) * stride).astype(int)] = loud
    return spread.reshape(-1)
