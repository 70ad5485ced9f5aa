"""The engine: speaks all requests of a call together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Failure, Samples, SpeechRequest
from pipeline.engines.shared.random_state import random_state_kept
from pipeline.engines.shared.torch_device import find_device
from pipeline.engines.tts.cosyvoice import CosyVoiceModel
from pipeline.engines.tts.cosyvoice.batched.decoder import Decoder, Steps, without_long_silence
from pipeline.engines.tts.cosyvoice.batched.mel import MelMaker, SpokenPiece
from pipeline.engines.tts.cosyvoice.batched.prompt import prompt_of
from pipeline.engines.tts.cosyvoice.batched.qwen import QwenSteps
from pipeline.engines.tts.cosyvoice.batched.relative import RelativeSteps, suits
from pipeline.engines.tts.cosyvoice.batched.sampling import parameters_of
from pipeline.engines.tts.cosyvoice.checkpoint import Loaded
from pipeline.engines.tts.cosyvoice.errors import describe, is_fatal
from pipeline.engines.tts.cosyvoice.guards import audio_problem, control_tokens, refusal
from pipeline.engines.tts.cosyvoice.timbre import Timbres
from pipeline.engines.tts.cosyvoice.upstream import NAME

_MOST_FRAMES = 24_000
"""Frames of spectrogram in one batch of the flow: eight minutes at 50 a second."""


@dataclass
class _Utterance:
    """One request on its way: the pieces of its text, or why it failed."""

    request: SpeechRequest
    pieces: list[dict[str, Any]] = field(default_factory=list)
    failure: Failure | None = None
    samples: dict[int, Samples] = field(default_factory=dict)


class BatchedSynthesizer:
    """Speaks with a loaded model, up to `serving.batch` pieces of text at once.

    A clip depends on its request alone, up to rounding: its tokens are chosen with random numbers of its own, made
    from the request's seed and the number of the piece, and the vocoder's generators are seeded for each piece.
    """

    name = NAME

    def __init__(self, model: CosyVoiceModel, loaded: Loaded, version: str) -> None:
        import torch

        find_device(torch, "auto", NAME)  # as upstream does; it also keeps cuDNN's attention from new plans
        self.version = version
        self.sample_rate = int(loaded.upstream.sample_rate)
        self._model, self._version = model, loaded.version
        self._upstream, self._inner = loaded.upstream, loaded.upstream.model
        self._timbres = Timbres(loaded.upstream, loaded.version, model.instruct, model.text_frontend)
        self._controls = control_tokens(loaded.upstream.frontend.tokenizer)
        self.decoder = _decoder(self._inner, loaded.version, model.serving.batch)
        self._mels = MelMaker(self._inner, loaded.version, _MOST_FRAMES)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        """One clip or Failure for each request, in order. Raises EngineDied where the GPU is gone."""
        import torch

        utterances = [_Utterance(request) for request in requests]
        try:
            with torch.inference_mode(), random_state_kept():
                for utterance in utterances:
                    self._read(utterance)
                self._speak(utterances)
        except Exception as error:
            if is_fatal(error):
                raise EngineDied(f"cosyvoice: {describe(error, self._model)}") from None
            raise
        return [self._result(utterance) for utterance in utterances]

    def _read(self, utterance: _Utterance) -> None:
        """Cut the text into pieces as upstream does, each with upstream's inputs of it."""
        request = utterance.request
        utterance.failure = refusal(request, self._controls)
        if utterance.failure:
            return
        try:
            entry = self._timbres.entry(request)
            if isinstance(entry, Failure):
                utterance.failure = entry
                return
            frontend = self._upstream.frontend
            texts = frontend.text_normalize(request.text, split=True, text_frontend=self._model.text_frontend)
            with self._timbres.registered(entry[1]) as name:
                utterance.pieces = [
                    dict(frontend.frontend_zero_shot(text, "", None, self.sample_rate, name)) for text in texts
                ]
        except Exception as error:  # noqa: BLE001  upstream raises what it likes on data, assertions among it
            self._fail(utterance, error)

    def _speak(self, utterances: Sequence[_Utterance]) -> None:
        jobs = [
            (utterance, number)
            for utterance in utterances
            if not utterance.failure
            for number in range(len(utterance.pieces))
        ]
        # The longest text first: the last slots then end at about the same time.
        jobs.sort(key=lambda job: -job[0].pieces[job[1]]["text"].shape[1])
        prompts = [
            partial(
                prompt_of,
                self._inner.llm,
                self._version,
                utterance.pieces[number],
                self._inner.device,
                (utterance.request.seed, number),
            )
            for utterance, number in jobs
        ]
        spoken: list[tuple[_Utterance, int, SpokenPiece]] = []
        for (utterance, number), tokens in zip(jobs, self.decoder.decode(prompts, is_fatal), strict=True):
            if isinstance(tokens, Exception):
                self._fail(utterance, tokens)
            elif not (heard := without_long_silence(tokens, self._inner.silent_tokens)):
                self._fail(utterance, ValueError("the language model ended at once and gave no speech tokens"))
            else:
                speed = utterance.request.voice.rate * utterance.request.rate
                spoken.append((utterance, number, SpokenPiece(heard, utterance.pieces[number], speed)))
        self._voice([one for one in spoken if one[0].failure is None])

    def _voice(self, spoken: Sequence[tuple[_Utterance, int, SpokenPiece]]) -> None:
        if not self._mels.is_batched:
            for utterance, number, piece in spoken:
                self._finish(utterance, number, piece)
            return
        try:
            for index, mel in self._mels.many([piece for _, _, piece in spoken]):
                utterance, number, piece = spoken[index]
                before = piece.inputs.get("prompt_speech_feat")
                self._finish(utterance, number, piece, mel[:, :, 0 if before is None else before.shape[1] :])
        except Exception as error:
            if is_fatal(error):
                raise
            # One piece that the flow cannot take must not end the others: each once more, alone.
            for utterance, number, piece in spoken:
                if number not in utterance.samples:
                    self._finish(utterance, number, piece)

    def _finish(self, utterance: _Utterance, number: int, piece: SpokenPiece, mel: Any = None) -> None:
        try:
            with random_state_kept(derived(utterance.request.seed, number)):
                made = self._mels.one(piece) if mel is None else mel
                utterance.samples[number] = self._mels.samples(made, piece.speed)
        except Exception as error:  # noqa: BLE001  as above
            self._fail(utterance, error)

    def _fail(self, utterance: _Utterance, error: Exception) -> None:
        if is_fatal(error):
            raise error
        utterance.failure = Failure(Reason.SYNTHESIS_FAILED, describe(error, self._model))

    def _result(self, utterance: _Utterance) -> Clip | Failure:
        if utterance.failure:
            return utterance.failure
        made = [utterance.samples[number] for number in range(len(utterance.pieces))]
        samples = np.concatenate(made) if made else np.zeros(0, np.float32)
        return audio_problem(samples) or Clip(np.clip(samples, -1.0, 1.0), self.sample_rate)


def derived(seed: int, number: int) -> int:
    """Return the seed of a piece's vocoder, in 0..2**63-1."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _decoder(inner: Any, version: int, count: int) -> Decoder:
    language_model = inner.llm
    sampling = parameters_of(language_model.sampling)
    if sampling is None or (version == 1 and not suits(language_model)):
        what = "samples tokens in its own way" if sampling is None else "has other layers"
        raise EngineUnavailable(f"cosyvoice: this model's language model {what}; set `decoder: upstream` for it")
    steps: Steps = RelativeSteps(language_model) if version == 1 else QwenSteps(language_model)
    ends = [language_model.eos_token] if version == 1 else language_model.stop_token_ids
    return Decoder(steps, sampling, language_model.speech_token_size, ends, count, inner.device)
