"""The faulty server for speech and transcriptions. What it says and hears is tones (`pipeline.engines.shared.tones`).

    python -m tests.servers.faulty_audio --port 0 --fault-share 0.3 --seed 1 --latency-ms 20

Options, /stats and /reset are those of `tests.servers.faulty`.
"""

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import soundfile
from aiohttp import web

from pipeline.audio.samples import encode
from pipeline.engines.asr.tone import ToneRecognizer
from pipeline.engines.contract import Clip, SpeechRequest, Transcript
from pipeline.engines.tts.tone import ToneSynthesizer
from tests.servers import wire
from tests.servers.faults import MEDIA_TYPE, TRANSPORT_FAULTS, Fault
from tests.servers.faulty import FaultyServer, Service, main
from tests.servers.scripted_audio import form_of
from voicebank.voice import Voice

MODEL = "tones"
_WAV, _JSON = "audio/wav", "application/json"


async def _truncated_audio(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.Response(body=answer[: len(answer) // 2], content_type=request[MEDIA_TYPE])


async def _empty(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.Response(body=b"", content_type=request[MEDIA_TYPE])


async def _error_within(request: web.Request, answer: bytes, drip_s: float) -> web.StreamResponse:
    return web.json_response(wire.error("no worker is free", code=503))


_COMMON = ("429", "429-retry-after", "500", "503", "reset", "truncated-body", "html", "quick-drip", "slow-drip")
AUDIO_FAULTS: Mapping[str, Fault] = {
    **{name: TRANSPORT_FAULTS[name] for name in _COMMON},
    "truncated-audio": _truncated_audio,
    "empty": _empty,
    "error-within": _error_within,
}


class AudioService(Service):
    """Knows every voice, and the model `tones` alone."""

    all_faults = tuple(AUDIO_FAULTS)
    model = MODEL

    def _add_routes(self, application: web.Application) -> None:
        application.router.add_post("/v1/audio/speech", self._speech)
        application.router.add_post("/v1/audio/transcriptions", self._transcription)

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        body = json.loads(data)
        return await self._give(request, hashlib.sha256(data).hexdigest(), body, lambda: speak(body), _WAV)

    async def _transcription(self, request: web.Request) -> web.StreamResponse:
        form = await form_of(request)
        # Not the whole body: the boundary between the parts is drawn anew for each sending.
        key = hashlib.sha256(repr(sorted(form.items())).encode()).hexdigest()
        return await self._give(request, key, form, lambda: json.dumps({"text": hear(form)}).encode(), _JSON)

    async def _give(
        self, request: web.Request, key: str, body: Mapping[str, Any], work: Any, media_type: str
    ) -> web.StreamResponse:
        if body.get("model") != MODEL:
            return web.json_response(wire.error(f"The model {body.get('model')} does not exist"), status=404)
        fault = await self._fate(key)
        answer: bytes = work()
        if fault is None:
            self._ledger.good[key] += 1
            return web.Response(body=answer, content_type=media_type)
        request[MEDIA_TYPE] = media_type
        try:
            return await AUDIO_FAULTS[fault](request, answer, self._drip_of(fault))
        except ConnectionResetError:  # the client has lost patience
            return web.Response()


def speak(body: Mapping[str, Any]) -> bytes:
    """What the tone engine says for a speech request, as a WAV file; the voice's name is its timbre."""
    voice = Voice(body["voice"], "tone", "tone", "en", "female")
    request = SpeechRequest(body["input"], "en", voice, body.get("speed", 1.0), body.get("seed", 0))
    (clip,) = ToneSynthesizer().synthesize([request])
    if not isinstance(clip, Clip):
        raise ValueError(clip.detail)
    return encode(clip.samples, clip.sample_rate, "wav").bytes


def hear(form: Mapping[str, Any]) -> str:
    """What the tone engine hears in the file of a transcription request."""
    samples, sample_rate = soundfile.read(BytesIO(form["file"]), dtype="float32")
    (heard,) = ToneRecognizer().transcribe([Clip(samples, sample_rate)], [form["language"]])
    if not isinstance(heard, Transcript):
        raise ValueError(heard.detail)
    return heard.text


class FaultyAudioServer(FaultyServer):
    module = "tests.servers.faulty_audio"


if __name__ == "__main__":
    main(AudioService)
