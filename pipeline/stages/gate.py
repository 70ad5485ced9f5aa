"""gate: keeps the dialogue, sends turns up the ladder for another take, or drops it with a reason.

The error rate of the dialogue is pooled over its turns (edits over reference length); Ke-SpeechChat does not say
whether its limits are pooled or per utterance, so the recipe may add a limit for the worst turn and for the edges.
Every take ends as an `Attempt` on its turn. A turn that is to be taken again loses its take; a turn without a take is
what the stages from cast on look for.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from manifests.reasons import Reason, reason_of
from manifests.schema import Attempt, Dialogue, Turn
from pipeline.scoring.rates import Score, pooled, score
from pipeline.settings import Section
from pipeline.stages.contract import Context, Stage, attempt_of, reject

Share = Annotated[float, Field(ge=0, le=1)]

FINAL = frozenset({Reason.NO_RECOGNIZER, Reason.EMPTY_REFERENCE})
"""Reasons that no other take can cure."""


class Rung(Section):
    """How the next attempt differs; the seed always does."""

    rate: float = Field(1.0, gt=0.3, lt=3, description="multiplies the voice's speaking rate")
    voice: Literal["same", "another"] = Field("same", description="'another': the user of the dialogue is cast anew")


class Speed(Section):
    """What speech can be, in letters or syllables per second. `pipeline.scoring.duration` argues for the defaults."""

    slowest: float = Field(gt=0, description="slower than this is run-away speech")
    fastest: float = Field(gt=0, description="faster than this, something is missing")
    pause_s: float = Field(ge=0, description="silence that a clip may hold besides")


class GateSettings(Section):
    cer_limit: Share = Field(0.05, description="CER above this drops the dialogue")
    wer_limit: Share = Field(0.10, description="WER above this drops the dialogue")
    worst_turn_limit: Share | None = Field(None, description="the same for any single turn; none: no such check")
    edge_limit: Share | None = Field(None, description="largest edge error of a turn; none: no such check")
    spaced_speed: Speed = Field(Speed(slowest=4, fastest=28, pause_s=2), description="of scripts with spaces (en)")
    unspaced_speed: Speed = Field(Speed(slowest=1.4, fastest=11, pause_s=2), description="of scripts without (zh)")
    ladder: tuple[Rung, ...] = Field((), description="further attempts at a rejected turn, in order")

    @property
    def takes(self) -> int:
        """Most takes of a turn."""
        return 1 + len(self.ladder)

    def limit(self, metric: str) -> float:
        return self.cer_limit if metric == "cer" else self.wer_limit


def gate(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_decide(dialogue, context.recipe.section(GateSettings)) for dialogue in dialogues]


def judge(dialogue: Dialogue, settings: GateSettings) -> Dialogue:
    """The dialogue with all rates, and on each turn the reason for which it stands in the way of keeping it."""
    scores = [_score(turn, dialogue.language) for turn in dialogue.turns]
    rate = pooled([s for s in scores if s is not None and not s.is_empty_reference])
    turns = [_judge(turn, s, rate, settings) for turn, s in zip(dialogue.turns, scores, strict=True)]
    metrics = {s.metric for s in scores if s is not None}
    return replace(
        dialogue,
        turns=tuple(turns),
        cer=rate if "cer" in metrics else None,
        wer=rate if "wer" in metrics else None,
    )


def judge_alone(result: Score, settings: GateSettings) -> Reason | None:
    """Why a turn that was heard so would be rejected if it were a whole dialogue."""
    return _turn_reason(result, result.rate, settings)


def has_another_take(judged: Dialogue, settings: GateSettings) -> bool:
    """Whether the ladder has a rung left that could cure what stands in the way."""
    final = any(reason_of(turn.reason) in FINAL for turn in judged.turns)
    return attempt_of(judged) < settings.takes and not final


def _decide(dialogue: Dialogue, settings: GateSettings) -> Dialogue:
    attempt = attempt_of(dialogue)
    judged = judge(dialogue, settings)
    decided = replace(judged, turns=tuple(_record(turn, attempt) for turn in judged.turns))
    if all(turn.reason is None for turn in decided.turns):
        return replace(decided, status="kept")
    if has_another_take(judged, settings):
        return _retake(decided, another_voice=settings.ladder[attempt - 1].voice == "another")
    return _drop(decided)


def _score(turn: Turn, language: str) -> Score | None:
    """None for a turn that was not heard."""
    return None if turn.hypothesis is None else score(turn.text or "", turn.hypothesis, language)


def _judge(turn: Turn, result: Score | None, dialogue_rate: float | None, settings: GateSettings) -> Turn:
    if result is None:
        return turn
    if result.is_empty_reference:
        return replace(turn, reason=Reason.EMPTY_REFERENCE.value)
    reason = _turn_reason(result, dialogue_rate, settings)
    return replace(
        turn,
        cer=result.rate if result.metric == "cer" else None,
        wer=result.rate if result.metric == "wer" else None,
        edge_error=result.edge_error,
        reason=turn.reason or (reason.value if reason else None),
    )


def _turn_reason(result: Score, dialogue_rate: float | None, settings: GateSettings) -> Reason | None:
    rate, limit = result.rate or 0.0, settings.limit(result.metric)
    if (dialogue_rate or 0.0) > limit and rate > limit:
        return Reason.ERROR_RATE
    if settings.worst_turn_limit is not None and rate > settings.worst_turn_limit:
        return Reason.WORST_TURN
    if settings.edge_limit is not None and (result.edge_error or 0.0) > settings.edge_limit:
        return Reason.EDGE_ERROR
    return None


def _record(turn: Turn, attempt: int) -> Turn:
    """Add the take to the turn's attempts, unless it is there already: takes differ in their seeds."""
    if turn.seed is None or (turn.attempts and turn.attempts[-1].seed == turn.seed):
        return turn
    taken = Attempt(
        attempt=attempt,
        voice_id=turn.voice_id or "",
        seed=turn.seed,
        rate=turn.rate or 1.0,
        num_samples=turn.audio.num_samples if turn.audio else None,
        hypothesis=turn.hypothesis,
        error_rate=turn.wer if turn.cer is None else turn.cer,
        reason=turn.reason,
        recognizer=turn.recognizer,
        opinions=turn.opinions,
    )
    return replace(turn, attempts=(*turn.attempts, taken))


