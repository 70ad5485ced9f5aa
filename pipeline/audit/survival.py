"""Measure how the mark survives changes to the clips: put the sample and its controls through every attack.

There are two thresholds: the recipe's own, and the threshold that at most 1 % of the controls reach *after the same
attack*. The first shows what a user who knows the recipe finds; the second what the method can do at a stated rate of
false alarms.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from pipeline.audit.attacks import Attack
from pipeline.audit.detect import MarkScore, in_batches
from pipeline.audit.rates import Proportion, rate, rate_at, threshold_at
from pipeline.engines.contract import Clip
from pipeline.engines.watermark._message import bit_errors

FALSE_POSITIVE_RATE = 0.01

Detector = Callable[[Sequence[Clip]], list[MarkScore]]
Marked = tuple[Clip, int]
"""A clip, and the message that its mark should carry."""


@dataclass(frozen=True, slots=True)
class Survived:
    """One line of the table. Clips that are too short for the attack are not counted.

    `false_*` count controls. `bits` is the share of correct message bits over the clips that are detected at the
    recipe's threshold; it is None if the method carries no message or nothing is detected.
    """

    attack: str
    about: str
    mean_score: float | None
    mean_control: float | None
    at_recipe: Proportion
    false_at_recipe: Proportion
    threshold_1_percent: float | None
    at_1_percent: Proportion | None
    false_at_1_percent: Proportion | None
    bits: float | None
    whole_messages: Proportion | None


@dataclass
class AttackScores:
    """The detector's results after one attack."""

    marked: list[float] = field(default_factory=list)
    controls: list[float] = field(default_factory=list)
    right_bits: int = 0
    bits: int = 0
    whole: int = 0
    read: int = 0


Table = dict[str, AttackScores]


def new_table(attacks: Sequence[Attack]) -> Table:
    """Return empty results for each attack."""
    return {attack.name: AttackScores() for attack in attacks}


def add_marked(
    table: Table,
    clips: Iterable[Marked],
    detect: Detector,
    threshold: float,
    bits: int,
    attacks: Sequence[Attack],
) -> None:
    """Attack marked clips and add their results. `bits` is the length of the message, 0 if there is none."""
    for some in in_batches(clips):
        for attack in attacks:
            changed = [(made, message) for clip, message in some if (made := attack.apply(clip)) is not None]
            found = detect([clip for clip, _ in changed])
            for one, (_, message) in zip(found, changed, strict=True):
                scores = table[attack.name]
                scores.marked.append(one.score)
                if bits and one.score >= threshold:
                    _add_message(scores, bit_errors(one.message, message, bits), bits)


def add_controls(table: Table, clips: Iterable[Clip], detect: Detector, attacks: Sequence[Attack]) -> None:
    """Attack controls and add their scores. A control that the detector fails on is no evidence, and left out."""
    for some in in_batches(clips):
        for attack in attacks:
            changed = [made for clip in some if (made := attack.apply(clip)) is not None]
            table[attack.name].controls.extend(one.score for one in detect(changed) if not one.failed)


def survival(table: Table, threshold: float, attacks: Sequence[Attack]) -> tuple[Survived, ...]:
    """Sum up the results at the recipe's `threshold` and at that of 1 % of the controls."""
    return tuple(_survived(attack, table[attack.name], threshold) for attack in attacks)


def _add_message(scores: AttackScores, wrong: int, bits: int) -> None:
    scores.read += 1
    scores.whole += wrong == 0
    scores.bits += bits
    scores.right_bits += bits - wrong


def _survived(attack: Attack, scores: AttackScores, threshold: float) -> Survived:
    own = threshold_at(scores.controls, FALSE_POSITIVE_RATE)
    return Survived(
        attack=attack.name,
        about=attack.about,
        mean_score=fmean(scores.marked) if scores.marked else None,
        mean_control=fmean(scores.controls) if scores.controls else None,
        at_recipe=rate_at(scores.marked, threshold),
        false_at_recipe=rate_at(scores.controls, threshold),
        threshold_1_percent=own,
        at_1_percent=None if own is None else rate_at(scores.marked, own),
        false_at_1_percent=None if own is None else rate_at(scores.controls, own),
        bits=scores.right_bits / scores.bits if scores.bits else None,
        whole_messages=rate(scores.whole, scores.read) if scores.read else None,
    )
