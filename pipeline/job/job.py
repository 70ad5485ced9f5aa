"""A job: its directory, what identifies it, and the passes from the input to the corpus.

::

    OUT/work/job.json        what the job is made of; a later run with other parts is refused
    OUT/work/input.json      written when the whole input is cut into blocks
    OUT/work/ingested/       the blocks as ingested
    OUT/work/before-dedup/   where a stage must see all rows at once: after the stages before it, all rows
    OUT/work/duplicates/     and what that stage made of them, under a name of its own
    OUT/work/take-1/         after the first take: all rows, or those that were still live
    OUT/work/take-2/ ...     after each further take: the rows that took it
    OUT/work/answers/        what language models answered, by the hash of what they were asked
    OUT/work/log.jsonl       one line for each finished block, in the order in which they finished
    OUT/manifest.json ...    the corpus, see `pipeline.job.pack`
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from manifests.errors import ResumeRefused
from manifests.schema import SCHEMA_VERSION
from manifests.storage import Place
from pipeline.engines.registry import engine_version, find_engine
from pipeline.job.blocks import BlockReport, block_size, finished_blocks, read_json
from pipeline.job.ingest import IngestOptions, InputFile, ingest
from pipeline.job.runner.tasks import BlockPass, Runner, plan_pools
from pipeline.job.worker import WorkOrder
from pipeline.prompts import named_digest
from pipeline.recipe import Recipe, digest
from pipeline.scoring.normalize import normalizer_version
from pipeline.stages.contract import Mapper, Preparation
from pipeline.stages.registry import engines_of, find_stage

JOB = "job.json"
INPUT = "input.json"
LOG = "log.jsonl"
ANSWERS = "answers"
INGESTED = "ingested"

# What a started job cannot change: its blocks are cut already, and its passes are on disk.
_FIXED = ("inputs", "options", "recipe.block_rows", "recipe.exchanges", "recipe.languages", "recipe.order")

Parts = dict[str, Any]
"""What a job is made of: recipe, seed, engines, prompts, voices, normalizers, inputs."""


@dataclass(frozen=True)
class Job:
    recipe: Recipe
    seed: int
    files: Sequence[InputFile]
    options: IngestOptions

    @property
    def recipe_digest(self) -> str:
        """Of all that the recipe file and the seed decide; it stands in every row."""
        return digest({"recipe": self.recipe.content(), "seed": self.seed})


class Listener:
    """Hears of a running job; the base class is deaf."""

    def ingested(self, rows: int) -> None:
        """So many further rows are cut into blocks."""

    def started(self, total: int, settled: int) -> None:
        """The work begins: `total` rows, of which earlier runs have settled `settled`."""

    def finished(self, report: BlockReport) -> None:
        """A block is committed."""


def job_parts(job: Job, stages: Sequence[str] | None = None) -> Parts:
    """All that decides what the job makes. Raises EngineUnavailable for an engine of `stages` that is not here.

    `stages` None: all of the recipe's.
    """
    recipe = job.recipe
    stages = tuple(recipe.stages) if stages is None else stages
    for kind, name in engines_of(recipe, stages):
        find_engine(kind, name, recipe.models)
    return {
        "parley": version("parley"),
        "schema": SCHEMA_VERSION,
        "recipe": recipe.content(),
        "seed": job.seed,
        "normalizers": {language: normalizer_version(language) for language in recipe.languages},
        "inputs": [file.identity() for file in job.files],
        "options": asdict(job.options),
        **stage_parts(recipe, stages),
    }


def stage_parts(recipe: Recipe, stages: Sequence[str]) -> Parts:
    """What the stages bring with them: the versions of their resources, engines and prompts.

    Raises what the user must know before any work is done: a voice bank that no engine speaks with, a library that is
    not installed.
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
    """Names and hashes of the wording that the stage uses, as they stand in every row's provenance."""
    names = find_stage(stage).prompts(recipe)
    return ", ".join(f"{name}@{named_digest(name, recipe.languages)[:16]}" for name in names)


def fixed_parts(recipe: Recipe) -> tuple[str, ...]:
    """The dotted names of the parts that a started job cannot change."""
    settings = [
        f"recipe.stages.{name}" + ("" if key == "*" else f".{key}")
        for name in recipe.stages
        for key in find_stage(name).fixed
    ]
    return (*_FIXED, *settings)


