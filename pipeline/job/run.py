"""The main job, and the same job one stage at a time."""

from collections.abc import Collection
from dataclasses import dataclass

from manifests.errors import ResumeRefused, UserError
from manifests.manifest import MANIFEST_NAME, Manifest, load_manifest
from manifests.storage import Place
from manifests.writer import OWN_NAMES, SHARDS
from pipeline.job.blocks import block_size, finished_blocks, read_json
from pipeline.job.job import (
    ANSWERS,
    INPUT,
    JOB,
    Job,
    Listener,
    Parts,
    claim,
    differences,
    fixed_parts,
    ingest_once,
    job_parts,
    prepare,
    run_takes,
    stage_parts,
    take_stages,
)
from pipeline.job.pack import pack
from pipeline.job.runner.tasks import BlockPass, Runner, plan_pools
from pipeline.job.worker import WorkOrder
from pipeline.recipe import Recipe, digest
from pipeline.stages.registry import find_stage

WORK = "work"
BLOCKS = "blocks"


@dataclass(frozen=True)
class StageResult:
    """`live`: rows that the next stage will see."""

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
    """From the input to the corpus in `out`; continues whatever an earlier run of the same job left there.

    `answers` is where language models' answers are stored, to be used by several jobs; None: in `out`.
    """
    work = out / WORK
    parts = job_parts(job)
    if (out / MANIFEST_NAME).exists():
        return _finished(out, parts)
    _refuse_foreign(out, work / JOB, (WORK, *OWN_NAMES))
    claim(work, parts, accept_changes, fixed_parts(job.recipe))
    try:
        takes = run_takes(job, runner, work, parts["prompts"], listener, answers)
    finally:
        runner.close()
    counts = read_json(work / INPUT)
    return pack(out, takes, parts, counts, job.recipe, job.recipe_digest, beside=(WORK,))


def _finished(out: Place, parts: Parts) -> Manifest:
    """The manifest of a corpus that is there, if it is this job's."""
    if not (out / WORK / JOB).exists():
        raise ResumeRefused(f"--out holds a finished corpus, and without {WORK}/{JOB} nobody can tell whose it is")
    if changed := list(differences(read_json(out / WORK / JOB), parts)):
        raise ResumeRefused(f"--out holds the finished corpus of another job; changed: {', '.join(changed[:8])}")
    return load_manifest(out)


def ingest_job(job: Job, out: Place, listener: Listener) -> StageResult:
    """Only the first step: `out` becomes a directory of blocks for `run_stage_directory`."""
    _refuse_foreign(out, out / JOB, _own_names(job.recipe))
    parts = job_parts(job, stages=())
    claim(out, parts)
    counts = ingest_once(job, out, out / BLOCKS, listener)
    return StageResult(counts["blocks"], counts["rows"], counts["rows"])


def run_stage_directory(
    name: str,
    recipe: Recipe,
    source: Place,
    out: Place,
    runner: Runner,
    listener: Listener,
    answers: Place | None = None,
) -> StageResult:
    """Run one stage over a directory of blocks; `out` becomes another one. Continues like a job."""
    if name not in recipe.stages:
        raise UserError(f"recipe {recipe.name} has no stage {name}; it runs {', '.join(recipe.stages)}")
    counts, parts = read_json(source / INPUT), _parts_of(source, recipe)
    own = stage_parts(recipe, (name,))
    parts |= {key: parts[key] | own[key] for key in own}
    _refuse_foreign(out, out / JOB, _own_names(recipe))
    claim(out, parts)
    block_pass = BlockPass(source / BLOCKS, out / BLOCKS, only_live=False)
    block_pass.target.delete_leftovers()
    done = finished_blocks(block_pass.target)
    todo = [block for block in range(counts["blocks"]) if block not in done]
    listener.started(counts["rows"], counts["rows"] - sum(block_size(counts, block) for block in todo))
    order = WorkOrder(recipe, parts["seed"], (name,), parts["prompts"], answers or out / ANSWERS, out)
    try:
        prepare(recipe, (name,), block_pass.source, counts["blocks"], out, runner)
        for report in runner.run(todo, block_pass, plan_pools(order)):
            listener.finished(report)
    finally:
        runner.close()
    (out / INPUT).write_text((source / INPUT).read_text())
    return StageResult(counts["blocks"], counts["rows"], sum(finished_blocks(block_pass.target).values()))


def pack_directory(recipe: Recipe, source: Place, out: Place) -> Manifest:
    """The last stage: a directory of blocks whose rows are all settled becomes the corpus in `out`."""
    counts, parts = read_json(source / INPUT), _parts_of(source, recipe)
    if (out / MANIFEST_NAME).exists():
        raise ResumeRefused("--out already holds a finished corpus")
    _refuse_foreign(out, out / SHARDS, tuple(OWN_NAMES))
    done = finished_blocks(source / BLOCKS)
    if len(done) < counts["blocks"]:
        raise UserError(f"{counts['blocks'] - len(done)} blocks of --in have not been through a stage yet")
    if live := sum(done.values()):
        again = ", ".join(take_stages(recipe))
        raise UserError(f"{live} rows are still live: run {again} once more, then pack")
    recipe_digest = digest({"recipe": recipe.content(), "seed": parts["seed"]})
    return pack(out, [source / BLOCKS], parts, counts, recipe, recipe_digest)


def _parts_of(source: Place, recipe: Recipe) -> Parts:
    parts = read_json(source / JOB)
    if changed := list(differences(parts.get("recipe"), recipe.content())):
        raise ResumeRefused(f"--in was made with another recipe; changed: {', '.join(changed[:8])}")
    return parts


def _own_names(recipe: Recipe) -> tuple[str, ...]:
    """What may stand in a directory of blocks: what jobs write there, and what stages prepare."""
    prepared = [stage for stage in map(find_stage, recipe.stages) if stage.prepare]
    names = [resource.name for stage in prepared for resource in stage.resources(recipe)]
    return (JOB, INPUT, BLOCKS, ANSWERS, *names)


def _refuse_foreign(out: Place, mark: Place, ours: Collection[str]) -> None:
    """Never write into a directory that holds something else. Only where `mark` is may the names `ours` stand."""
    if out.is_file():
        raise UserError("--out is a file, not a directory")
    may_stand = ours if mark.exists() else ()
    if foreign := sorted(place.name for place in out.list() if place.name not in may_stand):
        raise ResumeRefused(f"--out is not empty: it holds {', '.join(foreign[:5])}")
