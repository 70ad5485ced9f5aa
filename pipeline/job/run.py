"""Runs the main job, and the same job one stage at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from manifests.errors import ResumeRefused, UserError
from manifests.manifest import MANIFEST_NAME, Manifest, load_manifest, recipe_digest
from manifests.storage import Place
from manifests.validate import check_files
from manifests.writer import OWN_NAMES, SHARDS
from pipeline.job.blocks import block_size, check_shape, live_rows, read_block
from pipeline.job.commits import delete_block_leftovers
from pipeline.job.directory import (
    CHECKED,
    CORPUS_PARTS,
    INPUT,
    JOB,
    LOG,
    WORK,
    Cut,
    JobDirectory,
    Parts,
    differences,
)
from pipeline.job.gpu_hours import timed
from pipeline.job.job import (
    ANSWERS,
    IDS,
    INGESTED,
    Job,
    block_passes,
    cut,
    fixed_parts,
    job_parts,
    prepare,
    run_takes,
    stage_parts,
    take_stages,
)
from pipeline.job.listener import Listener
from pipeline.job.lock import LOCK, OWNERS, is_of_lock
from pipeline.job.pack import PACKED, pack
from pipeline.job.repair import repairing
from pipeline.job.runner.tasks import BlockPass, Runner, plan_pools
from pipeline.job.worker import WorkOrder, check_node
from pipeline.recipe import Recipe
from pipeline.settings import SpeechServer
from pipeline.spread import spread_with
from pipeline.stages.contract import Mapper
from pipeline.stages.registry import find_stage
from pipeline.stages.synthesize import SYNTHESIZE

BLOCKS = "blocks"
_CHUNK_BLOCKS = 500
"""Blocks that one worker reads at once."""


@dataclass(frozen=True)
class StageResult:
    """Holds a stage's counts. `live`: rows that the next stage will see."""

    blocks: int
    rows: int
    live: int


def run_job(
    job: Job,
    out: Place,
    runner: Runner,
    listener: Listener,
    accept_changes: bool = False,
    answers: Place | None = None,
) -> Manifest:
    """Make the corpus in `out` from the input; continues an earlier run of the same job there.

    `answers` is the store of language models' answers, which several jobs may share; None: in `out`.
    """
    directory = JobDirectory(out, out / WORK, (WORK, *OWN_NAMES))
    parts = job_parts(job)
    if not (out / MANIFEST_NAME).exists():
        with directory.owned() as directory:
            if not (out / MANIFEST_NAME).exists():  # a moment ago another process may have finished it
                directory.claim(parts, fixed_parts(job.recipe), accept_changes)
                return _make(job, directory, parts, runner, listener, answers)
    directory.check_finished(parts)
    manifest = load_manifest(out)
    check_files(out, manifest)
    return manifest


def _make(
    job: Job, directory: JobDirectory, parts: Parts, runner: Runner, listener: Listener, answers: Place | None
) -> Manifest:
    """Run all passes and pack the corpus, and make damaged blocks again."""
    ingested = directory.work / INGESTED

    def make() -> Manifest:
        try:
            _check_servers(job.recipe, directory.work / CHECKED)
            runner.check_nodes(partial(check_node, job.recipe, parts["libraries"]))
            passes = run_takes(job, runner, directory, parts["prompts"], listener, answers)
            directory.check_owner()
            counts, name, scratch = directory.counts, job.recipe_digest, directory.work / PACKED
            return pack(directory.out, passes, parts, counts, job.recipe, name, scratch, (WORK,), runner)
        finally:
            runner.close()

    def cut_again() -> None:
        try:
            directory.cut_again(ingested, lambda: cut(job, directory, ingested, listener, runner))
        finally:
            runner.close()

    targets = [block_pass.target for _, block_pass in block_passes(job.recipe, directory.work)]
    with timed(job.recipe, directory.work, targets):
        return repairing(make, ingested, targets, cut_again, listener)


def _check_servers(recipe: Recipe, done: Place) -> None:
    """Check the recipe's speech servers; where it has none, their client is not even loaded, which takes a second."""
    if any(isinstance(getattr(model, "serving", None), SpeechServer) for model in recipe.models.values()):
        from pipeline.obedience.check import check_before_a_job

        check_before_a_job(recipe, done)


def ingest_job(job: Job, out: Place, listener: Listener, mapper: Mapper | None = None) -> StageResult:
    """Run only the first step: make `out` a directory of blocks for `run_stage_directory`.

    A large input is cut by the workers of the `mapper`, if there is one; it stays open.
    """
    blocks, parts = out / BLOCKS, job_parts(job, stages=())

    with _block_directory(out, job.recipe).owned() as directory:

        def make() -> Cut:
            return cut(job, directory, blocks, listener, mapper)

        directory.claim(parts)
        counts = directory.cut_once(blocks, make)
        repairing(
            lambda: _read_all(blocks, counts, mapper), blocks, (), lambda: directory.cut_again(blocks, make), listener
        )
    return StageResult(counts["blocks"], counts["rows"], counts["rows"])


