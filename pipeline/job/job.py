"""Defines a job that makes a corpus: its identity, and its passes from the input on.

::

    OUT/work/...             job.json, input.json, log.jsonl: see `pipeline.job.directory`
    OUT/work/ids/            while the input is cut: its ids
    OUT/work/ingested/       the blocks as ingested
    OUT/work/before-dedup/   if a stage must see all rows at once: all rows after the stages before it
    OUT/work/duplicates/     and what that stage prepared from them, under its own name
    OUT/work/take-1/         after the first take: all rows, or those that were still live
    OUT/work/take-2/ ...     after each further take: the rows that took it
    OUT/work/answers/        answers of language models, by the hash of the request
    OUT/manifest.json ...    the corpus, see `pipeline.job.pack`
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

from manifests.manifest import recipe_digest
from manifests.schema import SCHEMA_VERSION
from manifests.storage import Place
from pipeline.engines.registry import engine_version, find_engine
from pipeline.job.blocks import block_size, live_rows
from pipeline.job.commits import delete_block_leftovers
from pipeline.job.directory import INPUT, Cut, JobDirectory, Parts
from pipeline.job.ingest import IngestOptions, ingest
from pipeline.job.inputs import InputFile
from pipeline.job.libraries import library_versions
from pipeline.job.listener import Listener
from pipeline.job.runner.tasks import BlockPass, Runner, plan_pools
from pipeline.job.worker import WorkOrder
from pipeline.prompts import named_digest
from pipeline.recipe import Recipe
from pipeline.scoring.normalize import normalizer_version
from pipeline.stages.contract import Mapper, Preparation
from pipeline.stages.registry import engines_of, find_stage

ANSWERS = "answers"
IDS = "ids"
INGESTED = "ingested"

# A started job cannot change these: its blocks are cut already, and its passes are on disk.
_FIXED = ("inputs", "options", "recipe.block_rows", "recipe.exchanges", "recipe.languages", "recipe.order")


@dataclass(frozen=True)
class Job:
    recipe: Recipe
    seed: int
    files: Sequence[InputFile]
    options: IngestOptions

    @property
    def recipe_digest(self) -> str:
        """Digest of everything that the recipe file and the seed decide; every row has it."""
        return recipe_digest(self.recipe.content(), self.seed)


def job_parts(job: Job, stages: Sequence[str] | None = None) -> Parts:
    """Return everything that decides the job's result; raises EngineUnavailable for a missing engine of `stages`.

    `stages` None: all stages of the recipe.
    """
    recipe = job.recipe
    stages = tuple(recipe.stages) if stages is None else stages
    for kind, name in engines_of(recipe, stages):
        find_engine(kind, name, recipe.models)
    return {
        "parley": version("parley"),
        "libraries": library_versions(),
        "schema": SCHEMA_VERSION,
        "recipe": recipe.content(),
        "seed": job.seed,
        "normalizers": {language: normalizer_version(language) for language in recipe.languages},
        "inputs": [file.identity() for file in job.files],
        "options": asdict(job.options),
        **stage_parts(recipe, stages),
    }


def stage_parts(recipe: Recipe, stages: Sequence[str]) -> Parts:
    """Return the versions of the stages' resources, engines and prompts.

    Raises the errors that must stop the job before it starts: a voice bank that no engine speaks with, a library that
    is not installed.
    """
    resources = {resource.name: resource for name in stages for resource in find_stage(name).resources(recipe)}
    return {
        "resources": {name: resource.version(recipe) for name, resource in resources.items()},
        "engines": {
            f"{kind}/{name}": engine_version(kind, name, recipe.models) for kind, name in engines_of(recipe, stages)
        },
        "prompts": {stage: text for stage in stages if (text := _prompts(recipe, stage))},
    }


def _prompts(recipe: Recipe, stage: str) -> str:
    """Return names and hashes of the stage's prompts, as in every row's provenance."""
    names = find_stage(stage).prompts(recipe)
    return ", ".join(f"{name}@{named_digest(name, recipe.languages)[:16]}" for name in names)


def fixed_parts(recipe: Recipe) -> tuple[str, ...]:
    """Return the dotted names of the parts that a started job cannot change."""
    settings = [
        f"recipe.stages.{name}" + ("" if key == "*" else f".{key}")
        for name in recipe.stages
        for key in find_stage(name).fixed
    ]
    return (*_FIXED, *settings)


def cut(job: Job, directory: JobDirectory, blocks: Place, listener: Listener, mapper: Mapper | None = None) -> Cut:
    """Cut the input into `blocks`, a large one by the workers of the `mapper`.

    A second time the rows name the recipe of the first, whatever has changed.
    """
    is_again = (directory.work / INPUT).exists()
    recipe_digest = directory.counts["recipe"] if is_again else job.recipe_digest
    scratch = directory.work / IDS
    return ingest(job.files, job.options, job.recipe, recipe_digest, blocks, scratch, listener.ingested, mapper)


def run_takes(
    job: Job,
    runner: Runner,
    directory: JobDirectory,
    prompts: Mapping[str, str],
    listener: Listener,
    answers: Place | None = None,
) -> list[Place]:
    """Run all stages, with as many takes as the recipe allows; return the directories of the passes, in order."""
    work = directory.work
    ingested = work / INGESTED
    counts = directory.cut_once(ingested, lambda: cut(job, directory, ingested, listener, runner))
    passes = list(block_passes(job.recipe, work))
    for _, block_pass in passes:
        delete_block_leftovers(block_pass.target)
    listed = [live_rows(block_pass.target) for _, block_pass in passes]
    listener.started(counts["rows"], _settled(listed, counts))
    order = WorkOrder(job.recipe, job.seed, (), prompts, answers or work / ANSWERS, work)
    waiting = {block: block_size(counts, block) for block in range(counts["blocks"])}
    for (stages, block_pass), finished in zip(passes, listed, strict=True):
        prepare(job.recipe, stages, block_pass.source, counts["blocks"], work, runner)
        todo = {block: rows for block, rows in waiting.items() if block not in finished}
        if todo:
            directory.run(todo, block_pass, plan_pools(replace(order, stages=stages)), runner, listener)
            finished = live_rows(block_pass.target)
        waiting = {block: finished[block] for block in waiting if finished[block]}
    return [block_pass.target for _, block_pass in passes]


def prepare(recipe: Recipe, stages: Sequence[str], blocks: Place, count: int, work: Place, runner: Mapper) -> None:
    """Call `prepare` of the stages that must see all rows at once, on the blocks as the stages before left them."""
    for stage in map(find_stage, stages):
        if stage.prepare:
            stage.prepare(Preparation(recipe, blocks, count, work, runner))


def block_passes(recipe: Recipe, work: Place) -> Iterator[tuple[tuple[str, ...], BlockPass]]:
    """Yield the passes over the blocks, with their stages.

    A pass ends before each stage that must see all rows at once. The last one runs to the end of the list, and each
    further take is a pass through the stages that treat takes.
    """
    stages, source = tuple(recipe.stages), work / INGESTED
    for cut in [name for name in stages if find_stage(name).prepare]:
        done, stages = stages[: stages.index(cut)], stages[stages.index(cut) :]
        if done:
            target = work / f"before-{cut}"
            yield done, BlockPass(source, target, only_live=source != work / INGESTED)
            source = target
    for take in range(1, max(find_stage(name).passes(recipe) for name in stages) + 1):
        target = work / f"take-{take}"
        yield stages, BlockPass(source, target, only_live=source != work / INGESTED)
        stages, source = take_stages(recipe), target


def take_stages(recipe: Recipe) -> tuple[str, ...]:
    """Return the stages that a further take of a turn goes through."""
    return tuple(name for name in recipe.stages if find_stage(name).treats_takes)


def _settled(passes: Sequence[Mapping[int, int]], counts: Mapping[str, int]) -> int:
    """Count the rows that earlier runs have settled, from the live rows of each pass's blocks."""
    settled = 0
    live_of: dict[int, int] = {}
    for finished in passes:
        for block, live in finished.items():
            settled += live_of.get(block, block_size(counts, block)) - live
            live_of[block] = live
    return settled
