"""espeak-ng: rule-based voices, among them Mandarin (Debian package espeak-ng).

One short-lived process per clip (25 ms), not the C library in this process: in espeak-ng 1.51 the samples of a clip
depend on the clips spoken before it, and taking the library down and up again can hang. A fresh process always gives
the same samples.
"""

import math
import re
import subprocess
from collections.abc import Sequence

import numpy as np

from manifests.errors import EngineDied, EngineUnavailable
from manifests.reasons import Reason
from pipeline.engines.contract import Clip, Engine, Failure, SpeechRequest
from pipeline.engines.tts._prosody import PROSODY_VERSION, Prosody, unspeakable, vary_prosody

NAME = "espeak-ng"

_COMMAND = "espeak-ng"
_WORDS_PER_MINUTE = 165  # a calm reading; the program's own default is 175
_LIMIT_S = 60.0
_HEADER_BYTES = 44
_SPEAKER = re.compile(r"([A-Za-z][A-Za-z0-9-]*)(?:\+([A-Za-z0-9]+))?")
# Two brackets open phoneme input; angle brackets are tags.
_MARKUP = re.compile(r"\[\[|[<>]")


def version() -> str:
    """Return the program's version, and that of the prosody variation."""
    found = re.search(r"text-to-speech: (\S+)", _run(["--version"]).stdout.decode("utf-8", "replace"))
    if found is None:
        raise EngineUnavailable("espeak-ng does not state its version: install the Debian package espeak-ng")
    return f"{found[1]} takes={PROSODY_VERSION}"


class Espeak:
    """Speaks with any voice of espeak-ng, at 22,050 Hz.

    `Voice.speaker` is the voice's name, with a variant where one is wanted: ``cmn``, ``cmn+f2``, ``en-us+m3``.
    """

    name = NAME

    def __init__(self) -> None:
        self.version = version()
        listing = _run(["--voices=variant"]).stdout.decode("utf-8", "replace")
        self._variants = frozenset(re.findall(r"!v/(\S+)", listing))

    def synthesize(self, requests: Sequence[SpeechRequest]) -> list[Clip | Failure]:
        return [self._say(request) for request in requests]

    def _say(self, request: SpeechRequest) -> Clip | Failure:
        speaker = _SPEAKER.fullmatch(request.voice.speaker)
        # The program silently speaks with the plain voice where it does not know the variant.
        if speaker is None or speaker[2] not in {None, *self._variants}:
            return Failure(Reason.SYNTHESIS_FAILED, f"espeak-ng has no voice {request.voice.speaker!r}")
        if failure := unspeakable(request.text):
            return failure
        if _MARKUP.search(request.text):
            return Failure(
                Reason.SYNTHESIS_FAILED, "the text holds [[ or an angle bracket, which espeak-ng reads as mark-up"
            )
        prosody = vary_prosody(request)
        return prosody if isinstance(prosody, Failure) else _speak(request.text, speaker[0], prosody)


def _speak(text: str, speaker: str, prosody: Prosody) -> Clip | Failure:
    speed = round(_WORDS_PER_MINUTE * prosody.rate)
    # The program's scale: 0 is half and 100 is twice the pitch of 50.
    pitch = min(99, max(0, round(50 + 50 * math.log2(prosody.pitch))))
    arguments = ["-v", speaker, "-s", str(speed), "-p", str(pitch), "-b", "1", "--stdin", "--stdout"]
    try:
        done = _run(arguments, text)
    except subprocess.TimeoutExpired:
        return Failure(Reason.SYNTHESIS_FAILED, f"espeak-ng did not end within {_LIMIT_S:g} s")
    if done.returncode < 0:
        raise EngineDied(f"espeak-ng was killed by signal {-done.returncode}")
    if done.returncode > 0 or len(done.stdout) <= _HEADER_BYTES:
        return Failure(Reason.SYNTHESIS_FAILED, f"espeak-ng gave no audio with {speaker} (exit {done.returncode})")
    return _clip_of(done.stdout)


def _clip_of(wav: bytes) -> Clip:
    # Written to a pipe, the header does not state the true length: everything after it is samples, 16-bit mono.
    sample_rate = int.from_bytes(wav[24:28], "little")
    body = wav[_HEADER_BYTES : len(wav) - (len(wav) - _HEADER_BYTES) % 2]
    return Clip(np.frombuffer(body, dtype="<i2").astype(np.float32) / np.float32(32768), sample_rate)


def _run(arguments: list[str], text: str = "") -> subprocess.CompletedProcess[bytes]:
    command = [_COMMAND, *arguments]
    try:
        return subprocess.run(command, input=text.encode(), capture_output=True, timeout=_LIMIT_S, check=False)
    except OSError as error:
        raise EngineUnavailable("espeak-ng cannot be started: install the Debian package espeak-ng") from error


ENGINE = Engine("tts", "espeak-ng", "Mandarin, formant synthesis", open=Espeak, version=version)