def _read_all(blocks: Place, counts: Mapping[str, Any], mapper: Mapper | None) -> None:
    """Raise BlockDamaged unless every block can be read; many are read by workers."""
    chunks = [
        range(first, min(first + _CHUNK_BLOCKS, counts["blocks"]))
        for first in range(0, counts["blocks"], _CHUNK_BLOCKS)
    ]
    for _ in spread_with(mapper)(partial(_read_chunk, blocks), chunks):
        pass


def _read_chunk(blocks: Place, numbers: range) -> None:
    for number in numbers:
        read_block(blocks, number)


def run_stage_directory(
    name: str,
    recipe: Recipe,
    source: Place,
    out: Place,
    runner: Runner,
    listener: Listener,
    answers: Place | None = None,
) -> StageResult:
    """Run one stage over a directory of blocks into another one, `out`; continues an earlier run like a job."""
    if name not in recipe.stages:
        raise UserError(f"recipe {recipe.name} has no stage {name}; it runs {', '.join(recipe.stages)}")
    counts, parts = _block_directory(source, recipe).counts, _parts_of(source, recipe)
    own = stage_parts(recipe, (name,))
    parts |= {key: parts[key] | own[key] for key in own}
    block_pass = BlockPass(source / BLOCKS, out / BLOCKS, only_live=False)
    with _block_directory(out, recipe).owned() as directory:
        directory.claim(parts)
        delete_block_leftovers(block_pass.target)
        done = live_rows(block_pass.target)
        todo = {block: block_size(counts, block) for block in range(counts["blocks"]) if block not in done}
        listener.started(counts["rows"], counts["rows"] - sum(todo.values()))
        order = WorkOrder(recipe, parts["seed"], (name,), parts["prompts"], answers or out / ANSWERS, out)
        try:
            if name == SYNTHESIZE.name and todo:
                _check_servers(recipe, out / CHECKED)
            runner.check_nodes(partial(check_node, recipe, parts["libraries"]))
            prepare(recipe, (name,), block_pass.source, counts["blocks"], out, runner)
            directory.run(todo, block_pass, plan_pools(order), runner, listener)
        finally:
            runner.close()
        (out / INPUT).write_text((source / INPUT).read_text())
    return StageResult(counts["blocks"], counts["rows"], sum(live_rows(block_pass.target).values()))


def pack_directory(recipe: Recipe, source: Place, out: Place, runner: Mapper | None = None) -> Manifest:
    """Run the last stage: write the corpus in `out` from a directory of blocks whose rows are all settled.

    The `runner`, if there is one, spreads the work; it stays open.
    """
    counts, parts = _block_directory(source, recipe).counts, _parts_of(source, recipe)
    if (out / MANIFEST_NAME).exists():
        raise ResumeRefused("--out already holds a finished corpus: choose another directory")
    directory = JobDirectory(out, out / WORK, (WORK, *OWN_NAMES))
    directory.refuse_foreign(out / SHARDS)
    done = live_rows(source / BLOCKS)
    if len(done) < counts["blocks"]:
        raise UserError(f"{counts['blocks'] - len(done)} blocks of --in have not been through a stage yet")
    if live := sum(done.values()):
        again = ", ".join(take_stages(recipe))
        raise UserError(f"{live} rows are still live: run {again} once more, then pack")
    digest = recipe_digest(recipe.content(), parts["seed"])
    with directory.owned(out / SHARDS):
        out.delete_leftovers()
        scratch = out / WORK / PACKED
        manifest = pack(out, [source / BLOCKS], parts, counts, recipe, digest, scratch, (WORK,), runner)
        if all(map(is_of_lock, (out / WORK).list())):
            (out / WORK).delete()
    return manifest


def _parts_of(source: Place, recipe: Recipe) -> Parts:
    parts = _block_directory(source, recipe).parts
    check_shape(parts, CORPUS_PARTS, JOB)
    if changed := list(differences(parts.get("recipe"), recipe.content())):
        raise ResumeRefused(f"--in was made with another recipe; changed: {', '.join(changed[:8])}")
    return parts


def _block_directory(out: Place, recipe: Recipe) -> JobDirectory:
    """Return a directory of blocks, which may hold only files of jobs and of stages that prepare."""
    prepared = [stage for stage in map(find_stage, recipe.stages) if stage.prepare]
    names = [resource.name for stage in prepared for resource in stage.resources(recipe)]
    return JobDirectory(out, out, (LOCK, OWNERS, JOB, INPUT, LOG, IDS, BLOCKS, ANSWERS, CHECKED, *names))
