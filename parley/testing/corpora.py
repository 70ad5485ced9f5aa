"""Finished rows, and small corpora of them."""

import io
import wave
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from manifests.clips import write_clips
from manifests.manifest import Manifest, RecipeRecord, SourceFile, recipe_digest, write_manifest
from manifests.schema import (
    AlignmentChunk,
    Audio,
    Dialogue,
    Hearing,
    Metric,
    Role,
    Score,
    Source,
    Step,
    Take,
    Turn,
    Watermark,
)
from manifests.storage import Place, open_place
from manifests.writer import CorpusWriter

RATE = 16_000
SEED = 7
SETTINGS = {"gate": {"max_wer": 0.1}}
RECIPE = recipe_digest(SETTINGS, SEED)


def make_audio(number: int = 0, num_samples: int = 800) -> Audio:
    """Make a quiet 16-bit WAV, 16 kHz, of a tone that differs with `number`."""
    times = np.arange(num_samples) / RATE
    tone = np.round(3000 * np.sin(2 * np.pi * (200 + 10 * number) * times)).astype("<i2")
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(tone.tobytes())
    return Audio(bytes=sink.getvalue(), path=None, codec="wav", sample_rate=RATE, num_samples=num_samples)


def make_turn(role: Role, text: str, number: int = 0, num_samples: int = 800) -> Turn:
    """An accepted turn with all its evidence."""
    take = make_kept_take(role, text, number, num_samples)
    return Turn(role=role, original_text=text.upper(), text=text, take=take, attempts=(without_bytes(take),))


def make_kept_take(role: Role, text: str, number: int = 0, num_samples: int = 800) -> Take:
    """A first take in which every word was heard."""
    return Take(
        number=1,
        voice_id=f"voice-{role}",
        seed=number,
        rate=1.0,
        audio=make_audio(number, num_samples),
        watermark=Watermark("tone", None, 0.99),
        hearing=Hearing("echo 1", text, make_score(AlignmentChunk("equal", text, text))),
    )


def make_score(*alignment: AlignmentChunk, metric: Metric = "wer") -> Score:
    """The score of an alignment by words: the edge error is not computed."""
    score = Score(metric, None, 0, 0, 0.0, "test-1", alignment)
    edits = score.substitutions + score.deletions + score.insertions
    length = len(score.reference.split()) if metric == "wer" else len(score.reference)
    return replace(score, rate=edits / length if length else None, edits=edits, reference_length=length)


def without_bytes(take: Take) -> Take:
    return replace(take, audio=replace(take.audio, bytes=b"") if take.audio else None)


def with_take(turn: Turn, **changes: Any) -> Turn:
    """The turn with these changes to its take, which it has."""
    assert turn.take is not None
    return replace(turn, take=replace(turn.take, **changes))


def make_kept(number: int = 0, num_samples: int = 800) -> Dialogue:
    """Make a kept dialogue of two turns."""
    return Dialogue(
        dialogue_id=f"made-{number:08x}",
        language="en",
        source=Source("made", str(number), "CC0-1.0"),
        turns=(
            make_turn("user", f"what is number {number}", 2 * number, num_samples),
            make_turn("agent", f"it is number {number}", 2 * number + 1, num_samples),
        ),
        recipe=RECIPE,
        user_voice="voice-user",
        agent_voice="voice-agent",
        wer=0.0,
        status="kept",
        provenance=(Step("synthesize", "tone", "1", None, 1),),
    )


def make_rejected(number: int = 0) -> Dialogue:
    """Make a dialogue of two turns that the gate rejected."""
    kept = make_kept(number)
    return replace(kept, status="rejected", reason="error_rate", detail="wer 0.50 > 0.10", wer=0.5)


def make_failed(number: int = 0) -> Dialogue:
    """Make a row that failed because it got no voice, so no speech."""
    turns = (Turn(role="user", original_text=f"say {number}"),)
    source = Source("made", str(number))
    return Dialogue(f"made-{number:08x}", "zh", source, turns, recipe=RECIPE, status="failed", reason="no_voice")


def make_rows(kept: int = 6, rejected: int = 3, failed: int = 2) -> list[Dialogue]:
    """Make kept rows, then rejected and failed ones; every id is different."""
    numbers = iter(range(kept + rejected + failed))
    rows = [make_kept(next(numbers)) for _ in range(kept)]
    rows += [make_rejected(next(numbers)) for _ in range(rejected)]
    return rows + [make_failed(next(numbers)) for _ in range(failed)]


def make_corpus(where: Path, rows: Iterable[Dialogue], clips: bool = False, max_rows: int = 4) -> Place:
    """Write a finished corpus of these rows to the local directory `where`; `max_rows` go into a shard."""
    return make_corpus_at(open_place(where), rows, clips, max_rows)


def make_corpus_at(place: Place, rows: Iterable[Dialogue], clips: bool = False, max_rows: int = 4) -> Place:
    """Write a finished corpus of these rows to `place`; with `clips`, the audio lies in files beside the shards."""
    with CorpusWriter(place, max_rows=max_rows) as writer:
        for dialogue in write_clips(place, rows) if clips else rows:
            writer.write(dialogue)
    packed = writer.packed
    recipe = RecipeRecord("made", RECIPE, SETTINGS)
    sources = (SourceFile("made", packed.counts.input_rows, "CC0-1.0", "jsonl", "made.jsonl"),)
    engines = {"tts/tone": "1"}
    manifest = Manifest("0.1.0", SEED, recipe, engines, sources, packed.counts, packed.shards, clips=packed.clips)
    write_manifest(place, manifest)
    return place
