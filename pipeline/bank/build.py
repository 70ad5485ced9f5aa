"""Builds a voice bank of real speakers: its identity and its steps.

::

    OUT/work/...             job.json, input.json, log.jsonl: see `pipeline.job.directory`
    OUT/work/clips/          the blocks of clips, see `pipeline.bank.listing`
    OUT/work/built/          the finished blocks, see `pipeline.bank.results`
    OUT/speakers.parquet ... the bank; card.json is written last
"""

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter

from manifests.storage import Place
from pipeline.bank.corpus import RecordingCorpus
from pipeline.bank.filter_steps import BuildOrder, BuildPlan
from pipeline.bank.listing import Listing, list_blocks
from pipeline.bank.recipe import BankRecipe
from pipeline.bank.results import REJECTED_FILE, BankBlocks
from pipeline.bank.write_bank import pack
from pipeline.engines.registry import check_verifier, engine_version
from pipeline.job.commits import delete_block_leftovers, finished_blocks
from pipeline.job.directory import WORK, Cut, JobDirectory, Parts
from pipeline.job.libraries import library_versions
from pipeline.job.listener import Listener
from pipeline.job.repair import repairing
from pipeline.job.runner.tasks import Runner
from voicebank.tables import CARD_FILE, SPEAKERS_FILE, read_card

CLIPS = "clips"
BUILT = "built"
SCRATCH = "listing"
OWN_NAMES = (WORK, SPEAKERS_FILE, REJECTED_FILE, CARD_FILE)

# These settings decide who is a speaker, and the vectors: both must be the same in the whole bank.
_FIXED = (
    "inputs",
    "options",
    "engines.encoder/",
    "engines.embedding/",
    "recipe.block_clips",
    "recipe.clips",
    "recipe.quality",
    "recipe.groups",
    "recipe.pair_rule",
    "recipe.embedding",
)


@dataclass(frozen=True)
class BankJob:
    """Describes a bank to build. `limit_groups`: use only this many groups of the corpus, the first by their ids."""

    recipe: BankRecipe
    corpus: RecordingCorpus
    limit_groups: int | None = None


def build_bank(
    job: BankJob, out: Place, runner: Runner, listener: Listener, accept_changes: bool = False
) -> dict[str, Any]:
    """Build the bank in `out` from the corpus, continuing an earlier run of the same job; return its card.

    Raises InputError for a corpus that cannot be read, EngineUnavailable, ResumeRefused for another job's directory,
    and UserError if no group became a speaker.
    """
    directory = JobDirectory(out, out / WORK, OWN_NAMES, "bank", TypeAdapter(Listing))
    parts = bank_parts(job)
    if not (out / CARD_FILE).exists():
        with directory.owned() as directory:
            if not (out / CARD_FILE).exists():  # a moment ago another process may have finished it
                directory.claim(parts, _FIXED, accept_changes)
                return _build(job, directory, parts, runner, listener)
    directory.check_finished(parts)
    return read_card(out)


def _build(job: BankJob, directory: JobDirectory, parts: Parts, runner: Runner, listener: Listener) -> dict[str, Any]:
    """Run the steps, and make damaged blocks again."""
    clips, built = directory.work / CLIPS, directory.work / BUILT

    def cut() -> Cut:
        return _list(job, directory, listener)

    def make() -> dict[str, Any]:
        try:
            listing = Listing(**directory.cut_once(clips, cut))
            _run_blocks(job, directory, listing, runner, listener)
        finally:
            runner.close()
        directory.check_owner()
        return pack(directory.out, built, listing, job.recipe, parts)

    return repairing(make, clips, [built], lambda: directory.cut_again(clips, cut), listener)


def bank_parts(job: BankJob) -> Parts:
    """Return everything that decides the content of the bank; raises EngineUnavailable for a missing engine."""
    recipe = job.recipe
    check_verifier(recipe.pair_rule.encoder, recipe.models)
    engines = {
        f"{role}/{name}": engine_version(kind, name, recipe.models) for role, (kind, name) in recipe.engines.items()
    }
    return {
        "parley": version("parley"),
        "libraries": library_versions(),
        "recipe": recipe.content(),
        "engines": engines,
        "inputs": job.corpus.identity(),
        "options": {"limit_groups": job.limit_groups},
    }


def _list(job: BankJob, directory: JobDirectory, listener: Listener) -> Cut:
    """List the corpus in blocks of clips."""
    work, recipe = directory.work, job.recipe
    listing, hashes = list_blocks(
        job.corpus.clips(),
        work / CLIPS,
        work / SCRATCH,
        recipe.block_clips,
        recipe.quality.scale,
        job.limit_groups,
        listener.ingested,
    )
    return Cut(asdict(listing), hashes)


def _run_blocks(job: BankJob, directory: JobDirectory, listing: Listing, runner: Runner, listener: Listener) -> None:
    raw = job.recipe.has_raw_embeddings
    blocks = BankBlocks(directory.work / CLIPS, directory.work / BUILT, raw)
    delete_block_leftovers(blocks.target)
    done = finished_blocks(blocks.target)
    clips, speakers = (sum(counts[name] for counts in done.values()) for name in ("clips", "speakers"))
    listener.started(listing.clips, clips, speakers)
    todo = {block: job.recipe.block_clips for block in range(listing.blocks) if block not in done}
    corpus = job.corpus
    order = BuildOrder(job.recipe, corpus.place, corpus.dataset, corpus.license, _roles(job, listing), raw=raw)
    directory.run(todo, blocks, [BuildPlan(order)], runner, listener)


def _roles(job: BankJob, listing: Listing) -> tuple[str, ...]:
    """Return the roles of the engines that workers need: nothing is predicted that the corpus tells of every clip."""
    idle = set()
    if not listing.without_score:
        idle.add("quality")
    if not listing.without_gender:
        idle.add("gender")
    return tuple(role for role in job.recipe.engines if role not in idle)
