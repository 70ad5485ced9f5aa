"""Manages the directory of a job: its owner, its parts and its progress.

::

    WORK/job.json        the parts of the job; a later run with other parts is refused
    WORK/input.json      written when the whole input is cut into blocks
    WORK/log.jsonl       one line for each finished block, in the order in which they finished

Corpora and banks keep them in `OUT/work`, beside the job's product; a stage that is run alone keeps them in `OUT`.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import NonNegativeInt, PositiveInt, TypeAdapter

from manifests.errors import ResumeRefused, UserError
from manifests.storage import Place
from pipeline.job.blocks import check_shape, read_json
from pipeline.job.listener import Listener
from pipeline.job.runner.tasks import BlockWork, Runner, WorkerPlan

JOB = "job.json"
INPUT = "input.json"
LOG = "log.jsonl"
WORK = "work"


@dataclass(frozen=True)
class _Counts:
    """What `ingest` writes into `input.json`."""

    rows: NonNegativeInt
    blocks: NonNegativeInt
    block_rows: PositiveInt
    rows_of: dict[str, NonNegativeInt]

    def __post_init__(self) -> None:
        if self.rows != sum(self.rows_of.values()) or self.blocks != -(-self.rows // self.block_rows):
            raise ValueError("its numbers contradict each other")


@dataclass(frozen=True)
class _Input:
    dataset: str
    format: str
    license: str | None


@dataclass(frozen=True)
class _CorpusParts:
    """What later stages need of `job.json`."""

    seed: int
    recipe: dict[str, Any]
    inputs: list[_Input]
    engines: dict[str, str]
    resources: dict[str, str]
    prompts: dict[str, str]


COUNTS, CORPUS_PARTS = TypeAdapter(_Counts), TypeAdapter(_CorpusParts)

Parts = dict[str, Any]
"""Everything that decides a job's result, ready for JSON: recipe, seed, engines, prompts, voices, inputs."""

_NAMED = 8


@dataclass(frozen=True)
class JobDirectory:
    """Manages `out`, the directory that the user named, and `work`, with the files above. `own` are the names that the
    job may put into `out`; `product` names its result in messages; `counts_shape` is that of `input.json`."""

    out: Place
    work: Place
    own: Collection[str]
    product: str = "corpus"
    counts_shape: TypeAdapter[Any] = COUNTS

    @property
    def parts(self) -> Parts:
        """Read the parts of the job that works here; raises CorpusError."""
        return read_json(self.work / JOB)

    @property
    def counts(self) -> dict[str, Any]:
        """Read what `cut_once` wrote; raises CorpusError."""
        counts = read_json(self.work / INPUT)
        check_shape(counts, self.counts_shape, INPUT)
        return counts

    def claim(self, parts: Parts, fixed: Sequence[str] = (), accept_changes: bool = False) -> None:
        """Claim the directory for this job, or check that it is this job's, and remove leftovers of a killed writer.

        Raises ResumeRefused, which names the differences. Parts that begin with one of `fixed` may never differ, the
        others only with `accept_changes`.
        """
        place = self.work / JOB
        refuse_foreign(self.out, place, self.own)
        refuse_links(self.work, deep=True)
        changed = list(differences(read_json(place), parts)) if place.exists() else []
        if never := [name for name in changed if name.startswith(tuple(fixed))]:
            raise ResumeRefused(
                f"this directory holds the work of another job; changed: {_named(never)}. Take another --out"
            )
        if changed and not accept_changes:
            raise ResumeRefused(
                f"this directory holds the work of another job; changed: {_named(changed)}. "
                "Take another --out, or --accept-changes to continue with the remaining blocks"
            )
        if changed or not place.exists():
            place.write_text(json.dumps(parts, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        for directory in (self.out, self.work):
            directory.delete_leftovers()

    def check_finished(self, parts: Parts) -> None:
        """Raise ResumeRefused unless the finished product here is this job's."""
        if not (self.work / JOB).exists():
            place = f"{self.work.name}/{JOB}"
            raise ResumeRefused(
                f"--out holds a finished {self.product}, but its job is unknown without {place}: take another --out"
            )
        if changed := list(differences(self.parts, parts)):
            raise ResumeRefused(f"--out holds the finished {self.product} of another job; changed: {_named(changed)}")

    def cut_once(self, blocks: Place, cut: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Have the input cut into `blocks`, unless an earlier run has; return the result of `cut`, from `input.json`.

        An interrupted cut begins again; it is quick, and nothing was built on it yet.
        """
        if not (self.work / INPUT).exists():
            blocks.delete()
            (self.work / INPUT).write_text(json.dumps(cut(), indent=2, sort_keys=True) + "\n")
        return self.counts

    def run(
        self,
        blocks: Mapping[int, int],
        work: BlockWork[Any],
        pools: Sequence[WorkerPlan],
        runner: Runner,
        listener: Listener,
    ) -> None:
        """Run the blocks (number -> rows) through the pools, and log each when it is committed."""
        # Closed before the runner is: its workers must be released while Ray still runs.
        with closing(runner.run(blocks, work, pools, listener)) as reports:
            for report in reports:
                self._log(report)
                listener.finished(report)

    def _log(self, report: Any) -> None:
        """Append the report to the log; an object store cannot append, so there the commits are the log."""
        if self.work.is_local:
            with Path(self.work.path, LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(report), sort_keys=True) + "\n")


def refuse_foreign(out: Place, mark: Place, own: Collection[str]) -> None:
    """Raise ResumeRefused if `out` holds foreign files. The names `own` are allowed only if `mark` exists."""
    if out.is_file():
        raise UserError("--out is a file, not a directory")
    refuse_links(out)
    may_stand = own if mark.exists() else ()
    if foreign := sorted(place.name for place in out.list() if place.name not in may_stand):
        raise ResumeRefused(f"--out is not empty: it holds {', '.join(foreign[:5])}; choose another directory")


def refuse_links(place: Place, deep: bool = False) -> None:
    """Raise ResumeRefused for a symbolic link: a job writes and deletes inside its own directory only."""
    if links := place.links(deep):
        raise ResumeRefused(
            f"{place.name} holds the symbolic link {links[0]}, which may lead out of --out: put the files themselves "
            "there (--out itself may be a link)"
        )


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """Yield the dotted names of the values that differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after and json.loads(json.dumps(after)) != before:
        yield path


def _named(changed: Sequence[str]) -> str:
    return ", ".join(changed[:_NAMED])
