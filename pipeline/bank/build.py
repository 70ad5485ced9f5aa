"""Building a voice bank of real speakers: its directory, what identifies it, and its steps.

::

    OUT/work/job.json        what the bank is made of; a later run with other parts is refused
    OUT/work/input.json      written when the whole corpus is listed and cut into blocks
    OUT/work/clips/          the blocks of clips, see `pipeline.bank.listing`
    OUT/work/built/          the blocks that are done, see `pipeline.bank.results`
    OUT/work/log.jsonl       one line for each finished block, in the order in which they finished
    OUT/speakers.parquet ... the bank; card.json is written last
"""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from manifests.errors import ResumeRefused, UserError
from manifests.storage import Place
from pipeline.bank.corpus import Corpus
from pipeline.bank.filter_steps import BuildOrder, BuildWorker
from pipeline.bank.listing import Listing, list_blocks
from pipeline.bank.recipe import BankRecipe
from pipeline.bank.results import REJECTED_FILE, BankReport, finished_blocks
from pipeline.bank.write_bank import pack
from pipeline.engines.registry import engine_version
from pipeline.job.blocks import read_json
from pipeline.job.job import INPUT, JOB, LOG, claim, differences
from pipeline.job.runner.tasks import Runner, WorkPlan
from voicebank.tables import CARD_FILE, SPEAKERS_FILE, read_card

WORK = "work"
CLIPS = "clips"
BUILT = "built"
SCRATCH = "listing"
OWN_NAMES = (WORK, SPEAKERS_FILE, REJECTED_FILE, CARD_FILE)

# What decides who is a speaker, and the vectors themselves: a bank half of whose speakers were made another way is
# none. `claim` holds inputs and options in the same way.
_FIXED = (
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
    """`limit_groups`: only so many groups of the corpus, the first by their ids."""

    recipe: BankRecipe
    corpus: Corpus
    limit_groups: int | None = None


class BankListener:
    """Hears of a running build; the base class is deaf."""

    def listed(self, clips: int) -> None:
        """So many further clips of the corpus are listed."""

    def started(self, clips: int, settled: int, speakers: int) -> None:
        """The work begins: of `clips`, earlier runs have settled some and found `speakers` in them."""

    def finished(self, report: BankReport) -> None:
        """A block is committed."""


def build_bank(
    job: BankJob, out: Place, runner: Runner, listener: BankListener, accept_changes: bool = False
) -> dict[str, Any]:
    """From the corpus to the bank in `out`; continues whatever an earlier run of the same job left there. Its card.

    Raises InputError for a corpus that cannot be read, EngineUnavailable, ResumeRefused for another job's directory,
    UserError where no group became a speaker.
    """
    work = out / WORK
    parts = bank_parts(job)
    if (out / CARD_FILE).exists():
        return _finished(out, parts)
    _refuse_foreign(out)
    _claim(work, parts, accept_changes)
    for place in (out, work, work / BUILT):
        place.delete_leftovers()
    try:
        listing = _list_once(job, work, listener)
        _run_blocks(job, work, listing, runner, listener)
    finally:
        runner.close()
    return pack(out, work / BUILT, listing, job.recipe, parts)


def bank_parts(job: BankJob) -> dict[str, Any]:
    """All that decides what the bank is. Raises EngineUnavailable for an engine of the recipe that is not here."""
    recipe = job.recipe
    engines = {
        f"{role}/{name}": engine_version(kind, name, recipe.models) for role, (kind, name) in recipe.engines.items()
    }
    return {
        "parley": version("parley"),
        "recipe": recipe.content(),
        "engines": engines,
        "inputs": job.corpus.identity(),
        "options": {"limit_groups": job.limit_groups},
    }


def _finished(out: Place, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The card of a bank that is there, if it is this job's."""
    if not (out / WORK / JOB).exists():
        raise ResumeRefused(f"--out holds a finished bank, and without {WORK}/{JOB} nobody can tell whose it is")
    if changed := list(differences(read_json(out / WORK / JOB), parts)):
        raise ResumeRefused(f"--out holds the finished bank of another job; changed: {', '.join(changed[:8])}")
    return read_card(out)


def _refuse_foreign(out: Place) -> None:
    """Never write into a directory that holds something else."""
    if out.is_file():
        raise UserError("--out is a file, not a directory")
    may_stand = OWN_NAMES if (out / WORK / JOB).exists() else ()
    if foreign := sorted(place.name for place in out.list() if place.name not in may_stand):
        raise ResumeRefused(f"--out is not empty: it holds {', '.join(foreign[:5])}")


def _claim(work: Place, parts: Mapping[str, Any], accept_changes: bool) -> None:
    place = work / JOB
    if place.exists():
        changed = differences(read_json(place), parts)
        if fixed := [name for name in changed if name.startswith(_FIXED)]:
            raise ResumeRefused(f"this directory holds the work of another bank; changed: {', '.join(fixed[:8])}")
    claim(work, dict(parts), accept_changes)


def _list_once(job: BankJob, work: Place, listener: BankListener) -> Listing:
    """List the corpus, unless that is done."""
    place = work / INPUT
    if not place.exists():
        blocks = work / CLIPS
        blocks.delete()  # a listing that was cut off begins again; nothing was built on it yet
        recipe = job.recipe
        listing = list_blocks(
            job.corpus.clips(),
            blocks,
            work / SCRATCH,
            recipe.block_clips,
            recipe.quality.scale,
            job.limit_groups,
            listener.listed,
        )
        place.write_text(json.dumps(asdict(listing), indent=2, sort_keys=True) + "\n")
    return Listing(**read_json(place))


def _run_blocks(job: BankJob, work: Place, listing: Listing, runner: Runner, listener: BankListener) -> None:
    built, log = work / BUILT, _log_to(work)
    done = finished_blocks(built)
    listener.started(
        listing.clips, sum(block.clips for block in done.values()), sum(block.speakers for block in done.values())
    )
    todo = [block for block in range(listing.blocks) if block not in done]
    order = BuildOrder(
        job.recipe, job.corpus.place, job.corpus.dataset, job.corpus.license, work / CLIPS, built, _roles(job, listing)
    )
    plan = WorkPlan("the bank's pool", job.recipe.pool, partial(BuildWorker, order))
    if not todo:
        return
    # Closed before the runner is: its workers must be let go while Ray still runs.
    with closing(runner.work(todo, plan)) as reports:
        for report in reports:
            log(report)
            listener.finished(report)


def _roles(job: BankJob, listing: Listing) -> tuple[str, ...]:
    """The engines that workers need: what the corpus tells of every clip is not predicted."""
    idle = set()
    if not listing.without_score:
        idle.add("quality")
    if not listing.without_gender:
        idle.add("gender")
    return tuple(role for role in job.recipe.engines if role not in idle)


def _log_to(work: Place) -> Callable[[BankReport], None]:
    """Appends to log.jsonl; on an object store, which cannot append, the commits beside the blocks are the log."""
    if not work.is_local:
        return lambda _: None
    path = Path(work.path) / LOG

    def log(report: BankReport) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(report), sort_keys=True) + "\n")

    return log
