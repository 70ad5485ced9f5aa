"""Implements the commands: builds the job, runs it, puts the outcome into words."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib import resources
from typing import Any

from manifests.errors import EngineUnavailable, RecipeError, UserError
from manifests.export.contract import Exporter
from manifests.manifest import FINAL_STATUSES, Manifest
from manifests.reasons import Reason
from manifests.stats import stats as corpus_stats
from manifests.storage import Place, open_place
from manifests.terminal import printable
from manifests.validate import validate as validate_corpus
from pipeline import recipe_file
from pipeline.cli.model_commands import fetch_models, models_of_recipe
from pipeline.cli.options import open_runner
from pipeline.cli.output import tell
from pipeline.cli.progress import Progress, counted
from pipeline.cli.settings import field_rows, setting_rows
from pipeline.engines.contract import Engine
from pipeline.engines.registry import ENGINES, model_settings
from pipeline.export import export_corpus, export_settings
from pipeline.exporters import EXPORTERS
from pipeline.job import run as running
from pipeline.job.directory import WORK
from pipeline.job.gpu_hours import GpuTime, read_gpu_time
from pipeline.job.ingest import IngestOptions
from pipeline.job.inputs import open_inputs
from pipeline.job.job import Job, block_passes
from pipeline.job.profile import PoolTime, advice, lines
from pipeline.job.runner.tasks import Runner
from pipeline.job.usage import describe, tokens_of_commits
from pipeline.readers import formats as input_formats
from pipeline.readers.files import common_folder
from pipeline.recipe import Recipe
from pipeline.recipes.load import load_recipe, shipped_recipes
from pipeline.show.corpus_stats import format_stats
from pipeline.show.text import Fact, fact_lines
from pipeline.spread import spread_for
from pipeline.stages.registry import STAGES, find_stage
from pipeline.views.choose import chosen_splits

RECIPES = "pipeline.recipes"
DEMO_INPUTS = ("instructions_en.json", "instructions_zh.json")
TWO_AT_ONCE = (
    "duplex-human-neural",
    "two_at_once_en.json",
    ("overlap.barge_in=1", "overlap.user_backchannels=1", "mix.mono=true"),
)
"""The recipe, the sample and the settings of the dialogues in which both talk at once, at the end of the demo."""


def run(recipe: str, overrides: Sequence[str], out: str, options: Mapping[str, Any]) -> str:
    job = job_of(load_recipe(recipe, overrides), options)
    return _run(job, out, options)


def demo(
    out: str, recipe: str, rows: int, overrides: Sequence[str], options: Mapping[str, Any], two_at_once: bool = False
) -> str:
    """Fetch the models of the recipe, run the first rows of the samples in its languages, and say where to listen.

    With `two_at_once`, two dialogues with interruptions follow, in a corpus beside.
    """
    samples = resources.files("pipeline.samples")
    loaded = load_recipe(recipe, overrides)
    spoken = [
        name for name in DEMO_INPUTS if name.endswith(tuple(f"_{language}.json" for language in loaded.languages))
    ]
    files = open_inputs([str(samples.joinpath(name)) for name in spoken or DEMO_INPUTS], license="CC0-1.0")
    job = Job(loaded, 0, files, IngestOptions(limit_each=rows))
    if models := models_of_recipe(recipe, overrides):
        fetch_models(list(models), None)
    text = _run(job, out, options)
    if two_at_once:
        text += "\n\n" + _two_at_once(f"{out}-duplex", options)
    return (
        f"{text}\n\nListen to {out}/audio/kept and {out}/audio/rejected; the clips bear the ids of their rows.\n"
        f"What was meant and what was heard, word by word: parley corpus stats {out} --row ID\n"
        f"All of it on one page, to look at and listen to: parley corpus report {out} --out {out}-report"
    )


def _two_at_once(out: str, options: Mapping[str, Any]) -> str:
    """Make the dialogues in which the user breaks in; say where both sides are heard together."""
    recipe, sample, overrides = TWO_AT_ONCE
    path = str(resources.files("pipeline.samples").joinpath(sample))
    job = Job(load_recipe(recipe, overrides), 0, open_inputs([path], license="CC0-1.0"), IngestOptions())
    return (
        f"{_run(job, out, options)}\n\nTwo people at once: {out}/audio/kept/*/*_track-mono.flac, and each side as a "
        f"channel; when who speaks: parley corpus report {out} --out {out}-report"
    )


def ingest(recipe: str, overrides: Sequence[str], out: str, options: Mapping[str, Any]) -> str:
    with Progress() as progress, closing(open_runner(options)) as runner:
        result = running.ingest_job(job_of(load_recipe(recipe, overrides), options), open_place(out), progress, runner)
    return f"{result.rows} rows in {result.blocks} blocks"


def stage(name: str, recipe: str, overrides: Sequence[str], source: str, out: str, options: Mapping[str, Any]) -> str:
    loaded = load_recipe(recipe, overrides)
    if name == "pack":
        runner = open_runner(options)
        try:
            return summary(running.pack_directory(loaded, open_place(source), open_place(out), runner), out)
        finally:
            runner.close()
    with Progress() as progress:
        result = running.run_stage_directory(
            name, loaded, open_place(source), open_place(out), open_runner(options), progress, _answers(options)
        )
    return f"{name}: {result.rows} rows in {result.blocks} blocks, {result.live} live"


def list_recipes() -> str:
    return "\n".join(f"{name}\t{load_recipe(name).description}" for name in shipped_recipes())


def show_recipe(name: str) -> str:
    """Return the text of the recipe's file, comments included."""
    return recipe_file.text_of(name, RECIPES, "recipe")


