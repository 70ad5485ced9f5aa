"""Dialogues whose takes are made of tones, a tone for a word: where each word is, is known exactly."""

from dataclasses import replace
from typing import Any

import numpy as np

from manifests.schema import Cue, Dialogue, Label, Role, Source, Take, Turn, TurnKind, Word, WordTimes
from manifests.words import words_of
from parley.testing import make_context
from pipeline.audio.samples import encode
from pipeline.recipes.load import load_recipe
from pipeline.stages.arrange import ARRANGE, TIMING, load_timing
from pipeline.stages.contract import Context, run_stage

RATE = 16_000
EDGE = 1600
"""Samples of silence at each edge of a clip, a tenth of a second."""
WORD, GAP = 3200, 800
"""Samples of a word, and of the silence between two: four words and their gaps take almost a second."""


def spoken(
    role: Role,
    text: str,
    kind: TurnKind = "turn",
    cue: tuple[int, int] | None = None,
    labels: tuple[Label, ...] = (),
    timed: bool = True,
) -> Turn:
    """A turn with a take; without `timed`, its words have no times."""
    words = words_of(text, "en")
    spans = [(EDGE + i * (WORD + GAP), EDGE + i * (WORD + GAP) + WORD) for i in range(len(words))]
    samples = np.zeros(spans[-1][1] + EDGE, np.float32)
    for number, (start, end) in enumerate(spans):
        samples[start:end] = 0.3 * np.sin(np.arange(1, end - start + 1) * (0.2 + 0.02 * number))
        samples[start], samples[end - 1] = 0.3, 0.3
    times = tuple(Word(word.text, *span) for word, span in zip(words, spans, strict=True))
    take = Take(1, f"voice-{role}", 0, 1.0, audio=encode(samples, RATE, "wav"))
    if timed:
        take = replace(take, word_times=WordTimes("tones 1", "word", times))
    return Turn(role, text, text=text, take=take, kind=kind, cue=Cue(*cue) if cue else None, labels=labels)


def dialogue(*turns: Turn, number: int = 1) -> Dialogue:
    return Dialogue(f"arranged-{number}", "en", Source("made", str(number)), turns)


def arranging(**settings: Any) -> Context:
    """A context in which `arrange` has these settings, as they stand in a recipe."""
    overrides = [f"arrange.{name}={value}" for name, value in settings.items()]
    recipe = load_recipe("tone-dry-run", ["arrange={}", *overrides])
    return replace(make_context(recipe), resources={TIMING.name: load_timing(recipe)})


def arranged(row: Dialogue, context: Context) -> Dialogue:
    """The row as `arrange` leaves it, under the laws of stages."""
    return run_stage(ARRANGE, [row], context)[0]


def draws_of(row: Dialogue) -> dict[tuple[str, int | None], float]:
    assert row.timeline is not None
    return {(draw.name, draw.turn): draw.value for draw in row.timeline.draws}


def speech_of(row: Dialogue, number: int) -> tuple[int, int]:
    """Start and end of a turn's speech, by its event."""
    assert row.timeline is not None
    kind = row.turns[number].kind
    (event,) = [event for event in row.timeline.events if event.turn == number and event.kind == kind]
    return event.start_sample, event.end_sample
