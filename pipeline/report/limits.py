"""Says what another limit of the gate would have kept, from the takes as they are recorded.

Each row that was spoken and heard to the end has a rate at which it would be kept: it is kept by every limit that is
not below. The gate itself decides whether anything but that limit stands in the way (another reason, the worst turn,
the edges). What no record can tell: under a looser limit some turns would have kept an earlier take, and under a
stricter one more turns would have been spoken again, some of them better.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from manifests.reasons import reason_of
from manifests.schema import Dialogue, Turn
from pipeline.report.sound import clip_seconds
from pipeline.stages.gate import BY_SCORE, GateSettings, judge

STEPS = 10_000
"""Steps of a rate of 1.0: limits are compared to 0.01 percentage points."""

BORDER = 0.02
"""A row is borderline if its rate is this near to the limit, above or below: two percentage points."""


class Limits:
    """Collects what each limit keeps, by metric. Without the recipe's `settings`, only final rates are known."""

    def __init__(self, settings: GateSettings | None) -> None:
        self._settings = settings
        self._open = (settings or GateSettings()).model_copy(update={"cer_limit": math.inf, "wer_limit": math.inf})
        # Rows, samples in seconds, edits and reference length by metric and step.
        self._steps: dict[str, dict[int, list[float]]] = {"cer": {}, "wer": {}}
        self._out_of_reach = 0

    def rate(self, dialogue: Dialogue) -> float | None:
        """Return the smallest limit that keeps the row; None if none does, or it was never heard."""
        judged = judge(replace(dialogue, turns=tuple(map(_without_verdict, dialogue.turns))), self._open)
        heard = all(turn.score is not None and turn.reason is None for turn in judged.turns)
        return self._open.rate_of(judged) if heard and judged.turns else None

    def is_borderline(self, dialogue: Dialogue, rate: float | None) -> bool:
        """Tell whether the row, of that `rate`, is near to the limit."""
        if self._settings is None or rate is None or not _is_plain(dialogue):
            return False
        return abs(rate - self._settings.limit(_metric(dialogue))) <= BORDER

    def add(self, dialogue: Dialogue, rate: float | None) -> None:
        """Add a row with the `rate` that this class gave it."""
        if rate is None or not _is_plain(dialogue):
            self._out_of_reach += 1
            return
        step = math.ceil(rate * STEPS - 1e-6)
        found = self._steps[_metric(dialogue)].setdefault(step, [0, 0.0, 0, 0])
        for place, value in enumerate((1, *_sums(dialogue.turns))):
            found[place] += value

    def figures(self) -> dict[str, Any]:
        """Return for each metric the recipe's `limit` and the `steps`, each as [step, rows, seconds, edits, length].

        A limit of `step / per_unit` keeps the rows of that step and of all before it.
        """
        return {
            "per_unit": STEPS,
            "border": BORDER,
            "syllables": self._settings is not None and self._settings.mandarin_rate == "syllables",
            "out_of_reach": self._out_of_reach,
            "metrics": {
                metric: {
                    "limit": None if self._settings is None else self._settings.limit(metric),
                    "steps": [[step, *map(_short, values)] for step, values in sorted(steps.items())],
                }
                for metric, steps in self._steps.items()
                if steps
            },
        }


def _without_verdict(turn: Turn) -> Turn:
    """Remove the reason that the gate's comparison gave; every other reason stays."""
    if turn.take is None or reason_of(turn.reason) not in BY_SCORE:
        return turn
    return replace(turn, take=replace(turn.take, reason=None))


def _is_plain(dialogue: Dialogue) -> bool:
    """Tell whether all turns are scored by one metric, so that there is one limit."""
    return len({turn.score.metric for turn in dialogue.turns if turn.score}) == 1


def _metric(dialogue: Dialogue) -> str:
    return next(turn.score.metric for turn in dialogue.turns if turn.score)


def _sums(turns: Iterable[Turn]) -> tuple[float, int, int]:
    """Return seconds of audio, edits and reference length of the turns."""
    seconds, edits, length = 0.0, 0, 0
    for turn in turns:
        seconds += clip_seconds(turn.audio)
        edits += turn.score.edits if turn.score else 0
        length += turn.score.reference_length if turn.score else 0
    return seconds, edits, length


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 2)