def list_formats() -> str:
    return "\n".join(f"{name}\t{entry.about}" for name, entry in input_formats().items())


def show_format(name: str) -> str:
    """Return what the format is, the keys that identify its rows, and an example row as JSON."""
    if name not in input_formats():
        raise RecipeError(f"no format {name!r}; there are: {', '.join(input_formats())}")
    entry = input_formats()[name]
    example = json.dumps(entry.example, ensure_ascii=False)
    return f"about\t{entry.about}\nkeys\t{', '.join(sorted(entry.keys))}\nexample\t{example}"


def list_engines() -> str:
    """Return a line for each engine: kind, name, version or what is missing."""
    return "\n".join(f"{e.kind}\t{e.name}\t{_state(e)}\t{e.about}" for e in ENGINES.all())


def show_engine(name: str) -> str:
    """Return what each engine of that name is, its version or what is missing, and its settings."""
    found = ENGINES.named(name)
    if not found:
        raise RecipeError(f"no engine {name!r}; there are: {', '.join(ENGINES.names())}")
    return "\n\n".join(
        "\n".join([f"kind\t{e.kind}", f"about\t{e.about}", f"version\t{_state(e)}", *_setting_lines(name)])
        for e in found
    )


def list_stages() -> str:
    return "\n".join(f"{stage.name}\t{stage.about}" for stage in STAGES.all())


def show_stage(name: str) -> str:
    """Return what the stage does, the fields that it reads, writes and spoils, its pool, and its settings."""
    stage = find_stage(name)
    fields = {"reads": stage.reads, "writes": stage.writes, "spoils": stage.spoils}
    lines = [f"about\t{stage.about}", *(f"{key}\t{', '.join(sorted(names))}" for key, names in fields.items())]
    lines.append(f"pool\t{stage.pool}")
    return "\n".join([*lines, *("\t".join(row) for row in setting_rows(stage.settings, f"{name}."))])


def list_exporters() -> str:
    return "\n".join(f"{exporter.name}\t{exporter.about}" for exporter in EXPORTERS.all())


def show_exporter(name: str) -> str:
    """Return what the exporter writes, for which program, and its settings."""
    exporter = _exporter(name)
    lines = [f"about\t{exporter.about}", *([f"read by\t{exporter.read_by}"] if exporter.read_by else [])]
    return "\n".join([*lines, *("\t".join(row) for row in field_rows(exporter.settings))])


def export(
    directory: str,
    name: str,
    out: str,
    status: str,
    overrides: Sequence[str],
    views: Mapping[str, Any],
    runner: Runner,
) -> str:
    """Write the corpus's rows of that status and those views with the exporter; return the outcome in words."""
    exporter = _exporter(name)
    values: dict[str, Any] = {}
    for override in overrides:
        recipe_file.apply_override(values, override)
    settings = export_settings(exporter, values)
    splits = chosen_splits(open_place(directory), status, **views)
    with counted("rows exported", "row") as progress:
        result = export_corpus(exporter, settings, splits, open_place(out), runner, progress)
    reasons = [(count, reason) for reason, count in result.refused.items()]
    facts = [
        Fact("written", f"{result.written:,}"),
        Fact("refused", f"{sum(result.refused.values()):,}", reasons),
        Fact(name, out),
    ]
    return "\n".join([*fact_lines(facts), *result.notes])


def _exporter(name: str) -> Exporter:
    if found := EXPORTERS.named(name):
        return found[0]
    raise UserError(f"no exporter {name!r}; there are: {', '.join(EXPORTERS.names())}")


def report(directory: str, out: str, options: Mapping[str, Any]) -> str:
    """Write the report of a corpus; return where it lies and how much of the corpus it shows."""
    from pipeline.report.report import write_report

    with counted("rows read", "row") as progress:
        written = write_report(open_place(directory), open_place(out), **options, progress=progress)
    facts = [
        Fact("page", str(written.page)),
        Fact("clips", str(written.folder) if written.folder else options["clips"]),
        Fact("dialogues", f"{written.shown:,} of {written.rows:,}"),
    ]
    return "\n".join(fact_lines(facts))


