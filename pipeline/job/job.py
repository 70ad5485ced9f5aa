"""A job that makes a corpus: what identifies it, and its passes from the input on.

::

    OUT/work/...             job.json, input.json, log.jsonl: see `pipeline.job.directory`
    OUT/work/round-0/        the blocks as ingested
    OUT/work/screened/       where the recipe has `dedup`: after the stages before it, all rows
    OUT/work/duplicates/     and the index of near-duplicates that was made of them
    OUT/work/round-1/        after the first attempt: all rows, or those that were live in `screened`
    OUT/work/round-2/ ...    after each further attempt: the rows that took it
    OUT/work/answers/        what language models answered, by the hash of what they were asked
    OUT/manifest.json ...    the corpus, see `pipeline.job.pack`
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any

from manifests.schema import SCHEMA_VERSION
from manifests.storage import Place
from pipeline.audio.loudness import version as loudness_version
from pipeline.dedup import build_index
from pipeline.dedup import version as minhash_version
from pipeline.engines.registry import check_name, engine_version
from pipeline.job.blocks import block_size, live_rows
from pipeline.job.directory import JobDirectory, Parts
from pipeline.job.ingest import IngestOptions, InputFile, ingest
from pipeline.job.listener import Listener
from pipeline.job.runner.tasks import BlockPass, Runner, plan_pools
from pipeline.job.worker import WorkOrder, engines_of, open_casting
from pipeline.prompts import named_digest
from pipeline.recipe import SPEECH_STAGES, Recipe, digest
from pipeline.scoring.normalize import normalizer_version
from pipeline.stages._reference_embeddings import reference_embeddings_version
from pipeline.stages.registry import STAGE_TABLE
from voicebank.bank import load_bank

ANSWERS = "answers"
DUPLICATES = "duplicates"

# What a started job cannot change: its blocks are cut already, and its passes are on disk.
FIXED = (
    "inputs",
    "options",
    "recipe.block_rows",
    "recipe.exchanges",
    "recipe.languages",
    "recipe.dedup",
    "recipe.gate.ladder",
)


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


def job_parts(job: Job, stages: Sequence[str] | None = None) -> Parts:
    """All that decides what the job makes. Raises EngineUnavailable for an engine of `stages` that is not here.

    `stages` None: all of the recipe's.
    """
    recipe = job.recipe
    stages = recipe.stages if stages is None else stages
    for kind, name in engines_of(recipe, stages):
        check_name(kind, name, recipe.models)
    if "cast" in stages:
        open_casting(recipe)  # a bank that the engines cannot speak with is heard of before any work
    return {
        "parley": version("parley"),
        "schema": SCHEMA_VERSION,
        "recipe": recipe.content(),
        "seed": job.seed,
        "voices": load_bank(recipe.cast.bank).digest,
        "normalizers": {language: normalizer_version(language) for language in recipe.languages},
        "inputs": [file.identity() for file in job.files],
        "options": asdict(job.options),
        **stage_parts(recipe, stages),
    }


def stage_parts(recipe: Recipe, stages: Sequence[str]) -> Parts:
    """What the stages bring with them: the versions of their engines and prompts."""
    keys = engines_of(recipe, stages)
    engines = {f"{kind}/{name}": engine_version(kind, name, recipe.models) for kind, name in keys}
    if "dedup" in stages:
        engines["dedup/minhash"] = minhash_version()  # what it is missing must be heard of before tokens are spent
    if "assess" in stages or ("render" in stages and recipe.render.loudness_lufs is not None):
        engines["loudness/bs1770"] = loudness_version()
    if "assess" in stages and (references := reference_embeddings_version(recipe)):
        engines["reference_embeddings"] = references
    return {
        "engines": engines,
        "prompts": {stage: text for stage in stages if (text := _prompts(recipe, stage))},
    }


def _prompts(recipe: Recipe, stage: str) -> str:
    """Names and hashes of the wording that the stage uses, as they stand in every row's provenance."""
    names = STAGE_TABLE[stage].prompts(recipe)
    return ", ".join(f"{name}@{named_digest(name, recipe.languages)[:16]}" for name in names)


def ingest_once(job: Job, directory: JobDirectory, blocks: Place, listener: Listener) -> dict[str, Any]:
    """Cut the input into blocks, unless that is done; what `input.json` holds."""
    return directory.cut_once(
        blocks, lambda: ingest(job.files, job.options, job.recipe, job.recipe_digest, blocks, listener.ingested)
    )


def run_rounds(
    job: Job,
    runner: Runner,
    directory: JobDirectory,
    prompts: Mapping[str, str],
    listener: Listener,
    answers: Place | None = None,
) -> list[Place]:
    """All stages up to gate, with as many attempts as the recipe has; the directories of the passes, in order."""
    work = directory.work
    counts = ingest_once(job, directory, work / "round-0", listener)
    passes = list(block_passes(job.recipe, work))
    listener.started(counts["rows"], _settled([block_pass.target for _, block_pass in passes], counts))
    order = WorkOrder(job.recipe, job.seed, (), prompts, answers or work / ANSWERS, work / DUPLICATES)
    waiting = {block: block_size(counts, block) for block in range(counts["blocks"])}
    for stages, block_pass in passes:
        if job.recipe.dedup and "dedup" in stages:
            build_index(block_pass.source, counts["blocks"], work / DUPLICATES, job.recipe.dedup, runner)
        block_pass.target.delete_leftovers()
        finished = live_rows(block_pass.target)
        todo = {block: rows for block, rows in waiting.items() if block not in finished}
        directory.run(todo, block_pass, plan_pools(replace(order, stages=stages)), runner, listener)
        finished = live_rows(block_pass.target)
        waiting = {block: finished[block] for block in waiting if finished[block]}
    return [block_pass.target for _, block_pass in passes]


def block_passes(recipe: Recipe, work: Place) -> Iterator[tuple[tuple[str, ...], BlockPass]]:
    """The passes over the blocks, with their stages: up to dedup, which must see all rows; the rest; each retake."""
    stages, source = recipe.stages, work / "round-0"
    if "dedup" in stages:
        cut = stages.index("dedup")
        yield stages[:cut], BlockPass(source, work / "screened", only_live=False)
        stages, source = stages[cut:], work / "screened"
    for attempt in range(1, recipe.gate.attempts + 1):
        target = work / f"round-{attempt}"
        yield stages, BlockPass(source, target, only_live=source != work / "round-0")
        stages, source = tuple(stage for stage in SPEECH_STAGES if stage in recipe.stages), target


def _settled(targets: Sequence[Place], counts: Mapping[str, int]) -> int:
    """Rows that earlier runs have settled, told from the names of the commits alone."""
    settled = 0
    live_of: dict[int, int] = {}
    for target in targets:
        for block, live in live_rows(target).items():
            settled += live_of.get(block, block_size(counts, block)) - live
            live_of[block] = live
    return settled
