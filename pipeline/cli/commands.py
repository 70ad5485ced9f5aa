"""What the commands do: build the job, run it, put the outcome into words."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from manifests.errors import EngineUnavailable, RecipeError
from manifests.manifest import Manifest
from manifests.reasons import Reason
from manifests.storage import Place, open_place
from manifests.validate import validate as validate_corpus
from pipeline import recipe_file
from pipeline.cli.progress import ProgressBar
from pipeline.cli.settings import setting_rows, settings_of
from pipeline.engines.registry import ENGINES, engine_version
from pipeline.job import run as running
from pipeline.job.ingest import IngestOptions, open_inputs
from pipeline.job.job import LOG, Job
from pipeline.job.runner.local import LocalRunner
from pipeline.job.runner.tasks import Runner
from pipeline.job.usage import describe, tokens_of_log
from pipeline.readers import FORMATS
from pipeline.recipe import Recipe, load_recipe, shipped_recipes

RECIPES = "pipeline.recipes"
DEMO_RECIPE = "ke-speechchat-offline"
DEMO_INPUTS = ("instructions_en.json", "instructions_zh.json")


def run(recipe: str, overrides: Sequence[str], out: str, options: Mapping[str, Any]) -> str:
    job = _job(load_recipe(recipe, overrides), options)
    return _run(job, out, options)


def demo(out: str, options: Mapping[str, Any]) -> str:
    samples = resources.files("pipeline.samples")
    inputs = [str(samples.joinpath(name)) for name in DEMO_INPUTS]
    job = Job(load_recipe(DEMO_RECIPE), 0, open_inputs(inputs, license="CC0-1.0"), IngestOptions())
    return _run(job, out, options)


def ingest(recipe: str, overrides: Sequence[str], out: str, options: Mapping[str, Any]) -> str:
    with ProgressBar() as progress:
        result = running.ingest_job(_job(load_recipe(recipe, overrides), options), open_place(out), progress)
    return f"{result.rows} rows in {result.blocks} blocks"


def stage(name: str, recipe: str, overrides: Sequence[str], source: str, out: str, options: Mapping[str, Any]) -> str:
    loaded = load_recipe(recipe, overrides)
    if name == "pack":
        return summary(running.pack_directory(loaded, open_place(source), open_place(out)), out)
    with ProgressBar() as progress:
        result = running.run_stage_directory(
            name, loaded, open_place(source), open_place(out), _runner(options), progress, _answers(options)
        )
    return f"{name}: {result.rows} rows in {result.blocks} blocks, {result.live} live"


def list_recipes() -> str:
    return "\n".join(f"{name}\t{load_recipe(name).description}" for name in shipped_recipes())


def show_recipe(name: str) -> str:
    """The text of the recipe's file, comments included."""
    return recipe_file.text_of(name, RECIPES, "recipe")


def list_formats() -> str:
    return "\n".join(f"{name}\t{entry.about}" for name, entry in FORMATS.items())


def show_format(name: str) -> str:
    """What the format is, the keys by which its rows are known, and an example row as JSON."""
    if name not in FORMATS:
        raise RecipeError(f"no format {name!r}; there are: {', '.join(FORMATS)}")
    entry = FORMATS[name]
    example = json.dumps(entry.example, ensure_ascii=False)
    return f"about\t{entry.about}\nkeys\t{', '.join(sorted(entry.keys))}\nexample\t{example}"


def list_engines() -> str:
    """A line for each engine: kind, name, version or what is missing."""
    return "\n".join(f"{kind}\t{name}\t{_state(kind, name)}\t{e.about}" for (kind, name), e in ENGINES.items())


