"""The engine: speaks all requests of a call together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from pipeline.engines.tts.cosyvoice.batched.vocoder import Excited, Vocoder
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
        self.decoder = _decoder(self._inner, loaded.version, model)
        self._mels = MelMaker(self._inner, loaded.version, _MOST_FRAMES)
        self._vocoder = Vocoder(self._inner.hift, loaded.version)

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        """One clip or Failure for each request, in order. Raises EngineDied where the GPU is gone."""
        import torch

        utterances = [_Utterance(request) for request in requests]
        try:
            with torch.inference_mode(), random_state_kept(), matrix_products(self._model.precision):
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
        """Give each piece of speech tokens its samples."""
        mels = self._mels_of([piece for _, _, piece in spoken])
        excited: list[tuple[_Utterance, int, Excited]] = []
        for index, (utterance, number, piece) in enumerate(spoken):
            try:
                with random_state_kept(derived(utterance.request.seed, number)):
                    mel = mels.pop(index) if index in mels else self._mels.one(piece)
                    excited.append((utterance, number, self._vocoder.excite(mel, piece.speed)))
            except Exception as error:  # noqa: BLE001  as above
                self._fail(utterance, error)
        for batch in self._vocoder.batches([one for _, _, one in excited]):
            self._sound([excited[index] for index in batch])

    def _mels_of(self, pieces: Sequence[SpokenPiece]) -> dict[int, Any]:
        """Make spectrograms in batches, by the number of the piece; none where they go piece by piece."""
        mels: dict[int, Any] = {}
        if not self._mels.is_batched:
            return mels
        try:
            for index, mel in self._mels.many(pieces):
                before = pieces[index].inputs.get("prompt_speech_feat")
                mels[index] = mel[:, :, 0 if before is None else before.shape[1] :]
        except Exception as error:
            if is_fatal(error):
                raise
            # One piece that the flow cannot take must not end the others: those that lack go alone.
        return mels

    def _sound(self, excited: Sequence[tuple[_Utterance, int, Excited]]) -> None:
        """Run some pieces through the vocoder together; where that fails, each alone, so that it fails alone."""
        try:
            made = self._vocoder.samples([one for _, _, one in excited])
        except Exception as error:  # noqa: BLE001  as above
            if len(excited) == 1 or is_fatal(error):
                self._fail(excited[0][0], error)
                return
            for one in excited:
                self._sound([one])
            return
        for (utterance, number, _), samples in zip(excited, made, strict=True):
            utterance.samples[number] = samples

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


@contextmanager
def matrix_products(precision: str) -> Iterator[None]:
    """Let products of float32 matrices in the block have a model's `precision`; it is one switch for the process."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest" if precision == "float32" else "high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _decoder(inner: Any, version: int, model: CosyVoiceModel) -> Decoder:
    import torch

    language_model = inner.llm
    sampling = parameters_of(language_model.sampling)
    if sampling is None or (version == 1 and not suits(language_model)):
        what = "samples tokens in its own way" if sampling is None else "has other layers"
        raise EngineUnavailable(f"cosyvoice: this model's language model {what}; set `decoder: upstream` for it")
    dtype = torch.bfloat16 if model.precision == "bfloat16" else torch.float32
    steps: Steps = RelativeSteps(language_model) if version == 1 else QwenSteps(language_model, dtype)
    ends = [language_model.eos_token] if version == 1 else language_model.stop_token_ids
    return Decoder(steps, sampling, language_model.speech_token_size, ends, model.serving.batch, inner.device)
