"""Takes rows apart that are arranged and mixed once more, and says which turns are left out of them for good.

A further take of one turn moves those behind it, so all turns of the dialogue are mixed, marked, heard and measured
again. A turn that takes the floor from nobody (a backchannel, somebody in the background) is not worth a dialogue: if
no rung of the ladder helps it, it loses its take, and the dialogue goes on without it.
"""

from dataclasses import replace

from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue, Quality, Take, Turn
from pipeline.recipe import Recipe

FINAL = frozenset({Reason.NO_RECOGNIZER, Reason.EMPTY_REFERENCE, Reason.NOT_PLACED})
"""Reasons that no further take can fix."""


def is_arranged(recipe: Recipe) -> bool:
    """Tell whether the recipe arranges its dialogues on a timeline."""
    return "arrange" in recipe.stages


def is_performed(recipe: Recipe) -> bool:
    """Tell whether the recipe has dialogues spoken whole: then all turns are spoken again for one that is at fault."""
    return "perform" in recipe.stages


def taken_apart(dialogue: Dialogue) -> Dialogue:
    """Return the row as it was before its turns were arranged, for another pass; its takes stay."""
    return replace(dialogue, timeline=None, turns=tuple(map(_taken_apart, dialogue.turns)))


def is_left_out(turn: Turn, has_rungs: bool) -> bool:
    """Tell whether the gate has given the turn up for good; `has_rungs`: the ladder has a take left for the row."""
    if turn.kind == "turn" or turn.take is not None or not turn.attempts:
        return False
    return not has_rungs or reason_of(turn.attempts[-1].reason) in FINAL


def has_no_place(turn: Turn) -> bool:
    """Tell whether arrange found no place for the turn's take."""
    return turn.take is not None and turn.take.reason == Reason.NOT_PLACED


def waiting(turn: Turn) -> Turn:
    """Let a take without a place wait for the next pass, in which the turn beside it may be another."""
    return replace(turn, take=replace(turn.take, reason=None)) if turn.take and has_no_place(turn) else turn


def without_unplaced(dialogue: Dialogue) -> Dialogue:
    """Leave out what has no place."""
    return replace(dialogue, turns=tuple(replace(t, take=None) if has_no_place(t) else t for t in dialogue.turns))


def _taken_apart(turn: Turn) -> Turn:
    return replace(
        turn,
        text=turn.whole_text,
        unsaid=None,
        start_sample=None,
        take=_unmixed(turn.take) if turn.take else None,
    )


def _unmixed(take: Take) -> Take:
    """Return the take as render and align left it; `dry` stays, which tells that it is not new."""
    if take.dry is None:
        return take
    return replace(
        take,
        audio=take.dry.audio,
        word_times=take.dry.word_times,
        watermark=None,
        hearing=None,
        hearings=(),
        quality=_of_synthesis(take.quality),
        speaker_similarity=None,
        tokens=(),
    )


def _of_synthesis(quality: Quality | None) -> Quality | None:
    """Keep what `render` measured, which nothing can measure later, and drop what `assess` did."""
    if quality is None or quality.leading_silence_s is None:
        return quality
    return Quality(clipped_share=quality.clipped_share, end_level_db=quality.end_level_db)
