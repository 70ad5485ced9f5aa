"""What a row costs beside its engines and rules: CPU time by part, and the ratio to the same calls in a bare loop.

    python benchmarks/row_cost.py [--rows 1000 10000] [--kind text spoken]

The in-process runner does a whole job in this process: `text` rows pass the rules alone (rewrite, screen, respond),
`spoken` ones the tone engines too. Timers around Parley's own parts count each part without the parts in it, in CPU
seconds of this process. The bare loop calls the stages' functions on all rows at once: engines, rules and the coding
of clips, without laws, blocks or files. The cost beside the engines is everything but engines, rules and coding.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.tone_rows import write_rows
from manifests.schema import Dialogue
from manifests.storage import open_place
from pipeline.audio import samples as encoding
from pipeline.job import blocks, ingest, job, run, worker
from pipeline.job.ingest import IngestOptions
from pipeline.job.inputs import open_inputs
from pipeline.job.listener import Listener
from pipeline.job.runner import tasks
from pipeline.job.runner.local import LocalRunner
from pipeline.job.worker import Worker, WorkOrder
from pipeline.recipe import Recipe
from pipeline.recipes.load import parse_recipe
from pipeline.settings import Section
from pipeline.stages import _takes
from pipeline.stages.contract import Context, Stage
from pipeline.stages.registry import STAGES, find_stage

ENGINE_VERBS = ("generate", "synthesize", "embed", "detect", "transcribe")
BESIDE = ("ingest", "laws and provenance", "blocks written", "blocks read", "pack", "everything else")
GOALS_US = {"text": 80.0, "spoken": 300.0}
BARE = ("engines", "rules", "coding clips")
PARTS: dict[str, list[tuple[Any, str]]] = {
    "ingest": [(job, "ingest")],
    "blocks written": [(ingest, "write_block"), (tasks, "commit_block")],
    "blocks read": [(tasks, "read_block")],
    "pack": [(run, "pack")],
    "laws and provenance": [(worker, "run_stage")],
    "coding clips": [(_takes, "decode"), (encoding, "encoded")],
}
WATCHED = [*(place for places in PARTS.values() for place in places), (worker, "load_engine")]
TONES = ("cast", "synthesize", "render", "watermark", "transcribe", "gate")


class Clock:
    """Adds up CPU seconds by part; while a part runs inside another, only the inner one counts."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._running = ["everything else"]
        self._since = time.process_time()

    def switch(self) -> None:
        now = time.process_time()
        self.spent[self._running[-1]] += now - self._since
        self._since = now

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.switch()
            self._running.append(part)
            try:
                return function(*given, **named)
            finally:
                self.switch()
                self._running.pop()

        return call

    def watch(self, part: str, *places: tuple[Any, str]) -> None:
        for owner, name in places:
            setattr(owner, name, self.timed(part, getattr(owner, name)))


def keep(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [replace(dialogue, status="kept") for dialogue in dialogues]


def recipe_of(kind: str) -> Recipe:
    """The stages by rules, and behind them the tone engines, or a stage that keeps all rows."""
    STAGES.added[None, "keep"] = Stage(
        "keep", "keeps every row", Section, keep, reads=frozenset(), writes=frozenset({"status"})
    )
    stages: list[dict[str, Any]] = [{name: {"engine": "rules"}} for name in ("rewrite", "screen", "respond")]
    own: dict[str, dict[str, Any]] = {
        "cast": {"bank": "tone"},
        "synthesize": {"engine": "tone"},
        "watermark": {"engine": "tone-mark"},
        "transcribe": {"engine": "tone"},
        "gate": {
            f"{script}_speed": {"slowest": 1, "fastest": 1000, "pause_s": 2} for script in ("spaced", "unspaced")
        },
    }
    stages += [{"keep": {}}] if kind == "text" else [{name: own.get(name, {})} for name in TONES]
    names = [name for stage in stages for name in stage]
    return parse_recipe(
        {
            "name": f"{kind}-rows",
            "description": "rows for a benchmark",
            "languages": ["en"],
            "block_rows": 64,
            "stages": stages,
            "pack": {"clips": False},
            "pools": {"all": {"stages": names}},
        },
        kind,
    )


def watched_engine(load: Callable[..., Any], clock: Clock) -> Callable[..., Any]:
    def loaded(*given: Any) -> Any:
        engine = load(*given)
        for verb in ENGINE_VERBS:
            if hasattr(engine, verb):
                setattr(engine, verb, clock.timed("engines", getattr(engine, verb)))
        return engine

    return loaded


def job_of(recipe: Recipe, source: Path) -> job.Job:
    return job.Job(recipe, 0, open_inputs([str(source)]), IngestOptions("en"))


def bare_s(recipe: Recipe, source: Path, scratch: Path) -> float:
    """CPU seconds of the stages' functions alone, one after the other, on all rows."""
    made = run.ingest_job(job_of(recipe, source), open_place(scratch / "bare"), Listener())
    place = open_place(scratch / "bare" / run.BLOCKS)
    rows = [row for block in range(made.blocks) for row in blocks.read_block(place, block)]
    ready = Worker(WorkOrder(recipe, 0, tuple(recipe.stages), {}))
    begun = time.process_time()
    for name in recipe.stages:
        done = find_stage(name).apply([row for row in rows if row.status == "live"], ready._context)
        rows = list(done)
    return time.process_time() - begun


def measure(kind: str, count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch, recipe = Path(name), recipe_of(kind)
        source = scratch / "rows.jsonl"
        write_rows(source, count)
        bare = bare_s(recipe, source, scratch)
        clock, before = Clock(), dict(STAGES.added)
        kept = [(owner, attribute, getattr(owner, attribute)) for owner, attribute in WATCHED]
        for part, places in PARTS.items():
            clock.watch(part, *places)
        worker.load_engine = watched_engine(worker.load_engine, clock)
        for stage in map(find_stage, recipe.stages):
            STAGES.added[None, stage.name] = replace(stage, apply=clock.timed("rules", stage.apply))
        started = time.process_time()
        try:
            run.run_job(job_of(recipe, source), open_place(scratch / "job"), LocalRunner(), Listener())
        finally:
            clock.switch()
            for owner, attribute, value in kept:
                setattr(owner, attribute, value)
            STAGES.added.clear()
            STAGES.added.update(before)
        report(kind, count, clock.spent, time.process_time() - started, bare)


def report(kind: str, count: int, spent: dict[str, float], whole: float, bare: float) -> None:
    each = {part: seconds / count * 1e6 for part, seconds in spent.items()}
    us = [seconds / count * 1e6 for seconds in (whole, bare)]
    print(f"{kind}, {count} rows: {whole / bare:.2f} times the bare loop ({us[0]:.0f} and {us[1]:.0f})")
    for part in (*BESIDE, *BARE):
        print(f"  {part:20} {each.get(part, 0.0):8.1f}")
    beside = sum(each.get(part, 0.0) for part in BESIDE)
    print(f"  beside engines, rules and coding: {beside:.0f}; the goal is {GOALS_US[kind]:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--kind", choices=list(GOALS_US), nargs="+", default=list(GOALS_US))
    arguments = parser.parse_args()
    print("microseconds of CPU for a row")
    for kind in arguments.kind:
        for count in arguments.rows:
            measure(kind, count)


if __name__ == "__main__":
    main()
