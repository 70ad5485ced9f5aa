"""flite: small English voices, spoken by the program flite, started once for each clip (Debian package flite).

The library is not used in process: the vocoder draws its noise from the C library's `rand`, from which any other
thread of a worker may draw at the same time, and then one seed gives two clips. A process of its own begins from the
same state each time, and takes 30 ms.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from manifests.schema import WordTimes
from pipeline.engines.contract import Clip, Engine, Failure, SpeechRequest
from pipeline.engines.shared.word_times import fit_spans, word_times
from pipeline.engines.tts._english import plain_english
from pipeline.engines.tts._prosody import PROSODY_VERSION, Prosody, shift_pitch, vary_prosody
from pipeline.scratch import scratch_directory

NAME = "flite"

_COMMAND = "flite"
_CHILD = str(Path(__file__).with_name("_flite_child.py"))
_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class _NeutralProsody:
    """Mean and spread of f0 in Hz and the neutral duration stretch, as the voice's own data in flite 2.2 have them.

    `f0_is_set` is False where the voice draws its f0 from a model that ignores the mean (found by measuring): its
    pitch is then set by resampling.
    """

    f0_mean: float
    f0_spread: float
    stretch: float
    f0_is_set: bool = True


_SPEAKERS = {
    "rms": _NeutralProsody(98.0, 24.0, 1.0, f0_is_set=False),
    "slt": _NeutralProsody(172.0, 27.0, 1.0),
    "awb": _NeutralProsody(132.0, 25.0, 1.0),
    "kal16": _NeutralProsody(95.0, 11.0, 1.1),
}


def version() -> str:
    """Return the program's version, and that of the prosody variation."""
    found = re.search(r"version: flite-(\S+)", _run([_COMMAND, "--version"]).stdout.decode("utf-8", "replace"))
    if found is None:
        raise EngineUnavailable("flite does not state its version: install the Debian package flite")
    return f"{found[1]} takes={PROSODY_VERSION}"


class Flite:
    """Speaks English with the speakers rms, awb, kal16 (male) and slt (female), at 16 kHz."""

    name = NAME

    def __init__(self) -> None:
        self.version = version()

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [_say(request, f"{NAME} {self.version}") for request in requests]


def _say(request: SpeechRequest, source: str) -> Clip | Failure:
    speaker = request.voice.speaker
    if speaker not in _SPEAKERS:
        return Failure(Reason.SYNTHESIS_FAILED, f"flite has no speaker {speaker!r}")
    text, prosody = plain_english(request.text), vary_prosody(request)
    if isinstance(text, Failure):
        return text
    if isinstance(prosody, Failure):
        return prosody
    if _SPEAKERS[speaker].f0_is_set:
        return _speak(text, speaker, prosody, request, source)
    slower = replace(prosody, rate=prosody.rate / request.voice.pitch, pitch=1.0)
    clip = _speak(text, speaker, slower, request, source)
    return shift_pitch(clip, request.voice.pitch) if isinstance(clip, Clip) else clip


def _speak(text: str, speaker: str, prosody: Prosody, request: SpeechRequest, source: str) -> Clip | Failure:
    own = _SPEAKERS[speaker]
    features = {
        "duration_stretch": own.stretch / prosody.rate,
        "int_f0_target_mean": own.f0_mean * prosody.pitch,
        "int_f0_target_stddev": own.f0_spread * prosody.pitch * prosody.spread,
    }
    settings = [f"{name}={value:.6f}" for name, value in features.items()]
    with scratch_directory("parley-flite-") as directory:
        wav = directory / "clip.wav"
        try:
            run = _run_child if request.word_times else _run_flite
            done = run(speaker, text, wav, settings)
        except subprocess.TimeoutExpired:
            return Failure(Reason.SYNTHESIS_FAILED, f"flite did not end within {_LIMIT_S:g} s")
        if done.returncode < 0:
            raise EngineDied(f"flite was killed by signal {-done.returncode}")
        if done.returncode > 0 or not wav.exists():
            return Failure(Reason.SYNTHESIS_FAILED, f"flite gave no audio with {speaker} (exit {done.returncode})")
        samples, sample_rate = soundfile.read(wav, dtype="float32")
    if len(samples) == 0:
        return Failure(Reason.SYNTHESIS_FAILED, "flite gave an empty clip")
    times = _told(request, done.stdout, source) if request.word_times else None
    return Clip(samples, int(sample_rate), times)


def _told(request: SpeechRequest, printed: bytes, source: str) -> WordTimes:
    """Give the words of the text the times of flite's tokens, which are cut at blanks and marks as well."""
    tokens = [(str(name), int(start), int(end)) for name, start, end in json.loads(printed)]
    spans = fit_spans(request.text, request.language, tokens)
    return word_times(source, request.text, request.language, spans)


def _run_flite(speaker: str, text: str, wav: Path, settings: list[str]) -> subprocess.CompletedProcess[bytes]:
    features = [word for setting in settings for word in ("--setf", setting)]
    return _run([_COMMAND, "-voice", speaker, *features, "-t", text, "-o", str(wav)])


def _run_child(speaker: str, text: str, wav: Path, settings: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run the same library by a Python of its own, which can look at the utterance: 0.1 s instead of 0.03 s."""
    return _run([sys.executable, "-I", "-S", _CHILD, speaker, text, str(wav), *settings])


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)
    except OSError as error:
        raise EngineUnavailable("flite cannot be started: install the Debian package flite") from error


ENGINE = Engine("tts", "flite", "English, small CMU voices", open=Flite, version=version)
