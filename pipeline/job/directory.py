"""The directory of a job: whose it is, what it is made of, and what is done.

::

    WORK/job.json        what the job is made of; a later run with other parts is refused
    WORK/input.json      written when the whole input is cut into blocks
    WORK/log.jsonl       one line for each finished block, in the order in which they finished

Corpora and banks keep them in `OUT/work`, beside what the job makes; a stage that is run alone keeps them in `OUT`.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from manifests.errors import ResumeRefused, UserError
from manifests.storage import Place
from pipeline.job.blocks import read_json
from pipeline.job.listener import Listener
from pipeline.job.runner.tasks import BlockWork, Runner, WorkerPlan

JOB = "job.json"
INPUT = "input.json"
LOG = "log.jsonl"
WORK = "work"

Parts = dict[str, Any]
"""What a job is made of, JSON-ready: recipe, seed, engines, prompts, voices, inputs."""

_NAMED = 8


@dataclass(frozen=True)
class JobDirectory:
    """`out` is what the user named, `work` where the files above are. `own` are the names that the job may put into
    `out`; `product` is what it makes, for messages."""

    out: Place
    work: Place
    own: Collection[str]
    product: str = "corpus"

    @property
    def parts(self) -> Parts:
        """What the job that works here is made of. Raises CorpusError."""
        return read_json(self.work / JOB)

    @property
    def counts(self) -> dict[str, Any]:
        """What `cut_once` wrote. Raises CorpusError."""
        return read_json(self.work / INPUT)

    def claim(self, parts: Parts, fixed: Sequence[str] = (), accept_changes: bool = False) -> None:
        """Make the directory this job's, or make sure that it is, and remove what a killed writer left half done.

        Raises ResumeRefused, naming what differs. What begins with one of `fixed` may never differ, the rest only
        with `accept_changes`.
        """
        place = self.work / JOB
        refuse_foreign(self.out, place, self.own)
        changed = list(differences(read_json(place), parts)) if place.exists() else []
        if never := [name for name in changed if name.startswith(tuple(fixed))]:
            raise ResumeRefused(f"this directory holds the work of another job; changed: {_named(never)}")
        if changed and not accept_changes:
            raise ResumeRefused(
                f"this directory holds the work of another job; changed: {_named(changed)}. "
                "Take another --out, or --accept-changes to go on with the blocks that are left"
            )
        if changed or not place.exists():
            place.write_text(json.dumps(parts, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        for directory in (self.out, self.work):
            directory.delete_leftovers()

    def check_finished(self, parts: Parts) -> None:
        """Raise ResumeRefused unless what is finished here is this job's."""
        if not (self.work / JOB).exists():
            place = f"{self.work.name}/{JOB}"
            raise ResumeRefused(
                f"--out holds a finished {self.product}, and without {place} nobody can tell whose it is"
            )
        if changed := list(differences(self.parts, parts)):
            raise ResumeRefused(f"--out holds the finished {self.product} of another job; changed: {_named(changed)}")

    def cut_once(self, blocks: Place, cut: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Have the input cut into `blocks`, unless that is done; what `cut` says of it, from `input.json`.

        A cut that was interrupted begins again; it is quick, and nothing was built on it yet.
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
        # Closed before the runner is: its workers must be let go while Ray still runs.
        with closing(runner.run(blocks, work, pools, listener)) as reports:
            for report in reports:
                self._log(report)
                listener.finished(report)

    def _log(self, report: Any) -> None:
        """An object store cannot append: there, the commits beside the blocks are the log."""
        if self.work.is_local:
            with Path(self.work.path, LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(report), sort_keys=True) + "\n")


def refuse_foreign(out: Place, mark: Place, own: Collection[str]) -> None:
    """Raise ResumeRefused where `out` holds something else. Only where `mark` is may the names `own` stand."""
    if out.is_file():
        raise UserError("--out is a file, not a directory")
    may_stand = own if mark.exists() else ()
    if foreign := sorted(place.name for place in out.list() if place.name not in may_stand):
        raise ResumeRefused(f"--out is not empty: it holds {', '.join(foreign[:5])}")


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """The dotted names of the values that differ."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after and json.loads(json.dumps(after)) != before:
        yield path


def _named(changed: Sequence[str]) -> str:
    return ", ".join(changed[:_NAMED])
