"""Speech servers whose models speak whole dialogues, and refuse what the real ones refuse. What they say is tones.

    StrictDialogue("vllm-omni-moss-ttsd")                       an honest one
    StrictDialogue("vllm-omni-vibevoice", swaps=..., slips=...) one that mixes up voices, or loses words, as told

The chords of the tone engines carry the text of each line; under them lies the pitch of the line's recording, so that
a "speaker encoder" that knows pitches tells whose line it is. `ToneAligner` hears when each letter is said.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from aiohttp import web

from manifests.storage import open_place
from pipeline.audio.samples import encode
from pipeline.audio.sound_files import decoded
from pipeline.engines.asr.tone import ToneRecognizer
from pipeline.engines.contract import AlignRequest, Clip, Failure, Samples, SpeechRequest
from pipeline.engines.shared.tones import SAMPLE_RATE, SLOT
from pipeline.engines.shared.word_times import fit_spans, word_times
from pipeline.engines.tts.tone import ToneSynthesizer
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from tests.servers import wire
from tests.servers.dialect_jobs import recording
from tests.servers.dialect_rules import SCRIPT_RULES
from tests.servers.scripted_audio import ScriptedAudioServer
from voicebank.tables import VoiceWriter, write_card
from voicebank.voice import Voice

MODEL = "dialogues-1.5B"
Script = list[tuple[int, str]]
Fault = Callable[[dict[str, Any], int], bool]
"""From the request and how often its text was asked for before to whether this time goes wrong."""

_PITCH_AMPLITUDE = 0.03
_PAUSE_SLOTS = 3
_LOWEST_HZ, _HIGHEST_HZ = 150.0, 450.0


def never(body: dict[str, Any], before: int) -> bool:
    return False


def at_first(body: dict[str, Any], before: int) -> bool:
    return before == 0


class StrictDialogue(ScriptedAudioServer):
    """`swaps`: the last line is spoken by the first one's speaker; `slips`: the last line lacks its second half."""

    def __init__(self, dialect: str, swaps: Fault = never, slips: Fault = never) -> None:
        super().__init__(self._say, models=(MODEL,))
        self._dialect, self._swaps, self._slips = dialect, swaps, slips
        self._asked: dict[str, int] = {}

    @property
    def performances(self) -> list[dict[str, Any]]:
        """The requests for dialogues so far."""
        return [body for body in self.requests if "input" in body]

    def _say(self, body: dict[str, Any]) -> Any:
        if problem := SCRIPT_RULES[self._dialect](body, str(body["model"])):
            return 400, wire.error(problem)
        before = self._asked.get(body["input"], 0)
        self._asked[body["input"]] = before + 1
        script = script_of(body["input"])
        if self._swaps(body, before):
            script[-1] = (script[0][0], script[-1][1])
        if self._slips(body, before):
            script[-1] = (script[-1][0], script[-1][1][: len(script[-1][1]) // 2])
        return web.Response(body=self._perform(script, body), content_type="audio/wav")

    def _perform(self, script: Script, body: Mapping[str, Any]) -> bytes:
        samples = performed(script, references_of(body), int(body.get("seed", 0)))
        return encode(samples, SAMPLE_RATE, "wav").bytes


def script_of(text: str) -> Script:
    """The lines with their speakers, counted from 0 in the order in which they first speak."""
    found = re.findall(r"(?:\[S(\d)\]|^Speaker (\d): )([^\[\n]+)", text, re.MULTILINE)
    lines = [(first or second, said.strip()) for first, second, said in found]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(name for name, _ in lines))}
    return [(numbers[name], said) for name, said in lines]


def references_of(body: Mapping[str, Any]) -> list[float]:
    """The pitch of each speaker's recording, Hz."""
    given = body["ref_audio"]
    urls = given if isinstance(given, list) else [given, *([body["ref_audio_2"]] if "ref_audio_2" in body else [])]
    return [_pitch(decoded(base64.b64decode(url.partition(",")[2]))) for url in urls]


