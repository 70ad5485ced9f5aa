"""What a language model makes of real rows: how often its first answer can be used, what it is asked again, what it
loses, and all of it written out for reading.

    python benchmarks/language_model.py --url http://127.0.0.1:8000/v1 --model NAME --out DIR \
        --input en=alpaca_en.json --input zh=alpaca_zh.json [--rows 100] [--every 5] [--recipes ke-speechchat ...]

Runs the stages before `cast` of each recipe on rows of each file (Alpaca's JSON array), in this process and with the
prompts and sampling of the recipe; only who answers is replaced. A recipe of one language takes the other language's
prompts along. Each pair of recipe and language is a process of its own, all at once with `--jobs 8`. Prints two
Markdown tables, and writes into DIR:

    NAME/LANGUAGE/rows.jsonl    what became of each row: its source, its turns as far as they came, status and reason
    NAME/LANGUAGE/tries.jsonl   each answer of the model: what was asked, at which try, what was wrong with it
    NAME/LANGUAGE/summary.json  the counts of the tables
"""

import argparse
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from manifests.schema import Dialogue
from manifests.storage import open_place
from pipeline.engines.contract import ChatReply, Complaint, TextRequest
from pipeline.engines.text._chat import generator, parse
from pipeline.engines.text._chat.template import Template
from pipeline.job.blocks import read_block
from pipeline.job.ingest import IngestOptions
from pipeline.job.inputs import open_inputs
from pipeline.job.job import Job
from pipeline.job.listener import Listener
from pipeline.job.run import BLOCKS, ingest_job, run_stage_directory
from pipeline.job.runner.local import LocalRunner
from pipeline.job.usage import add_tokens
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe
from pipeline.stages.registry import engines_of
from pipeline.text.lengths import text_length

RECIPES = ("ke-speechchat", "instructs2s", "instructs2s-multiturn", "voiceassistant")
NO_JSON = frozenset({"malformed", "cut_off"})
"""Complaints about an answer in which the JSON object that was asked for could not be found."""
GOOD = "good"
ROWS = (
    "recipe",
    "rows",
    "ready to be spoken",
    "the others",
    "exchanges",
    "length of question, answer",
    "tokens read, written",
    "s",
)
ANSWERS = (
    "recipe",
    "task",
    "asked",
    "JSON at first try",
    "good at first try",
    "wrong at first",
    "further tries",
    "mended by them",
)


@dataclass(frozen=True)
class Task:
    """One recipe on one file; `overrides` are those of the command line."""

    recipe: str
    language: str
    source: str
    url: str
    model: str
    rows: int
    every: int
    out: str
    overrides: tuple[str, ...]


