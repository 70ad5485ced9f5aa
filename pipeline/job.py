"""A job: its directory, what identifies it, and the passes from the input to the corpus.

::

    OUT/work/job.json        what the job is made of; a later run with other parts is refused
    OUT/work/input.json      written when the whole input is cut into units
    OUT/work/round-0/        the units as ingested
    OUT/work/round-1/        after the first attempt: all rows
    OUT/work/round-2/ ...    after each further attempt: the rows that took it
    OUT/work/log.jsonl       one line for each finished unit, in the order in which they finished
    OUT/manifest.json ...    the corpus, see `pipeline.pack`
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from manifests.errors import ResumeRefused
from manifests.schema import SCHEMA_VERSION
from manifests.storage import Place
from pipeline.engines.table import engine_version
from pipeline.ingest import IngestOptions, InputFile, ingest
from pipeline.prompts import prompt_digest
from pipeline.recipe import SPEECH_STAGES, STAGES, TEXT_STAGES, Recipe, digest
from pipeline.runner.tasks import Runner, UnitPass, plan_pools
from pipeline.scoring.normalize import normalizer_version
from pipeline.units import UnitReport, finished_units, read_json, unit_size
from pipeline.worker import engines_of
from voicebank.bank import load_bank

JOB = "job.json"
INPUT = "input.json"

# What a started job cannot change: its units are cut already, and the rounds of its ladder are on disk.
_FIXED = ("inputs", "options", "recipe.unit_rows", "recipe.exchanges", "recipe.languages", "recipe.gate.ladder")

Parts = dict[str, Any]
"""What a job is made of: recipe, seed, engines, prompts, voices, normalisers, inputs."""


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
        """So many further rows are cut into units."""

    def started(self, total: int, settled: int) -> None:
        """The work begins: `total` rows, of which earlier runs have settled `settled`."""

    def finished(self, report: UnitReport) -> None:
        """A unit is committed."""


def job_parts(job: Job, stages: Sequence[str] = STAGES) -> Parts:
    """All that decides what the job makes. Raises EngineUnavailable for an engine of `stages` that is not here."""
    recipe = job.recipe
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
    return {
        "engines": {f"{kind}/{name}": engine_version(kind, name) for kind, name in engines_of(recipe, stages)},
        "prompts": {stage: _prompt(recipe, stage) for stage in TEXT_STAGES if stage in stages},
    }


def _prompt(recipe: Recipe, stage: str) -> str:
    """Name and hash of the wording that the stage's engine uses, as it stands in every row's provenance."""
    task = f"{getattr(recipe, stage).engine}-{stage}"
    return f"{task}@{prompt_digest([task], recipe.languages)[:16]}"


def claim(work: Place, parts: Parts, accept_changes: bool = False) -> None:
    """Make the directory this job's, or make sure that it is. Raises ResumeRefused, naming what differs."""
    place = work / JOB
    if place.exists():
        changed = list(differences(read_json(place), parts))
        if fixed := [name for name in changed if name.startswith(_FIXED)]:
            raise ResumeRefused(f"this directory holds the work of another job; changed: {', '.join(fixed[:8])}")
        if changed and not accept_changes:
            raise ResumeRefused(
                f"this directory holds the work of another job; changed: {', '.join(changed[:8])}. "
                "Take another --out, or --accept-changes to go on with the units that are left"
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


def ingest_once(job: Job, work: Place, units: Place, listener: Listener) -> dict[str, Any]:
    """Cut the input into units, unless that is done; what `input.json` holds."""
    place = work / INPUT
    if not place.exists():
        units.delete()  # an ingest that was cut off begins again; it is quick, and nothing was built on it yet
        counts = ingest(job.files, job.options, job.recipe, job.recipe_digest, units, listener.ingested)
        place.write_text(json.dumps(counts, indent=2, sort_keys=True) + "\n")
    return read_json(place)


def run_rounds(job: Job, runner: Runner, work: Place, prompts: Mapping[str, str], listener: Listener) -> list[Place]:
    """All stages up to gate, with as many attempts as the recipe has; the directories of the rounds, in order."""
    log = _log_to(work)
    counts = ingest_once(job, work, work / "round-0", listener)
    listener.started(counts["rows"], _settled(work, counts, job.recipe.gate.attempts))
    rounds = []
    waiting = list(range(counts["units"]))
    for attempt in range(1, job.recipe.gate.attempts + 1):
        unit_pass = UnitPass(work / f"round-{attempt - 1}", work / f"round-{attempt}", only_live=attempt > 1)
        unit_pass.target.delete_leftovers()
        finished = finished_units(unit_pass.target)
        plans = plan_pools(job.recipe, job.seed, STAGES if attempt == 1 else SPEECH_STAGES, prompts)
        for report in runner.run([unit for unit in waiting if unit not in finished], unit_pass, plans):
            log(report)
            listener.finished(report)
        finished = finished_units(unit_pass.target)
        rounds.append(unit_pass.target)
        waiting = [unit for unit in waiting if finished[unit]]
    return rounds


def _settled(work: Place, counts: Mapping[str, int], attempts: int) -> int:
    """Rows that earlier runs have settled, told from the names of the commits alone."""
    settled = 0
    live_of: dict[int, int] = {}
    for attempt in range(1, attempts + 1):
        for unit, live in finished_units(work / f"round-{attempt}").items():
            settled += live_of.get(unit, unit_size(counts, unit)) - live
            live_of[unit] = live
    return settled


def _log_to(work: Place) -> Callable[[UnitReport], None]:
    """Appends to log.jsonl; on an object store, which cannot append, the commits beside the units are the log."""
    if not work.is_local:
        return lambda _: None
    path = Path(work.path) / "log.jsonl"

    def log(report: UnitReport) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(report), sort_keys=True) + "\n")

    return log
