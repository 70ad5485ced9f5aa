"""Speakers who do not exist, and banks of them, for the tests of blending."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from manifests.storage import Place, open_place
from voicebank.card import write_card
from voicebank.tables import VoiceWriter, iter_voices, write_speakers
from voicebank.voice import Gender, Speaker, Vector, Voice

WIDTH = 64


def unit(vector: Any) -> Vector:
    array = np.asarray(vector, np.float32)
    return array / np.float32(np.linalg.norm(array))


def speaker(name: str, gender: Gender = "female", language: str = "en", bucket: int = 80, **values: Any) -> Speaker:
    """Vectors are drawn from the name alone; strangers are at a cosine of about 0.5."""
    generator = np.random.default_rng(list(name.encode()))
    facts: dict[str, Any] = {
        "gender_confidence": None,
        "clips": 10,
        "speech_s": 60.0,
        "similar_pairs": 45,
        "half_similarity": 0.98,
        "seconds_per_character": bucket / 1000,
        "quality": 4.2,
        "license": "CC-BY-4.0",
        "xvector": unit(generator.normal(size=WIDTH) + 1),
        "embedding": unit(generator.normal(size=WIDTH // 2) + 1),
    }
    return Speaker(speaker_id=name, language=language, gender=gender, ms_per_character=bucket, **(facts | values))


def people(count: int = 60, languages: Sequence[str] = ("en", "zh"), **values: Any) -> list[Speaker]:
    """So many, of both genders in turn, in three rate buckets; every third of the second language."""
    return [
        speaker(
            f"p{index:04d}",
            ("female", "male")[index % 2],
            languages[int(index % 3 == 2) % len(languages)],
            80 + 10 * (index // 6 % 3),
            **values,
        )
        for index in range(count)
    ]


def make_bank(directory: Path, speakers: Iterable[Speaker], limit: float | None = 0.97, **card: Any) -> Place:
    place = open_place(directory)
    write_speakers(place, speakers)
    rule = {} if limit is None else {"half_similarity": {"q05": limit}}
    write_card(place, {"name": directory.name, "kind": "speakers"} | rule | card)
    return place


def read_voices(bank: Place) -> tuple[list[Voice], Vector]:
    """All voices and their x-vectors [N, D]."""
    groups = list(iter_voices(bank, xvectors=True))
    return [voice for voices, _ in groups for voice in voices], np.concatenate([m for _, m in groups if m is not None])


def rewrite_voices(bank: Place, voices: Sequence[Voice], xvectors: Vector) -> None:
    """Put other voices into a bank, card and all else staying as they are."""
    with VoiceWriter(bank) as writer:
        writer.write(voices, list(xvectors))
