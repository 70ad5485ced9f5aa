"""Turns what a voice holds into the inputs of upstream's model.

Upstream keeps a registry of speakers (`spk2info`), whose entries go into the model as they are. An entry is made for
each request, registered under a name that no other request has, and removed again: a bank of tens of thousands of
voices leaves nothing behind. Reading a recording is expensive (two ONNX graphs and a mel spectrogram), so the results
for the last few recordings are kept.
"""

import hashlib
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import soundfile

from manifests.reasons import Reason
from pipeline.engines.contract import Failure, SpeechRequest
from pipeline.engines.tts.cosyvoice.guards import control_token, embedding_problem, prompt_problem
from pipeline.engines.tts.cosyvoice.modes import Mode, mode_of, prompt_text_of
from pipeline.engines.tts.cosyvoice.patches import read_prompt
from voicebank.voice import Vector, Voice

SpeakerEntry = dict[str, Any]
"""Keyword arguments of upstream's `model.tts` without the text."""

_KEPT_PROMPTS = 64
_TEXT = ("text", "text_len")
_PROMPT_TEXT = ("prompt_text", "prompt_text_len")
_PROMPT_TOKENS = ("llm_prompt_speech_token", "llm_prompt_speech_token_len")


class Timbres:
    """Makes speaker entries for one loaded model. Several threads may use it at once."""

    def __init__(self, upstream: Any, version: int, instruct: str | None, text_frontend: bool) -> None:
        self._upstream = upstream
        self._frontend = upstream.frontend
        self._version = version
        self._instruct = instruct
        self._text_frontend = text_frontend
        self._named = dict(upstream.frontend.spk2info)
        self._width = int(upstream.model.flow.spk_embed_affine_layer.in_features)
        self._prompts: OrderedDict[bytes, SpeakerEntry] = OrderedDict()
        self._lock = threading.Lock()

    def entry(self, request: SpeechRequest) -> tuple[Mode, SpeakerEntry] | Failure:
        """Return the mode and the speaker entry for a request.

        Exceptions that upstream raises on a recording pass through.
        """
        voice = request.voice
        base = self._base(voice)
        if isinstance(base, Failure):
            return base
        stored = voice.embedding is None and not voice.is_recorded and "prompt_speech_feat" in base
        mode = mode_of(voice, request.language, self._instruct, self._version, stored)
        if isinstance(mode, Failure):
            return mode
        if control_token(voice.prompt_text or ""):
            return Failure(Reason.SYNTHESIS_FAILED, "the voice's prompt text holds a control token")
        return mode, self._for_mode(base, mode, voice, stored)

    @contextmanager
    def registered(self, entry: SpeakerEntry) -> Iterator[str]:
        """Register an entry for the length of the block; yields the name under which upstream finds it."""
        name = f"parley-{uuid.uuid4().hex}"
        self._frontend.spk2info[name] = entry
        try:
            yield name
        finally:
            del self._frontend.spk2info[name]

    def _base(self, voice: Voice) -> SpeakerEntry | Failure:
        """Return the entry of the voice's timbre, with everything known of its recording, if it has one."""
        if voice.embedding is not None:
            return self._of_embedding(voice.embedding)
        if (recording := voice.prompt_audio) is not None:
            return self._of_prompt(recording)
        if voice.speaker not in self._named:
            known = ", ".join(sorted(self._named)) or "none at all"
            return Failure(
                Reason.SYNTHESIS_FAILED, f"the model has no speaker {voice.speaker!r}; it has: {known}"[:1000]
            )
        stored = self._named[voice.speaker]
        if "flow_embedding" in stored:  # a recording that was saved with the model
            return dict(stored)
        return {"llm_embedding": stored["embedding"], "flow_embedding": stored["embedding"]}

    def _of_embedding(self, embedding: Vector) -> SpeakerEntry | Failure:
        import torch

        if failure := embedding_problem(embedding, self._width):
            return failure
        vector = torch.from_numpy(np.array(embedding, dtype=np.float32))[None].to(self._frontend.device)
        return {"llm_embedding": vector, "flow_embedding": vector}

    def _of_prompt(self, audio: bytes) -> SpeakerEntry | Failure:
        key = hashlib.sha256(audio).digest()
        with self._lock:
            if key in self._prompts:
                self._prompts.move_to_end(key)
                return dict(self._prompts[key])
        read = self._read(audio)
        if not isinstance(read, Failure):
            with self._lock:
                self._prompts[key] = read
                while len(self._prompts) > _KEPT_PROMPTS:
                    self._prompts.popitem(last=False)
            return dict(read)
        return read

    def _read(self, audio: bytes) -> SpeakerEntry | Failure:
        try:
            samples, sample_rate = read_prompt(audio)
        except soundfile.LibsndfileError as error:
            return Failure(Reason.SYNTHESIS_FAILED, f"the voice's prompt cannot be decoded: {error.error_string}")
        if failure := prompt_problem(samples, sample_rate):
            return failure
        read: SpeakerEntry = self._frontend.frontend_zero_shot("", "", audio, self._upstream.sample_rate, "")
        return {name: value for name, value in read.items() if name not in (*_TEXT, *_PROMPT_TEXT)}

    def _for_mode(self, base: SpeakerEntry, mode: Mode, voice: Voice, stored: bool) -> SpeakerEntry:
        """Adapt an entry to a mode.

        Adds the text that the language model reads first, and removes what the language model must not see.
        """
        entry = dict(base)
        if mode is Mode.ZERO_SHOT and stored:
            return entry
        for name in _PROMPT_TEXT:
            entry.pop(name, None)
        if mode in (Mode.CROSS_LINGUAL, Mode.INSTRUCT2):
            for name in _PROMPT_TOKENS:
                entry.pop(name, None)
        if mode is Mode.INSTRUCT:
            del entry["llm_embedding"]
        said = ""
        if mode is Mode.ZERO_SHOT:
            said = self._frontend.text_normalize(
                voice.prompt_text or "", split=False, text_frontend=self._text_frontend
            )
        if text := prompt_text_of(mode, self._version, said, self._instruct):
            tokens, length = self._frontend._extract_text_token(text)
            entry.update(prompt_text=tokens, prompt_text_len=length)
        return entry