class Tries:
    """Notes each answer of the model, with the verdict on it; stands in the place of `generator.read_reply`."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", buffering=1, encoding="utf-8")
        self._read = parse.read_reply
        self._asked: dict[int, tuple[TextRequest, int]] = {}  # holds the requests, so that no two have one id
        vars(generator)["read_reply"] = self

    def __call__(
        self, reply: ChatReply, template: Template, request: TextRequest, told: str
    ) -> dict[str, str] | Complaint:
        found = self._read(reply, template, request, told)
        number = self._asked.get(id(request), (request, 0))[1] + 1
        self._asked[id(request)] = (request, number)
        wrong = found if isinstance(found, Complaint) else None
        line = {
            "task": request.task,
            "form": request.form,
            "seed": request.seed,
            "try": number,
            "outcome": wrong.kind if wrong else GOOD,
            "detail": wrong.detail if wrong else "",
            "variables": dict(request.variables),
            "history": request.history,
            "text": reply.text,
            "finish": reply.finish,
        }
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return found


class Efforts(Listener):
    """Adds up what the stages cost."""

    def __init__(self) -> None:
        self.reports: list[Any] = []

    def finished(self, report: Any) -> None:
        self.reports.append(report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--input", required=True, action="append", metavar="LANGUAGE=FILE")
    parser.add_argument("--out", required=True)
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--every", type=int, default=5, help="take each so-manieth row of the file")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")
    told = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "none")
    same = (told.url, told.model, told.rows, told.every, told.out, tuple(told.overrides))
    files = [word.split("=", 1) for word in told.input]
    tasks = [Task(recipe, language, file, *same) for recipe in told.recipes for language, file in files]
    with ProcessPoolExecutor(told.jobs, max_tasks_per_child=1) as pool:
        for future in [pool.submit(run, task) for task in tasks]:
            if error := future.exception():
                print(error, file=sys.stderr)
    print_tables(Path(told.out))


def run(task: Task) -> None:
    """Run the text stages of a recipe; what they made is written after each of them."""
    folder = Path(task.out) / task.recipe / task.language
    folder.mkdir(parents=True, exist_ok=True)
    chosen = folder / f"{Path(task.source).stem}.json"
    rows = json.loads(Path(task.source).read_text(encoding="utf-8"))[:: task.every][: task.rows]
    chosen.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    recipe, stages = text_recipe(task)
    Tries(folder / "tries.jsonl")
    efforts = Efforts()
    started = time.perf_counter()
    job = Job(recipe, 1, open_inputs([str(chosen)]), IngestOptions(language=task.language))
    work = open_place(str(folder / "work"))
    ingest_job(job, work / "ingest", Listener())
    source = work / "ingest"
    for stage in stages:
        run_stage_directory(stage, recipe, source, work / stage, LocalRunner(), efforts)
        source = work / stage
        dialogues = read_block(source / BLOCKS, 0)
        write_rows(folder / "rows.jsonl", dialogues)
        write_summary(folder, task, dialogues, efforts, time.perf_counter() - started)


def text_recipe(task: Task) -> tuple[Recipe, list[str]]:
    """Return the recipe, asking the given server, and its stages before `cast`."""
    stages = list(load_recipe(task.recipe).stages)
    stages = stages[: stages.index("cast")]
    own = load_recipe(task.recipe)
    overrides = [] if task.language in own.languages else list(foreign(task.language))
    models = {name for kind, name in engines_of(own, stages) if kind == "text" and name in own.models}
    for name in sorted(models):
        settings = {"model": task.model, "serving.base_url": task.url, "serving.timeout_s": 3600}
        overrides += [f"models.{name}.{key}={value}" for key, value in settings.items()]
    overrides += [f"block_rows={task.rows}", *task.overrides]
    return load_recipe(task.recipe, overrides), stages


def foreign(language: str) -> tuple[str, ...]:
    """Return what a recipe must be told that was not written for this language."""
    return (f"languages=[{language}]", f"transcribe.engine={{{language}: listener}}", "texts.allow_latin=true")


def write_rows(path: Path, dialogues: Sequence[Dialogue]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in dialogues:
            first = row.turns[0]
            said = {
                "row": row.source.row,
                "status": row.status,
                "reason": row.reason,
                "detail": row.detail,
                "source": f"{first.original_text}\n{first.material or ''}".strip(),
                "turns": [[turn.role, turn.text] for turn in row.turns if turn.text],
            }
            file.write(json.dumps(said, ensure_ascii=False) + "\n")


def write_summary(folder: Path, task: Task, dialogues: Sequence[Dialogue], efforts: Efforts, seconds: float) -> None:
    tokens = add_tokens(report.tokens for report in efforts.reports)
    live = [row for row in dialogues if row.status == "live"]
    lengths: dict[str, list[int]] = defaultdict(list)
    for row in live:
        for turn in row.turns:
            lengths[turn.role].append(text_length(turn.text or "", task.language))
    summary = {
        "recipe": task.recipe,
        "language": task.language,
        "rows": len(dialogues),
        "ready": len(live),
        "ends": dict(Counter(f"{row.status}: {row.reason}" for row in dialogues if row.reason)),
        "exchanges": fmean(len(row.turns) / 2 for row in live) if live else 0,
        "length": {role: fmean(found) for role, found in lengths.items()},
        "read": sum(spent.prompt for spent in tokens.values()),
        "written": sum(spent.completion for spent in tokens.values()),
        "requests": sum(spent.requests for spent in tokens.values()),
        "seconds": seconds,
        "tasks": count_tries(folder / "tries.jsonl"),
    }
    (folder / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")


def count_tries(path: Path) -> dict[str, dict[str, Any]]:
    """Count the answers of each task of the model: at first try, and what the further tries were for."""
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    counts: dict[str, dict[str, Any]] = {}
    for task in dict.fromkeys(line["task"] for line in told):
        of_task = [line for line in told if line["task"] == task]
        first = [line for line in of_task if line["try"] == 1]
        again = [line for line in of_task if line["try"] > 1]
        counts[task] = {
            "asked": len(first),
            "json_at_first": sum(line["outcome"] not in NO_JSON for line in first),
            "good_at_first": sum(line["outcome"] == GOOD for line in first),
            "wrong_at_first": dict(Counter(line["outcome"] for line in first if line["outcome"] != GOOD)),
            "further_tries": len(again),
            "mended_by_them": sum(line["outcome"] == GOOD for line in again),
        }
    return counts


def print_tables(out: Path) -> None:
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*/*/summary.json"))]
    print(f"| {' | '.join(ROWS)} |\n{'|---' * len(ROWS)}|")
    for one in found:
        length = ", ".join(f"{one['length'].get(role, 0):.1f}" for role in ("user", "agent"))
        print(
            f"| {one['recipe']} {one['language']} | {one['rows']} | {one['ready']} | {listed(one['ends'])} "
            f"| {one['exchanges']:.1f} | {length} | {one['read']}, {one['written']} | {one['seconds']:.0f} |"
        )
    print(f"\n| {' | '.join(ANSWERS)} |\n{'|---' * len(ANSWERS)}|")
    for one in found:
        for task, c in one["tasks"].items():
            print(
                f"| {one['recipe']} {one['language']} | {task} | {c['asked']} | {share(c['json_at_first'], c)} "
                f"| {share(c['good_at_first'], c)} | {listed(c['wrong_at_first'])} | {c['further_tries']} "
                f"| {c['mended_by_them']} |"
            )


def share(number: int, counts: Mapping[str, Any]) -> str:
    return f"{number} ({number / counts['asked']:.0%})" if counts["asked"] else "0"


def listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items(), key=lambda pair: -pair[1])) or "-"


if __name__ == "__main__":
    main()
