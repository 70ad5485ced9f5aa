"""Small jobs, banks and recipes for each dialect of speech servers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from manifests.storage import open_place
from pipeline.audio.samples import encode
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from tests.servers.strict_speech import MODEL, StrictSpeech
from voicebank.tables import VoiceWriter, write_card
from voicebank.voice import Voice

NAMED = frozenset({"openai", "vllm-omni-qwen3-tts-customvoice", "kokoro-fastapi", "speaches"})
EMBEDDED = frozenset({"vllm-omni-qwen3-tts-base", "vllm-omni-zonos2"})
TTS = "openai-speech"


def recording(number: int) -> bytes:
    """A clip of a tone, as the recording of voice `number`."""
    time = np.arange(4000) / 16_000
    return encode((0.3 * np.sin(2 * np.pi * (200 + 50 * number) * time)).astype(np.float32), 16_000, "wav").bytes


def embedding(number: int, size: int = 2048, length: float = 1.0) -> Any:
    """A vector of that length for voice `number`, float32 [size]."""
    vector = np.random.default_rng(number).normal(size=size)
    return (length * vector / np.linalg.norm(vector)).astype(np.float32)


def voices_for(dialect: str, rate: float = 1.0, length: float = 1.0) -> list[Voice]:
    """Two user voices and an agent's of all languages, as the dialect takes them; embeddings of that length."""
    names = ("vivian", "ryan", "aiden")
    voices = []
    for number, name in enumerate(names):
        more: dict[str, Any] = {}
        if dialect in EMBEDDED:
            more["embedding"] = embedding(number, length=length)
        elif dialect not in NAMED:
            more = {"prompt_audio": recording(number), "prompt_text": f"This is number {number}."}
        gender = "male" if name == "ryan" else "female"
        voices.append(Voice(f"v-{name}", TTS, name, "mul", gender, rate, agent=number == 2, **more))  # type: ignore[arg-type]
    return voices


def write_voices(directory: Path, voices: Sequence[Voice], raw: bool = False) -> Path:
    """Write a bank of these voices; `raw`: with embeddings of any length."""
    with VoiceWriter(open_place(directory), raw) as writer:
        writer.write(voices)
    write_card(open_place(directory), {"name": "strict"})
    return directory


def served_recipe(server: StrictSpeech, dialect: str, bank: Path, *overrides: str, **model: Any) -> Recipe:
    serving = {"base_url": server.url, "concurrency": 8, "timeout_s": 10, "attempts": 3}
    mouth = {"engine": TTS, "model": MODEL, "dialect": dialect, "serving": serving} | model
    ears = {"engine": "openai-transcription", "model": MODEL, "serving": serving}
    return load_recipe(
        "tone-dry-run",
        [
            f"models={json.dumps({'mouth': mouth, 'ears': ears})}",
            f"cast.bank={bank}",
            "synthesize.engine=mouth",
            "transcribe.engine=ears",
            "block_rows=4",
            *overrides,
        ],
    )
