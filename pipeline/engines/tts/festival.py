"""festival: English voices spoken by a child process (Debian packages festival and festvox-*)."""

import subprocess
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import soundfile

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Engine, Failure, SpeechRequest
from pipeline.engines.tts._english import plain_english
from pipeline.engines.tts._festival_child import ChildFailed, FestivalChild
from pipeline.engines.tts._prosody import PROSODY_VERSION, Prosody, shift_pitch, vary_prosody
from pipeline.scratch import scratch_directory

NAME = "festival"

_HTS = "cmu_us_slt_arctic_hts"
# Mean and spread of f0 in Hz and the neutral duration stretch, from the definitions of the two diphone voices.
_DIPHONE = {"kal_diphone": (105.0, 14.0, 1.1), "ked_diphone": (105.0, 15.0, 1.1)}
_PACKAGES = {_HTS: "festvox-us-slt-hts", "kal_diphone": "festvox-kallpc16k", "ked_diphone": "festvox-kdlpc16k"}

_START_LIMIT_S = 60.0
# The HTS voice takes 12 ms a character on one core; this leaves a busy machine a factor of four.
_LIMIT_S, _LIMIT_S_PER_CHARACTER = 30.0, 0.05


def version() -> str:
    """Return the program's version, and that of the prosody variation."""
    try:
        done = subprocess.run(["festival", "--version"], capture_output=True, timeout=_START_LIMIT_S, check=False)
    except OSError as error:
        raise EngineUnavailable("festival cannot be started: install the Debian package festival") from error
    number = done.stdout.decode("utf-8", "replace").rpartition("System: ")[2].partition(":")[0].strip()
    return f"{number} takes={PROSODY_VERSION}"


class Festival:
    """Speaks English: cmu_us_slt_arctic_hts (female, 32 kHz), kal_diphone and ked_diphone (male, 16 kHz).

    The pitch of the first cannot be set and is moved by resampling (`shift_pitch`).
    """

    name = NAME

    def __init__(self) -> None:
        self.version = version()
        self._lock = threading.Lock()
        self._scratch = ExitStack()
        self._wav = self._scratch.enter_context(scratch_directory("parley-festival-")) / "clip.wav"
        self._limit_s = _LIMIT_S
        self._child = FestivalChild()
        self._require_voices()

    def close(self) -> None:
        """End the child process and remove the temporary directory; nothing can be spoken afterwards."""
        self._child.close()
        self._scratch.close()

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [self._say(request) for request in requests]

    def _say(self, request: SpeechRequest) -> Clip | Failure:
        if request.voice.speaker not in _PACKAGES:
            return Failure(Reason.SYNTHESIS_FAILED, f"festival has no speaker {request.voice.speaker!r}")
        text, prosody = plain_english(request.text), vary_prosody(request)
        if isinstance(text, Failure):
            return text
        if isinstance(prosody, Failure):
            return prosody
        if request.voice.speaker == _HTS:
            prosody = replace(prosody, pitch=request.voice.pitch)
        with self._lock:
            self._wav.unlink(missing_ok=True)
            limit_s = self._limit_s + _LIMIT_S_PER_CHARACTER * len(text)
            self._evaluate_twice(_scheme(text, request.voice.speaker, prosody, self._wav), limit_s)
            clip = _read(self._wav)
        return shift_pitch(clip, prosody.pitch) if request.voice.speaker == _HTS and isinstance(clip, Clip) else clip

    def _evaluate_twice(self, scheme: str, limit_s: float) -> None:
        """Evaluate a program; where the child process fails, try once more on a fresh one."""
        try:
            self._child.evaluate(scheme, limit_s)
        except ChildFailed:
            self._child = FestivalChild()
            try:
                self._child.evaluate(scheme, limit_s)
            except ChildFailed as error:
                self._child = FestivalChild()
                raise EngineDied(f"{error}, twice for the same text") from error

    def _require_voices(self) -> None:
        try:
            listed = self._child.evaluate('(format t "%l\\n" (voice.list))', _START_LIMIT_S)
        except ChildFailed as error:
            raise EngineUnavailable(f"{error} at its start: install the Debian package festival") from error
        found = listed.replace("(", " ").replace(")", " ").split()
        if missing := [package for speaker, package in _PACKAGES.items() if speaker not in found]:
            self.close()
            raise EngineUnavailable(f"festival lacks voices: install the Debian packages {' '.join(missing)}")


def _scheme(text: str, speaker: str, prosody: Prosody, wav: Path) -> str:
    """Write the program that speaks `text` into `wav`.

    Selecting the voice resets everything that an earlier program set.
    """
    if speaker == _HTS:
        settings = f'(set! hts_engine_params (cons (list "-r" {prosody.rate / prosody.pitch:.6f}) hts_engine_params))'
    else:
        mean, spread, stretch = _DIPHONE[speaker]
        settings = (
            f"(Parameter.set 'Duration_Stretch {stretch / prosody.rate:.6f})"
            f"(set! int_lr_params (list (list 'target_f0_mean {mean * prosody.pitch:.6f})"
            f" (list 'target_f0_std {spread * prosody.pitch * prosody.spread:.6f})"
            " (list 'model_f0_mean 170) (list 'model_f0_std 34)))"
        )
    return (
        f"(voice_{speaker}){settings}(set! parley_utterance nil)"
        f"(set! parley_utterance (utt.synth (Utterance Text {_quoted(text)})))"
        f"(utt.save.wave parley_utterance {_quoted(str(wav))} 'riff)"
    )


def _quoted(text: str) -> str:
    """Quote a Scheme string. `plain_english` lets neither character pass; this is a second line of defense."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(wav: Path) -> Clip | Failure:
    if not wav.exists():
        return Failure(Reason.SYNTHESIS_FAILED, "festival gave no audio")
    samples, sample_rate = soundfile.read(wav, dtype="float32")
    if len(samples) == 0:
        return Failure(Reason.SYNTHESIS_FAILED, "festival gave an empty clip")
    return Clip(samples, int(sample_rate))


ENGINE = Engine("tts", "festival", "English, HTS and diphone voices", open=Festival, version=version)
