"""Corpora whose rows differ in voices, languages, lengths and questions, as if a recipe with a bank had made them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from manifests.manifest import Manifest, RecipeRecord, SourceFile, recipe_digest, write_manifest
from manifests.metadata import write_metadata
from manifests.schema import Dialogue, Source, Step
from manifests.storage import Place, open_place
from manifests.writer import METADATA_NAME, CorpusWriter
from parley.testing.corpora import make_turn
from voicebank.bank import load_bank

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def question(number: int) -> str:
    """A question of eight words that no other number asks, nor nearly."""
    digits = [(number * 7919 + place * 104_729 + number // (place + 1)) % 4900 for place in range(8)]
    return " ".join(SYLLABLES[digit % 70] + SYLLABLES[digit // 70] for digit in digits)


def made_row(
    number: int,
    user: str = "tone-user-en-female-0",
    agent: str = "tone-agent-en-female",
    language: str = "en",
    text: str | None = None,
    seconds: float = 0.1,
    source: Source | None = None,
    provenance: tuple[Step, ...] = (),
) -> Dialogue:
    samples = int(seconds * 8_000)
    return Dialogue(
        dialogue_id=f"made-{number:08x}",
        language=language,
        source=source or Source("made", str(number), "CC0-1.0"),
        turns=(
            make_turn("user", question(number) if text is None else text, number % 7, samples),
            make_turn("agent", f"it is {question(number + 500_000)}", number % 7, samples),
        ),
        user_voice=user,
        agent_voice=agent,
        wer=0.0,
        status="kept",
        provenance=provenance,
    )


def made_corpus(
    where: Path,
    rows: Iterable[Dialogue],
    bank: str | None = "tone",
    settings: Mapping[str, Any] = {},
    engines: Mapping[str, str] = {},
    metadata: Mapping[str, str] | None = None,
    max_rows: int = 1000,
) -> Place:
    """Write a corpus whose manifest names a bank and its digest; with `metadata`, the genders stand in a file."""
    place = open_place(where)
    recipe = {"stages": {"cast": {"bank": bank}} if bank else {}, **settings}
    digest = recipe_digest(recipe, 0)
    with CorpusWriter(place, max_rows=max_rows) as writer:
        for row in rows:
            writer.write(replace(row, recipe=digest))
    kept = [replace(row, recipe=digest) for row in rows] if metadata is not None else []
    file = write_metadata(place / METADATA_NAME, kept, metadata) if metadata is not None else None
    packed = writer.packed
    manifest = Manifest(
        "0.1.0",
        0,
        RecipeRecord("made", digest, recipe),
        {**({"voices": load_bank(bank).digest} if bank else {}), **engines},
        (SourceFile("made", packed.counts.input_rows, "CC0-1.0", "jsonl", "made.jsonl"),),
        packed.counts,
        packed.shards,
        metadata=file,
    )
    write_manifest(place, manifest)
    return place