def _pitch(clip: Clip) -> float:
    spectrum = np.abs(np.fft.rfft(clip.samples))
    return float(np.argmax(spectrum) * clip.sample_rate / len(clip.samples))


def performed(script: Script, pitches: Sequence[float], seed: int) -> npt.NDArray[np.float32]:
    """The dialogue's samples: chords on one grid of slots, each line over the pitch of its speaker."""
    pieces: list[npt.NDArray[np.float32]] = []
    for speaker, said in script:
        voice = Voice("strict", "tone", "tone", "en", "female")
        (clip,) = ToneSynthesizer().synthesize([SpeechRequest(said, "en", voice, 1.0, seed)])
        assert isinstance(clip, Clip)
        time = np.arange(len(clip.samples)) / SAMPLE_RATE
        hum = _PITCH_AMPLITUDE * np.sin(2 * np.pi * pitches[speaker] * time)
        pieces += [(clip.samples + hum).astype(np.float32), np.zeros(_PAUSE_SLOTS * SLOT, np.float32)]
    return np.concatenate(pieces)


class ToneAligner:
    """Hears which letter each slot of the clip says, and lays the text along them."""

    name, version, languages = "tone-aligner", "1", None

    def align(self, requests: Sequence[AlignRequest]) -> list[Any]:
        return [self._align(request) for request in requests]

    def _align(self, request: AlignRequest) -> Any:
        clip, ears = request.clip, ToneRecognizer()
        slots = [Clip(clip.samples[at : at + SLOT], clip.sample_rate) for at in range(0, len(clip.samples), SLOT)]
        heard = ears.transcribe(slots, ["en"] * len(slots))
        pieces = [
            (letter.text, i * SLOT, (i + 1) * SLOT)
            for i, letter in enumerate(heard)
            if not isinstance(letter, Failure) and letter.text
        ]
        spans = fit_spans(request.text, request.language, pieces)
        return word_times("tone-aligner 1", request.text, request.language, spans)


class PitchEncoder:
    """A "speaker encoder": how loud a clip is at each low pitch, where tones have no letters."""

    name, version, dimension = "pitch", "1", 31

    def encode(self, clips: Sequence[Clip]) -> list[Samples | Failure]:
        return [self._encode(clip) for clip in clips]

    def _encode(self, clip: Clip) -> Samples:
        hz = np.fft.rfftfreq(len(clip.samples), 1 / clip.sample_rate)
        power = np.square(np.abs(np.fft.rfft(clip.samples)))
        edges = np.linspace(_LOWEST_HZ, _HIGHEST_HZ, self.dimension + 1)
        bands = np.histogram(hz, edges, weights=power)[0]
        return (np.sqrt(bands) / max(float(np.sqrt(bands.sum())), 1e-9)).astype(np.float32)


def version() -> str:
    return "1"


def recorded_bank(directory: Path) -> Path:
    """Two user voices and an agent's, of another engine, each with a recording of its pitch: 200, 250, 300 Hz."""
    voices = [
        Voice(
            f"v-{number}",
            "elsewhere",
            "nobody",
            "mul",
            "male" if number == 1 else "female",
            agent=number == 2,
            prompt_audio=recording(number),
            prompt_text=f"This is number {number}.",
        )
        for number in range(3)
    ]
    with VoiceWriter(open_place(directory)) as writer:
        writer.write(voices)
    write_card(open_place(directory), {"name": "recorded"})
    return directory


def performing_recipe(url: str, dialect: str, bank: Path, *overrides: str) -> Recipe:
    serving = {"base_url": url, "concurrency": 4, "timeout_s": 20, "attempts": 2}
    duo = {"engine": "openai-dialogue", "model": MODEL, "dialect": dialect, "serving": serving}
    return load_recipe(
        "tone-dry-run",
        [
            f"models={json.dumps({'duo': duo})}",
            f"cast.bank={bank}",
            "synthesize=null",
            "perform={engine: duo, aligner: tone-aligner, speaker: pitch}",
            "block_rows=2",
            "pools={}",
            *overrides,
        ],
    )
