"""A strict server of whole dialogues that speaks: by flite, with the speaker whose recording it is given."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from manifests.storage import open_place
from pipeline.audio.samples import encode
from pipeline.engines.contract import Clip, SpeechRequest
from pipeline.engines.tts.flite import Flite
from tests.servers.strict_dialogue import Fault, Script, StrictDialogue, never
from voicebank.bank import load_bank
from voicebank.tables import VoiceWriter, write_card
from voicebank.voice import Voice

_WORDS = "The quick brown fox jumps over the lazy dog, and the river runs slowly to the sea."
_PAUSE_S = 0.35


class FliteDialogue(StrictDialogue):
    """Speaks with the voices of `bank` (`flite_bank`)."""

    def __init__(self, dialect: str, bank: Path, swaps: Fault = never) -> None:
        super().__init__(dialect, swaps)
        self._speakers = {voice.prompt_audio: voice.speaker for voice in load_bank(bank).voices}

    def _perform(self, script: Script, body: Mapping[str, Any]) -> bytes:
        recordings = [base64.b64decode(body[name].partition(",")[2]) for name in ("ref_audio", "ref_audio_2")]
        pieces = []
        for number, text in script:
            clip = spoken(text, self._speakers[recordings[number]], int(body["seed"]))
            pieces += [clip.samples, np.zeros(round(_PAUSE_S * clip.sample_rate), np.float32)]
        return encode(np.concatenate(pieces), clip.sample_rate, "wav").bytes


def spoken(text: str, speaker: str, seed: int) -> Clip:
    voice = Voice(speaker, "flite", speaker, "en", "female")
    (clip,) = Flite().synthesize([SpeechRequest(text, "en", voice, 1.0, seed)])
    assert isinstance(clip, Clip)
    return clip


def flite_bank(directory: Path) -> Path:
    """A man as user, a woman as agent, each with a recording of flite's."""
    voices = []
    for speaker, gender in (("rms", "male"), ("slt", "female")):
        clip = spoken(_WORDS, speaker, 1)
        audio = encode(clip.samples, clip.sample_rate, "wav").bytes
        known = {"prompt_audio": audio, "prompt_text": _WORDS, "agent": speaker == "slt"}
        voices.append(Voice(speaker, "elsewhere", speaker, "en", gender, **known))  # type: ignore[arg-type]
    with VoiceWriter(open_place(directory)) as writer:
        writer.write(voices)
    write_card(open_place(directory), {"name": "flite recordings"})
    return directory
