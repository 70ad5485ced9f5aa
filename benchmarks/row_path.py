"""How far a reader jumps: the files and functions that one row passes in a stage that asks a language model.

    python benchmarks/row_path.py [--stage rewrite|screen|respond]

A worker of `ke-speechchat` asks a server on this machine. Its first row warms the caches (templates, patterns), the
second one is traced, in all threads. Counted are Parley's own functions that have a name; lambdas and comprehensions
are read where they stand. What cleans and judges texts is told apart from the machinery: every check is a function
more, but none of them makes the way harder to follow.
"""

import argparse
import os
import sys
import threading
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Any

from manifests.schema import Dialogue, Source, Turn
from pipeline.job.worker import Worker, WorkOrder
from pipeline.recipes.load import load_recipe
from tests.servers.scripted import ScriptedServer

ROOT = Path(__file__).resolve().parent.parent
OURS = ("manifests/", "voicebank/", "prompts/", "pipeline/")
CHECKS = ("pipeline/text/", "pipeline/engines/text/rules/")
MODELS = ("rewriter", "safety", "responder")
STAGES = ("rewrite", "screen", "respond")
QUESTIONS = ("Describe the history of bread in detail.", "Describe the history of rivers in detail.")


class Trace:
    """The names of the functions that are called while `on`, by file, both in the order of their first call."""

    def __init__(self) -> None:
        self.on = False
        self.functions: dict[str, list[str]] = defaultdict(list)

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if not self.on or event != "call" or code.co_name.startswith("<"):
            return
        path = Path(code.co_filename)
        file = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
        if file.startswith(OURS) and code.co_qualname not in self.functions[file]:
            self.functions[file].append(code.co_qualname)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=STAGES, default=STAGES[0])
    stage = parser.parse_args().stage
    trace = Trace()
    threading.setprofile(trace)  # for the threads that a worker starts
    with ScriptedServer() as server:
        trace_row(stage, server.url, trace)
    for title, wanted in (("machinery", False), ("cleaning and judging texts", True)):
        found = {file: names for file, names in trace.functions.items() if file.startswith(CHECKS) == wanted}
        print(f"{title}: {len(found)} files, {sum(map(len, found.values()))} functions")
        for file, names in found.items():
            print(f"  {len(names):2} {file}: {', '.join(names)}")


def trace_row(stage: str, url: str, trace: Trace) -> None:
    """Take two rows through the stages up to this one; trace the second in this one alone."""
    os.environ.setdefault("OPENAI_API_KEY", "none")
    settings = {"model": "scripted", "serving.base_url": url}
    overrides = [f"models.{name}.{key}={value}" for name in MODELS for key, value in settings.items()]
    recipe = load_recipe("ke-speechchat", overrides)
    earlier = Worker(WorkOrder(recipe, 0, STAGES[: STAGES.index(stage)], {}))
    traced = Worker(WorkOrder(recipe, 0, (stage,), {}))
    try:
        for number, question in enumerate(QUESTIONS):
            turns = (Turn("user", question), Turn("agent", "It is long."))
            rows, _ = earlier.run([Dialogue(f"row-{number}", "en", Source("benchmark", str(number)), turns)])
            trace.on = number > 0
            sys.setprofile(trace)
            rows, _ = traced.run(rows)
            sys.setprofile(None)
            trace.on = False
            if rows[0].status != "live":
                sys.exit(f"the row did not come through {stage}: {rows[0].reason} {rows[0].detail}")
    finally:
        earlier.close()
        traced.close()


if __name__ == "__main__":
    main()