def _retake(dialogue: Dialogue, another_voice: bool) -> Dialogue:
    recast = another_voice and any(t.role == "user" and t.reason is not None for t in dialogue.turns)
    turns = tuple(
        _without_take(turn) if turn.reason is not None or (recast and turn.role == "user") else turn
        for turn in dialogue.turns
    )
    return replace(dialogue, turns=turns, user_voice=None if recast else dialogue.user_voice, cer=None, wer=None)


def _without_take(turn: Turn) -> Turn:
    return replace(
        turn,
        audio=None,
        watermark=None,
        hypothesis=None,
        recognizer=None,
        cer=None,
        wer=None,
        edge_error=None,
        quality=None,
        speaker_similarity=None,
        reason=None,
        opinions=(),
    )


def _drop(dialogue: Dialogue) -> Dialogue:
    """End with the gravest reason: a fail before a reject, then the order of the turns."""
    found = [(i, reason) for i, turn in enumerate(dialogue.turns) if (reason := reason_of(turn.reason))]
    index, reason = min(found, key=lambda pair: (pair[1].kind != "failed", pair[0]))
    turn = dialogue.turns[index]
    measured = turn.wer if turn.cer is None else turn.cer
    rate = dialogue.wer if dialogue.cer is None else dialogue.cer
    detail = f"turn {index} ({turn.role})"
    if measured is not None and rate is not None:
        detail += f": error rate {measured:.3f}, whole dialogue {rate:.3f}"
    return reject(dialogue, reason, detail)


GATE = Stage(
    name="gate",
    about="keeps the dialogue, sends turns up the ladder for another take, or drops it with a reason",
    settings=GateSettings,
    apply=gate,
    reads=frozenset({"turns.hypothesis"}),
    writes=frozenset(
        {
            "status",
            "user_voice",
            "cer",
            "wer",
            "turns.audio",
            "turns.watermark",
            "turns.hypothesis",
            "turns.recognizer",
            "turns.cer",
            "turns.wer",
            "turns.edge_error",
            "turns.quality",
            "turns.speaker_similarity",
            "turns.reason",
            "turns.opinions",
            "turns.attempts",
        }
    ),
    pool="proof",
    after=("assess", "transcribe"),
    passes=lambda recipe: recipe.section(GateSettings).takes,
    fixed=("ladder",),
)
