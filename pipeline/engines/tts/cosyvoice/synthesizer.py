"""The engine: speaks requests one at a time, or a few at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import numpy as np

from manifests.errors import EngineDied
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest
from pipeline.engines.shared.random_state import random_state_kept
from pipeline.engines.tts.cosyvoice import CosyVoiceModel
from pipeline.engines.tts.cosyvoice.checkpoint import Loaded
from pipeline.engines.tts.cosyvoice.errors import describe, is_fatal
from pipeline.engines.tts.cosyvoice.guards import audio_problem, control_tokens, refusal
from pipeline.engines.tts.cosyvoice.timbre import SpeakerEntry, Timbres
from pipeline.engines.tts.cosyvoice.upstream import NAME


class CosyVoiceSynthesizer:
    """Speaks with a loaded model.

    With one thread, a clip depends on its request alone: all random generators are seeded before each utterance and
    get their states back after it. With several threads (TensorRT or vLLM), utterances draw from the same generators
    at the same time, and the seed has no meaning; vLLM also has generators of its own.
    """

    name = NAME

    def __init__(self, model: CosyVoiceModel, loaded: Loaded, version: str) -> None:
        self.version = version
        self.sample_rate = int(loaded.upstream.sample_rate)
        self._model = model
        self._upstream = loaded.upstream
        self._timbres = Timbres(loaded.upstream, loaded.version, model.instruct, model.text_frontend)
        self._controls = control_tokens(loaded.upstream.frontend.tokenizer)
        self._threads = model.serving.threads

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        """One clip or Failure for each request, in order. Raises EngineDied where the GPU or vLLM is gone.

        The longest text comes first: several threads then end at about the same time.
        """
        order = sorted(range(len(requests)), key=lambda index: -len(requests[index].text))
        if self._threads == 1:
            made = {index: self._speak(requests[index]) for index in order}
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                made = dict(zip(order, pool.map(self._speak, [requests[i] for i in order]), strict=True))
        return [made[index] for index in range(len(requests))]

    def _speak(self, request: SpeechRequest) -> Clip | Failure:
        if failure := refusal(request, self._controls):
            return failure
        try:
            with random_state_kept(request.seed) if self._threads == 1 else nullcontext():
                entry = self._timbres.entry(request)
                samples = entry if isinstance(entry, Failure) else self._generate(request, entry[1])
        except Exception as error:  # noqa: BLE001  upstream raises what it likes on data, assertions among it
            if is_fatal(error):
                raise EngineDied(f"cosyvoice: {describe(error, self._model)}") from None
            return Failure(Reason.SYNTHESIS_FAILED, describe(error, self._model))
        if isinstance(samples, Failure):
            return samples
        return audio_problem(samples) or Clip(np.clip(samples, -1.0, 1.0), self.sample_rate)

    def _generate(self, request: SpeechRequest, entry: SpeakerEntry) -> Samples:
        """Speak all pieces into which upstream cuts the text, joined to samples [T].

        A registered speaker's entry goes to the model as it is, so this one call serves every mode.
        """
        with self._timbres.registered(entry) as name:
            pieces = self._upstream.inference_zero_shot(
                request.text,
                "",
                None,
                zero_shot_spk_id=name,
                stream=False,
                speed=request.voice.rate * request.rate,
                text_frontend=self._model.text_frontend,
            )
            made = [_samples(piece["tts_speech"]) for piece in pieces]
        return np.concatenate(made) if made else np.zeros(0, np.float32)


def _samples(speech: Any) -> Samples:
    """Convert a tensor [1, T] of any type and device to float32 [T]."""
    return np.ascontiguousarray(speech.detach().float().cpu().numpy().reshape(-1))
