"""Implements `parley tune`: runs the trial, and puts what it measured and what follows from it into words."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.cli.commands import job_of
from pipeline.cli.progress import Progress
from pipeline.job.profile import advice, lines
from pipeline.job.runner.ray import RayRunner
from pipeline.job.trial import Trial, run_trial, scratch_for
from pipeline.job.tuning import Change, expected, propose
from pipeline.recipes.load import load_recipe

BLOCKS = 8
_LEAST_BUSY_S = 5.0
"""A pool that worked for less than that was measured by its overhead as much as by its work."""
_UNSURE = 0.15
_FASTER, _SLOWER = 1.1, 0.9


def tune(recipe: str, overrides: Sequence[str], options: Mapping[str, Any]) -> str:
    """Return what a trial of the recipe's first rows measured, and the settings that it proposes."""
    loaded = load_recipe(recipe, overrides)
    limit = options["rows"] or BLOCKS * loaded.block_rows
    job = job_of(loaded, {**options, "limit": limit, "seed": 0})
    address = options["ray_address"]
    with scratch_for(address, options["scratch"]) as scratch:
        with Progress() as progress:
            trial = run_trial(job, RayRunner(address), scratch / "first", progress)
        changes = propose(trial.costs, loaded, trial.machine)
        text = [*_measured(trial), "", *_proposed(trial, changes)]
        if changes and options["check"]:
            changed = load_recipe(recipe, [*overrides, *(line for change in changes for line in change.settings)])
            with Progress() as progress:
                again = run_trial(replace(job, recipe=changed), RayRunner(address), scratch / "again", progress)
            text += ["", _compared(trial, again)]
    return "\n".join(text)


def _measured(trial: Trial) -> list[str]:
    times = {cost.name: cost.time for cost in trial.costs}
    machine = f"{trial.machine.cpus:g} cores, {trial.machine.gpus:g} GPUs"
    head = f"measured: {trial.rows} rows, {trial.audio_s:.0f} s of audio, in {trial.seconds:.0f} s, on {machine}"
    said = advice(times)
    return [head, *lines(times), *([said] if said else []), *_doubts(trial)]


def _doubts(trial: Trial) -> list[str]:
    """Say what speaks against trusting the figures."""
    doubts = []
    if short := [cost.name for cost in trial.costs if cost.time.busy_s < _LEAST_BUSY_S]:
        doubts.append(f"{', '.join(short)} worked for less than {_LEAST_BUSY_S:g} s: take more --rows to measure that")
    unsure = [f"{cost.name} by {2 * cost.error:.0%}" for cost in trial.costs if cost.error and cost.error > _UNSURE]
    if unsure:
        doubts.append(f"blocks differ much, so that costs may be wrong ({', '.join(unsure)}): take more --rows")
    if any(cost.error is None for cost in trial.costs):
        doubts.append("fewer than four blocks: how far the figures can be trusted is not known")
    if trial.is_crowded:
        doubts.append("more workers than cores: the times hold waiting for a core, and proportions count for more")
    return [f"note: {doubt}" for doubt in doubts]


def _proposed(trial: Trial, changes: Sequence[Change]) -> list[str]:
    if not changes:
        return ["proposed: nothing; the pools are in proportion to their costs"]
    before, after = expected(trial.costs, (), trial.machine), expected(trial.costs, changes, trial.machine)
    text = ["proposed:"]
    for change in changes:
        words = " ".join(f"--set {shlex.quote(setting)}" for setting in change.settings)
        text.append(f"  {words}\n      {change.reason}")
    return [*text, f"expected: {after:.3g} rows/s instead of {before:.3g}, where twice the workers do twice the work"]


def _compared(first: Trial, again: Trial) -> str:
    times = again.rate / first.rate if first.rate else 0.0
    verdict = "faster" if times > _FASTER else "slower" if times < _SLOWER else "the same, as far as it can be told"
    return f"checked: {again.rate:.3g} rows/s as proposed, {first.rate:.3g} before: {verdict}"