def claim(work: Place, parts: Parts, accept_changes: bool = False, fixed_names: tuple[str, ...] = ()) -> None:
    """Make the directory this job's, or make sure that it is. Raises ResumeRefused, naming what differs."""
    place = work / JOB
    if place.exists():
        changed = list(differences(read_json(place), parts))
        if fixed := [name for name in changed if name.startswith(fixed_names)]:
            raise ResumeRefused(f"this directory holds the work of another job; changed: {', '.join(fixed[:8])}")
        if changed and not accept_changes:
            raise ResumeRefused(
                f"this directory holds the work of another job; changed: {', '.join(changed[:8])}. "
                "Take another --out, or --accept-changes to go on with the blocks that are left"
            )
        if not changed:
            return
    place.write_text(json.dumps(parts, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def differences(before: object, after: object, path: str = "") -> Iterable[str]:
    """The dotted names of the values that differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after and json.loads(json.dumps(after)) != before:
        yield path


def ingest_once(job: Job, work: Place, blocks: Place, listener: Listener) -> dict[str, Any]:
    """Cut the input into blocks, unless that is done; what `input.json` holds."""
    place = work / INPUT
    if not place.exists():
        blocks.delete()  # an ingest that was cut off begins again; it is quick, and nothing was built on it yet
        counts = ingest(job.files, job.options, job.recipe, job.recipe_digest, blocks, listener.ingested)
        place.write_text(json.dumps(counts, indent=2, sort_keys=True) + "\n")
    return read_json(place)


def run_takes(
    job: Job, runner: Runner, work: Place, prompts: Mapping[str, str], listener: Listener, answers: Place | None = None
) -> list[Place]:
    """All stages, with as many takes as the recipe allows; the directories of the passes, in order."""
    log = _log_to(work)
    counts = ingest_once(job, work, work / INGESTED, listener)
    passes = list(block_passes(job.recipe, work))
    listener.started(counts["rows"], _settled([block_pass.target for _, block_pass in passes], counts))
    order = WorkOrder(job.recipe, job.seed, (), prompts, answers or work / ANSWERS, work)
    waiting = list(range(counts["blocks"]))
    for stages, block_pass in passes:
        prepare(job.recipe, stages, block_pass.source, counts["blocks"], work, runner)
        block_pass.target.delete_leftovers()
        finished = finished_blocks(block_pass.target)
        plans = plan_pools(replace(order, stages=stages))
        for report in runner.run([block for block in waiting if block not in finished], block_pass, plans):
            log(report)
            listener.finished(report)
        finished = finished_blocks(block_pass.target)
        waiting = [block for block in waiting if finished[block]]
    return [block_pass.target for _, block_pass in passes]


def prepare(recipe: Recipe, stages: Sequence[str], blocks: Place, count: int, work: Place, runner: Mapper) -> None:
    """Let the stages that must see all rows at once see them; the blocks are as the stages before have left them."""
    for stage in map(find_stage, stages):
        if stage.prepare:
            stage.prepare(Preparation(recipe, blocks, count, work, runner))


def block_passes(recipe: Recipe, work: Place) -> Iterator[tuple[tuple[str, ...], BlockPass]]:
    """The passes over the blocks, with their stages.

    A pass ends before each stage that must see all rows at once. The last runs up to the end of the list, and each
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
    """The stages that a further take of a turn goes through."""
    return tuple(name for name in recipe.stages if find_stage(name).treats_takes)


def _settled(targets: Sequence[Place], counts: Mapping[str, int]) -> int:
    """Rows that earlier runs have settled, told from the names of the commits alone."""
    settled = 0
    live_of: dict[int, int] = {}
    for target in targets:
        for block, live in finished_blocks(target).items():
            settled += live_of.get(block, block_size(counts, block)) - live
            live_of[block] = live
    return settled


def _log_to(work: Place) -> Callable[[BlockReport], None]:
    """Appends to log.jsonl; on an object store, which cannot append, the commits beside the blocks are the log."""
    if not work.is_local:
        return lambda _: None
    path = Path(work.path) / LOG

    def log(report: BlockReport) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(report), sort_keys=True) + "\n")

    return log