def stats(directory: str, as_json: bool, runner: Runner) -> str:
    """Return the statistics of a corpus, in words or as JSON."""
    place = open_place(directory)
    with closing(runner):
        figures = corpus_stats(place, spread_for(runner, place))
    return json.dumps(figures, indent=2) if as_json else format_stats(figures)


def validate(directory: str, deep: bool, runner: Runner) -> tuple[str, bool]:
    """Return the report, and whether the corpus is sound."""
    place = open_place(directory)
    with closing(runner):
        report = validate_corpus(place, deep=deep, beside=(WORK,), spread=spread_for(runner, place))
    checked = "every hash and clip checked" if deep else "shallow check"
    lines = [printable(str(problem)) for problem in report.problems]
    if report.total > len(lines):
        lines.append(f"... and {report.total - len(lines)} more")
    verdict = "sound" if report.ok else f"{report.total} problems"
    return "\n".join([*lines, f"{verdict}: {report.rows} rows, {checked}"]), report.ok


def summary(manifest: Manifest, out: str, spent: GpuTime | None = None) -> str:
    """Return the outcome for people, with every row accounted for, and the GPU hours that were spent on it."""
    counts = manifest.counts
    kept, total = counts.rows.get("kept", 0), counts.input_rows
    share = f"{kept / total:.0%}" if total else "-"
    hours = ", ".join(f"{counts.audio_s(status) / 3600:.3f} h {status}" for status in FINAL_STATUSES)
    facts = [Fact("rows in", f"{total:,}"), Fact("kept", f"{kept:,}  ({share})")]
    for status in ("rejected", "failed"):
        reasons = [reason for reason in Reason if reason in counts.reasons and reason.kind == status]
        beneath = [(counts.reasons[reason], f"{reason}: {reason.meaning}") for reason in reasons]
        facts.append(Fact(status, f"{counts.rows.get(status, 0):,}", beneath))
    facts.append(Fact("audio", hours))
    if spent is not None:
        facts.append(Fact("GPU hours", spent.told(counts.audio_s("kept"))))
    return "\n".join(fact_lines([*facts, Fact("corpus", str(open_place(out)))]))


def _run(job: Job, out: str, options: Mapping[str, Any]) -> str:
    with Progress() as progress:
        manifest = running.run_job(
            job,
            open_place(out),
            open_runner(options),
            progress,
            bool(options.get("accept_changes")),
            _answers(options),
        )
    spent = read_gpu_time(open_place(out) / WORK)
    return "\n".join([summary(manifest, out, spent), *_spending(job.recipe, out), *_work(progress.times)])


def _work(times: Mapping[str, PoolTime]) -> list[str]:
    """Return where the time of the workers went, and what the job waited for; nothing for a corpus that was there."""
    said = advice(times)
    return [*lines(times), *([said] if said else [])]


def _spending(recipe: Recipe, out: str) -> list[str]:
    """Return what the language models of the whole job used, from the commits of its blocks."""
    if not recipe.models:
        return []
    passes = block_passes(recipe, open_place(out) / WORK)
    return describe(tokens_of_commits(block_pass.target for _, block_pass in passes), recipe.models)


def _answers(options: Mapping[str, Any]) -> Place | None:
    return None if options.get("answers") is None else open_place(options["answers"])


def job_of(recipe: Recipe, options: Mapping[str, Any]) -> Job:
    """Return the job that the recipe and the options of the command make."""
    language = options["language"]
    if language and language not in recipe.languages:
        raise RecipeError(f"recipe {recipe.name} covers {', '.join(recipe.languages)}, not {language}")
    if options["format_"] and options["format_"] not in input_formats():
        raise RecipeError(f"no format {options['format_']!r}; there are: {', '.join(input_formats())}")
    words, dataset = _input_words(options["inputs"], options["more"], options["dataset"])
    files = open_inputs(words, options["format_"], dataset, options["license"], tell)
    return Job(recipe, options["seed"], files, IngestOptions(language, options["limit"]))


def _input_words(inputs: Sequence[str], more: Sequence[str], dataset: str | None) -> tuple[Sequence[str], str | None]:
    """Return the words that name inputs and the name of their data set.

    `more` are the words that a shell made of a pattern behind --input: they are one data set.
    """
    if not more:
        return inputs, dataset
    if len(inputs) > 1:
        raise UserError(f"{more[0]} follows no option: with several --input, put patterns in quotes")
    words = (*inputs, *more)
    return words, dataset or common_folder(words)


def _setting_lines(engine: str) -> list[str]:
    """Return a line for each setting of the engine: key, default, meaning."""
    settings = model_settings(engine)
    if settings is None:
        return ["settings\tnone: a recipe names the engine itself"]
    return [f"{path}\t{default}\t{meaning}" for path, default, meaning in setting_rows(settings)]


def _state(engine: Engine) -> str:
    try:
        return f"works, {engine.version()}"
    except EngineUnavailable as error:
        return f"missing: {error}"
