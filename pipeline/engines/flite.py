"""flite: small English voices, spoken in this process through its C library (Debian package libflite1)."""

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from manifests.errors import EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines._english import plain_english
from pipeline.engines._takes import TAKES_VERSION, Take, shift_pitch, take_of
from pipeline.engines.protocols import Clip, Failure, SpeechRequest

NAME = "flite"


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Mean and spread of f0 in Hz and the neutral duration stretch, as the voice's own data in flite 2.2 have them.

    `f0_is_set` is False where the voice draws its f0 from a model that heeds no mean (found by measuring): its pitch
    is then set by resampling.
    """

    f0_mean: float
    f0_spread: float
    stretch: float
    f0_is_set: bool = True


_SPEAKERS = {
    "rms": _Speaker(98.0, 24.0, 1.0, f0_is_set=False),
    "slt": _Speaker(172.0, 27.0, 1.0),
    "awb": _Speaker(132.0, 25.0, 1.0),
    "kal16": _Speaker(95.0, 11.0, 1.1),
}

# The library keeps global state, and a voice is one object in the whole process.
_LOCK = threading.Lock()


class _Wave(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _VoiceHead(ctypes.Structure):
    """The first two members of the C structure of a voice."""

    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


class _SymbolInfo(ctypes.Structure):
    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def version() -> str:
    """The library's version, which only its file name tells (libflite.so.2.2), and that of the takes."""
    info = _SymbolInfo()
    address = ctypes.cast(_load("libflite.so.1").flite_init, ctypes.c_void_p)
    ctypes.CDLL(None).dladdr(address, ctypes.byref(info))
    library = Path(info.file.decode()).resolve().name.partition(".so.")[2]
    return f"{library} takes={TAKES_VERSION}"


class Flite:
    """Speaks English with the speakers rms, awb, kal16 (male) and slt (female), at 16 kHz."""

    name = NAME

    def __init__(self) -> None:
        self.version = version()
        self._library = _load("libflite.so.1")
        for dependency in ("libflite_usenglish.so.1", "libflite_cmulex.so.1"):
            _load(dependency)
        self._library.flite_feat_set_float.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float]
        self._library.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self._library.flite_text_to_wave.restype = ctypes.POINTER(_Wave)
        self._library.delete_wave.argtypes = [ctypes.POINTER(_Wave)]
        self._libc = ctypes.CDLL(None)
        with _LOCK:
            self._library.flite_init()
            self._voices = {speaker: _register(speaker) for speaker in _SPEAKERS}

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [self._say(request) for request in requests]

    def _say(self, request: SpeechRequest) -> Clip | Failure:
        if request.voice.speaker not in _SPEAKERS:
            return Failure(Reason.SYNTHESIS_FAILED, f"flite has no speaker {request.voice.speaker!r}")
        text, take = plain_english(request.text), take_of(request)
        if isinstance(text, Failure):
            return text
        if isinstance(take, Failure):
            return take
        if _SPEAKERS[request.voice.speaker].f0_is_set:
            return self._speak(text, request.voice.speaker, take)
        slower = replace(take, rate=take.rate / request.voice.pitch, pitch=1.0)
        clip = self._speak(text, request.voice.speaker, slower)
        return shift_pitch(clip, request.voice.pitch) if isinstance(clip, Clip) else clip

    def _speak(self, text: str, speaker: str, take: Take) -> Clip | Failure:
        with _LOCK:
            self._set_features(speaker, take)
            # The vocoder draws its noise from the C library's generator: unseeded, clips would depend on those before.
            self._libc.srand(1)
            wave = self._library.flite_text_to_wave(text.encode("ascii"), self._voices[speaker])
            if not wave:
                return Failure(Reason.SYNTHESIS_FAILED, "flite gave no audio")
            try:
                return _clip_of(wave.contents)
            finally:
                self._library.delete_wave(wave)

    def _set_features(self, speaker: str, take: Take) -> None:
        # All three on every call: what a call leaves unset, it would inherit from the call before.
        own = _SPEAKERS[speaker]
        features = ctypes.cast(self._voices[speaker], ctypes.POINTER(_VoiceHead)).contents.features
        for feature, value in (
            (b"duration_stretch", own.stretch / take.rate),
            (b"int_f0_target_mean", own.f0_mean * take.pitch),
            (b"int_f0_target_stddev", own.f0_spread * take.pitch * take.spread),
        ):
            self._library.flite_feat_set_float(features, feature, value)


def _clip_of(wave: _Wave) -> Clip | Failure:
    if wave.num_samples <= 0 or not wave.samples:
        return Failure(Reason.SYNTHESIS_FAILED, "flite gave an empty clip")
    pcm = np.ctypeslib.as_array(wave.samples, (wave.num_samples,))
    return Clip(pcm.astype(np.float32) / np.float32(32768), wave.sample_rate)


def _register(speaker: str) -> int:
    register = getattr(_load(f"libflite_cmu_us_{speaker}.so.1"), f"register_cmu_us_{speaker}")
    register.argtypes, register.restype = [ctypes.c_char_p], ctypes.c_void_p
    return int(register(None))


def _load(library: str) -> Any:
    # RTLD_GLOBAL: the voice libraries look up the symbols of the language libraries without linking to them.
    try:
        return ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise EngineUnavailable(f"flite cannot load {library}: install the Debian package libflite1") from error
