"""pack: writes the corpus from the finished blocks: shards, clips, metadata.json, and the manifest last.

Rows are in the order of the input, in whatever order the blocks finished.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from manifests.clips import write_clips
from manifests.errors import BlockDamaged, CorpusError
from manifests.manifest import Manifest, RecipeRecord, SourceFile, write_manifest
from manifests.metadata import write_metadata
from manifests.schema import Dialogue
from manifests.shards import read_shard
from manifests.storage import Place
from manifests.writer import CLIPS, METADATA_NAME, CorpusWriter, Packed
from pipeline.job.blocks import read_block
from pipeline.job.commits import finished_blocks
from pipeline.job.ingest import rows_key
from pipeline.recipe import Recipe
from pipeline.stages.cast import CastSettings
from voicebank.bank import load_bank


def pack(
    out: Place,
    rounds: Sequence[Place],
    parts: Mapping[str, Any],
    counts: Mapping[str, Any],
    recipe: Recipe,
    recipe_digest: str,
    beside: Sequence[str] = (),
) -> Manifest:
    """Write the corpus into `out`. `parts` is the job's identity, `counts` its input.json.

    Raises ResumeRefused, before anything is deleted, if a finished corpus is there.
    """
    rows = final_rows(rounds, counts["blocks"])
    with CorpusWriter(out, max_bytes=recipe.pack.shard_mb << 20, beside=beside) as writer:
        for name in (CLIPS, METADATA_NAME):  # leftovers of an interrupted pack: the writer has seen no manifest
            (out / name).delete()
        for dialogue in write_clips(out, rows) if recipe.pack.clips else rows:
            writer.write(dialogue)
    packed = writer.packed
    if packed.counts.input_rows != counts["rows"]:
        raise CorpusError(f"{packed.counts.input_rows} rows were packed, but the input has {counts['rows']}")
    metadata = None
    if recipe.pack.metadata:
        metadata = write_metadata(out / METADATA_NAME, _kept_without_audio(out, packed), _genders(recipe))
    earlier = tuple(digest for digest in packed.recipes if digest != recipe_digest)
    manifest = Manifest(
        parley_version=version("parley"),
        seed=parts["seed"],
        recipe=RecipeRecord(recipe.name, recipe_digest, recipe.content(), earlier),
        engines={**parts["engines"], **parts["resources"]},
        sources=tuple(
            SourceFile(
                file["dataset"],
                _rows_of(counts, rows_key(file["dataset"], file.get("file"))),
                file["license"],
                file["format"],
                file.get("file"),
            )
            for file in parts["inputs"]
        ),
        counts=packed.counts,
        shards=packed.shards,
        metadata=metadata,
        clips=packed.clips,
    )
    write_manifest(out, manifest)
    return manifest


def _rows_of(counts: Mapping[str, Any], source: str) -> int:
    if source not in counts["rows_of"]:
        raise CorpusError(f"input.json is broken: it does not say how many rows {source} gave")
    return int(counts["rows_of"][source])


def _genders(recipe: Recipe) -> dict[str, str]:
    """Return the gender of each voice that the recipe may cast, by voice_id."""
    cast = recipe.find(CastSettings)
    return {voice.voice_id: str(voice.gender) for voice in load_bank(cast.bank).voices} if cast else {}


def final_rows(rounds: Sequence[Place], blocks: int) -> Iterator[Dialogue]:
    """Yield every row in its last state, in the order of the input, with one block in memory at a time."""
    finished = [finished_blocks(directory) for directory in rounds]
    for block in range(blocks):
        rows = {dialogue.dialogue_id: dialogue for dialogue in read_block(rounds[0], block)}
        for directory, done in zip(rounds[1:], finished[1:], strict=True):
            if block in done:
                again = {dialogue.dialogue_id: dialogue for dialogue in read_block(directory, block)}
                if list(again) != [name for name, row in rows.items() if row.status == "live"]:
                    raise BlockDamaged(directory.name, block)
                rows |= again
        yield from rows.values()


def _kept_without_audio(out: Place, packed: Packed) -> Iterator[Dialogue]:
    for shard in packed.shards.get("kept", ()):
        for group in read_shard(out / shard.path, audio=False):
            yield from group
