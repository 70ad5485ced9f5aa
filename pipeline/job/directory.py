"""Manages the directory of a job: its owner, its parts and its progress.

::

    WORK/lock            held by the process that works here, see `pipeline.job.lock`
    WORK/job.json        the parts of the job; a later run with other parts is refused
    WORK/input.json      written when the whole input is cut into blocks
    WORK/log.jsonl       one line for each finished block, in the order in which they finished, and one for each pass:
                         where the time of its pools went; only a report

Corpora and banks keep them in `OUT/work`, beside the job's product; a stage that is run alone keeps them in `OUT`.
"""

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import NonNegativeInt, PositiveInt, TypeAdapter

from manifests.errors import ResumeRefused, UserError
from manifests.storage import Place
from pipeline.job.blocks import check_shape, read_json
from pipeline.job.commits import has_hashes, write_hashes
from pipeline.job.listener import Listener, Profiled
from pipeline.job.lock import Owner, hold, is_of_lock
from pipeline.job.profile import PoolTime
from pipeline.job.runner.tasks import BlockWork, Runner, WorkerPlan

JOB = "job.json"
INPUT = "input.json"
LOG = "log.jsonl"
WORK = "work"
CHECKED = "servers.json"
"""Which speech servers were found obedient, by the hash of what was asked."""


@dataclass(frozen=True)
class _Counts:
    """What `ingest` writes into `input.json`."""

    rows: NonNegativeInt
    blocks: NonNegativeInt
    block_rows: PositiveInt
    rows_of: dict[str, NonNegativeInt]
    recipe: str
    sha256: str

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
_NOT_LOGGED = ("ends", "sizes")
"""Of a block's report: as long as the block, and in its commit anyway."""


@dataclass(frozen=True)
class Cut:
    """Describes an input that is cut into blocks: what `input.json` says of it, and the hash of each block's file."""

    counts: Mapping[str, Any]
    hashes: Sequence[str]


@dataclass(frozen=True)
class JobDirectory:
    """Manages `out`, the directory that the user named, and `work`, with the files above. `own` are the names that the
    job may put into `out`, None: any; `product` names its result in messages; `counts_shape` is that of `input.json`;
    `owner` is this process, in `owned`."""

    out: Place
    work: Place
    own: Collection[str] | None
    product: str = "corpus"
    counts_shape: TypeAdapter[Any] = COUNTS
    owner: Owner | None = None

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

    @contextmanager
    def owned(self, mark: Place | None = None) -> Iterator["JobDirectory"]:
        """Keep every other job out during the block. Raises ResumeRefused for a directory that is foreign or in use.

        `mark`: the file that makes the directory this job's; default: `job.json`.
        """
        self.refuse_foreign(mark or self.work / JOB)
        with hold(self.work) as owner:
            yield replace(self, owner=owner)

    def refuse_foreign(self, mark: Place) -> None:
        """Raise ResumeRefused if `out` holds foreign files. The names `own` are allowed only if `mark` exists.

        A killed job that had not written `mark` yet leaves only its lock, which is nobody's.
        """
        if self.out.is_file():
            raise UserError("--out is a file, not a directory")
        refuse_links(self.out)
        refuse_links(self.work, deep=True)
        there = [place for place in self.out.list() if not self._is_lock(place)]
        if mark.exists():
            there = [] if self.own is None else [place for place in there if place.name not in self.own]
        foreign = [place.name for place in there]
        if foreign:
            raise ResumeRefused(f"--out is not empty: it holds {', '.join(foreign[:5])}; choose another directory")

    def _is_lock(self, place: Place) -> bool:
        """Tell whether the file or directory is a lock, or `work` with nothing else in it."""
        if place.path == self.work.path:
            return not place.is_file() and all(map(is_of_lock, place.list()))
        return self.out.path == self.work.path and is_of_lock(place)

    def check_owner(self) -> None:
        """Raise ResumeRefused if another job has taken the directory over."""
        if self.owner:
            self.owner.check()

    def claim(self, parts: Parts, fixed: Sequence[str] = (), accept_changes: bool = False) -> None:
        """Claim the directory for this job, or check that it is this job's, and remove leftovers of a killed writer.

        Raises ResumeRefused, which names the differences. Parts that begin with one of `fixed` may never differ, the
        others only with `accept_changes`.
        """
        place = self.work / JOB
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
        if self.work.is_local:
            end_torn_line(Path(self.work.path, LOG))

    def check_finished(self, parts: Parts) -> None:
        """Raise ResumeRefused unless the finished product here is this job's."""
        self.out.delete_leftovers()
        if not (self.work / JOB).exists():
            place = f"{self.work.name}/{JOB}"
            raise ResumeRefused(
                f"--out holds a finished {self.product}, but its job is unknown without {place}: take another --out"
            )
        if changed := list(differences(self.parts, parts)):
            raise ResumeRefused(f"--out holds the finished {self.product} of another job; changed: {_named(changed)}")

    def cut_once(self, blocks: Place, cut: Callable[[], Cut]) -> dict[str, Any]:
        """Have the input cut into `blocks`, unless an earlier run has; return the counts, from `input.json`.

        An interrupted cut begins again; it is quick, and nothing was built on it yet.
        """
        place = self.work / INPUT
        if not place.exists():
            blocks.delete()
            made = cut()
            write_hashes(blocks, made.hashes)
            place.write_text(json.dumps(dict(made.counts), indent=2, sort_keys=True) + "\n")
        elif not has_hashes(blocks):
            self.cut_again(blocks, cut)
        return self.counts

    def cut_again(self, blocks: Place, cut: Callable[[], Cut]) -> None:
        """Have damaged blocks of the input cut again; raises ResumeRefused if they come out as others.

        The list of hashes comes last, so that blocks of a changed input are never taken for those of this job.
        """
        before = self.counts
        blocks.delete()
        made = cut()
        if dict(made.counts) != before:
            raise ResumeRefused(
                f"blocks of the input in {blocks.name} are lost, and the input has changed: take another --out"
            )
        write_hashes(blocks, made.hashes)

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
        with closing(runner.run(blocks, work, pools, Profiled(listener, self._log_profile))) as reports:
            for report in reports:
                self._log(report)
                listener.finished(report)
                self.check_owner()

    def _log_profile(self, times: Mapping[str, PoolTime]) -> None:
        self._append({"pools": {name: asdict(spent) for name, spent in times.items()}})

    def _log(self, report: Any) -> None:
        self._append({name: value for name, value in asdict(report).items() if name not in _NOT_LOGGED})

    def _append(self, line: Mapping[str, Any]) -> None:
        """Append a line to the log; an object store cannot append, so there the commits are the log."""
        if self.work.is_local:
            with Path(self.work.path, LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, sort_keys=True) + "\n")


def end_torn_line(path: Path) -> None:
    """End a line that a killed process wrote in part, so that the next one is a line of its own."""
    if not path.is_file() or not path.stat().st_size:
        return
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")


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
