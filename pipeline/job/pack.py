"""pack: writes the corpus from the finished blocks: shards, clips, metadata.json, and the manifest last.

Rows are in the order of the input, in whatever order the blocks finished. The commits of the blocks alone decide which
rows a shard holds (`shard_plan.py`); then workers write the shards, each by itself (`write_shards.py`), and this
process only joins what they tell. A pack that was killed goes on with the shards that are not written yet.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from itertools import chain
from typing import Any

from manifests.errors import CorpusError
from manifests.manifest import (
    FINAL_STATUSES,
    ClipFiles,
    Manifest,
    MetadataFile,
    RecipeRecord,
    SourceFile,
    sum_counts,
    write_manifest,
)
from manifests.metadata import join_metadata
from manifests.shards import ShardInfo
from manifests.storage import Place
from manifests.writer import CLIPS, METADATA_NAME, Packed, ShardLimits, clear_for_writing, refuse_finished
from pipeline.job.ingest import rows_key
from pipeline.job.shard_plan import FinalBlock, RowEnds, ShardPlan, final_blocks, plan_shards, read_ends
from pipeline.job.write_shards import ShardWork, WrittenShard, lines_of, write_planned, written_before
from pipeline.recipe import Recipe
from pipeline.spread import spread_over, spread_with
from pipeline.stages.cast import CastSettings
from pipeline.stages.contract import Mapper

PACKED = "packed"
_CHUNK_BLOCKS = 500
"""Blocks whose commits one worker reads at once."""


def pack(
    out: Place,
    rounds: Sequence[Place],
    parts: Mapping[str, Any],
    counts: Mapping[str, Any],
    recipe: Recipe,
    recipe_digest: str,
    scratch: Place,
    beside: Sequence[str] = (),
    mapper: Mapper | None = None,
) -> Manifest:
    """Write the corpus into `out`. `parts` is the job's identity, `counts` its input.json; `scratch` is a directory
    for what is known of finished shards, removed at the end. The `mapper`, if there is one, spreads the work.

    Raises ResumeRefused, before anything is deleted, if a finished corpus is there.
    """
    refuse_finished(out)
    cast = recipe.find(CastSettings)
    bank = cast.bank if cast else None
    works = [
        ShardWork(out, scratch, tuple(rounds), plan, recipe.pack.clips, _is_listed(plan, recipe), bank)
        for plan in _plans(rounds, counts["blocks"], recipe, mapper)
    ]
    _clear(out, scratch, works, beside)
    spread = spread_over(mapper, sum(work.plan.bytes for work in works))
    packed = _packed(works, list(spread(write_planned, works)))
    if packed.counts.input_rows != counts["rows"]:
        raise CorpusError(f"{packed.counts.input_rows} rows were packed, but the input has {counts['rows']}")
    metadata = _write_metadata(out, scratch, works) if recipe.pack.metadata else None
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
    scratch.delete()
    return manifest


def _rows_of(counts: Mapping[str, Any], source: str) -> int:
    if source not in counts["rows_of"]:
        raise CorpusError(f"input.json is broken: it does not say how many rows {source} gave")
    return int(counts["rows_of"][source])


def _plans(passes: Sequence[Place], blocks: int, recipe: Recipe, mapper: Mapper | None) -> list[ShardPlan]:
    """Return the shards to write, in order; many commits are read by workers."""
    numbered = final_blocks(passes, blocks)
    chunks = [numbered[first : first + _CHUNK_BLOCKS] for first in range(0, blocks, _CHUNK_BLOCKS)]
    found = spread_with(mapper)(partial(_read_chunk, tuple(passes)), chunks)
    limits = ShardLimits(recipe.pack.shard_mb << 20)
    return plan_shards(
        chain.from_iterable(found), limits, {"clips": recipe.pack.clips, "metadata": recipe.pack.metadata}
    )


def _read_chunk(passes: Sequence[Place], blocks: Sequence[FinalBlock]) -> list[RowEnds]:
    return [read_ends(passes, block) for block in blocks]


def _is_listed(plan: ShardPlan, recipe: Recipe) -> bool:
    return recipe.pack.metadata and plan.status == "kept"


def _clear(out: Place, scratch: Place, works: Sequence[ShardWork], beside: Sequence[str]) -> None:
    """Remove what an interrupted pack left, but for shards that it finished, if all of them are of these plans."""
    records = {place.name for place in scratch.list() if place.name.endswith(".json")}
    done = [work.plan.path for work in works if written_before(scratch, work.plan)]
    goes_on = bool(done) and len(done) == len(records)
    clear_for_writing(out, beside, done if goes_on else ())
    (out / METADATA_NAME).delete()
    if goes_on:
        for status in FINAL_STATUSES:
            for directory in (out / CLIPS / status).list():
                directory.delete_leftovers()
        scratch.delete_leftovers()
        return
    (out / CLIPS).delete()
    scratch.delete()


def _packed(works: Sequence[ShardWork], written: Sequence[WrittenShard]) -> Packed:
    shards: dict[str, list[ShardInfo]] = {}
    for work, done in zip(works, written, strict=True):
        shards.setdefault(work.plan.status, []).append(done.shard)
    clips = ClipFiles(sum(done.clip_files for done in written), sum(done.clip_bytes for done in written))
    recipes = sorted({digest for done in written for digest in done.recipes})
    listed = {status: tuple(infos) for status, infos in shards.items()}
    return Packed(listed, sum_counts(done.counts for done in written), clips if clips.files else None, tuple(recipes))


def _write_metadata(out: Place, scratch: Place, works: Sequence[ShardWork]) -> MetadataFile:
    """Join the lines that the workers wrote."""
    places = (lines_of(scratch, work.plan) for work in works if work.lines)
    return join_metadata(out / METADATA_NAME, (place.read_bytes() for place in places))