def show_engine(name: str) -> str:
    """What each engine of that name is, its version or what is missing, and the settings that it takes."""
    found = [(kind, entry) for (kind, known), entry in ENGINES.items() if known == name]
    if not found:
        raise RecipeError(f"no engine {name!r}; there are: {', '.join(dict.fromkeys(known for _, known in ENGINES))}")
    return "\n\n".join(
        "\n".join([f"kind\t{kind}", f"about\t{entry.about}", f"version\t{_state(kind, name)}", *_setting_lines(name)])
        for kind, entry in found
    )


def validate(directory: str, deep: bool) -> tuple[str, bool]:
    """The report, and whether the corpus is sound."""
    report = validate_corpus(open_place(directory), deep=deep, beside=(running.WORK,))
    checked = "every hash and clip checked" if deep else "shallow check"
    lines = [str(problem) for problem in report.problems]
    if report.total > len(lines):
        lines.append(f"... and {report.total - len(lines)} more")
    verdict = "sound" if report.ok else f"{report.total} problems"
    return "\n".join([*lines, f"{verdict}: {report.rows} rows, {checked}"]), report.ok


def summary(manifest: Manifest, out: str) -> str:
    """The outcome for people: every row accounted for."""
    counts = manifest.counts
    kept, total = counts.rows.get("kept", 0), counts.input_rows
    lines = [f"rows in   {total}", f"kept      {kept}  ({kept / total:.0%})"]
    for status in ("rejected", "failed"):
        lines.append(f"{status:<8}  {counts.rows.get(status, 0)}")
        found = [(counts.reasons[reason], reason) for reason in Reason if reason in counts.reasons]
        lines += [
            f"  {rows:>7}  {reason}: {reason.meaning}"
            for rows, reason in sorted(found, key=lambda pair: -pair[0])
            if reason.kind == status
        ]
    hours = {status: counts.audio_s(status) / 3600 for status in ("kept", "rejected", "failed")}
    lines.append("audio     " + ", ".join(f"{value:.3f} h {status}" for status, value in hours.items()))
    return "\n".join([*lines, f"corpus    {open_place(out)}"])


def _run(job: Job, out: str, options: Mapping[str, Any]) -> str:
    with ProgressBar() as progress:
        manifest = running.run_job(
            job, open_place(out), _runner(options), progress, bool(options.get("accept_changes")), _answers(options)
        )
    return "\n".join([summary(manifest, out), *_spending(job.recipe, out)])


def _spending(recipe: Recipe, out: str) -> list[str]:
    """What the language models of the whole job took, where its log can be read."""
    work = open_place(out) / running.WORK
    tokens = tokens_of_log(Path(work.path) / LOG) if work.is_local else {}
    return describe(tokens, recipe.models)


def _answers(options: Mapping[str, Any]) -> Place | None:
    return open_place(options["answers"]) if options.get("answers") else None


def _job(recipe: Recipe, options: Mapping[str, Any]) -> Job:
    language = options["language"]
    if language and language not in recipe.languages:
        raise RecipeError(f"recipe {recipe.name} covers {', '.join(recipe.languages)}, not {language}")
    if options["format_"] and options["format_"] not in FORMATS:
        raise RecipeError(f"no format {options['format_']!r}; there are: {', '.join(FORMATS)}")
    files = open_inputs(options["inputs"], options["format_"], options["dataset"], options["license"])
    return Job(recipe, options["seed"], files, IngestOptions(language, options["limit"]))


def _runner(options: Mapping[str, Any]) -> Runner:
    if options["runner"] == "local":
        return LocalRunner()
    from pipeline.job.runner.ray import RayRunner

    return RayRunner(options["ray_address"])


def _setting_lines(engine: str) -> list[str]:
    """A line for each setting of the engine: key, default, meaning."""
    settings = settings_of(engine)
    if settings is None:
        return ["settings\tnone: a recipe names the engine itself"]
    return [f"{path}\t{default}\t{meaning}" for path, default, meaning in setting_rows(settings)]


def _state(kind: str, name: str) -> str:
    try:
        return f"works, {engine_version(kind, name)}"
    except EngineUnavailable as error:
        return f"missing: {error}"
