"""gate: keeps the dialogue, sends turns up the ladder for another take, or drops it with a reason.

The error rate of the dialogue is pooled over its turns (edits over reference length); Ke-SpeechChat does not say
whether its limits are pooled or per utterance, so the recipe may add a limit for the worst turn and for the edges.
transcribe made the scores; gate pools and judges them. Every take that it judged is among the `attempts` of its turn.
A turn that is to be spoken again loses its take, and synthesize speaks every turn without a take. If the recipe asks
for preference pairs, the attempt keeps its clip: the same text, spoken worse than in the take that will be accepted.

Where dialogues are arranged on a timeline, a further take means to mix the whole dialogue again (`_again.py`): a take
that was good in one mix may be judged otherwise in the next, and its attempt then says what the last mix showed. One
for which the timeline has no place is no fault: it waits for the next pass, and is left out where there is none.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from pydantic import Field

from manifests.changes import replace
from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue, Role, Score, Take, Turn
from pipeline.recipe import Recipe
from pipeline.scoring.rates import pooled, pooled_syllables
from pipeline.settings import Section
from pipeline.stages._again import (
    FINAL,
    has_no_place,
    is_arranged,
    is_performed,
    taken_apart,
    waiting,
    without_unplaced,
)
from pipeline.stages.contract import Context, Stage, attempt_of, reject, without_dry

BY_SCORE = frozenset({Reason.ERROR_RATE, Reason.WORST_TURN, Reason.EDGE_ERROR})
"""Reasons that follow from comparing the transcript with the intended text."""


NO_PREFERENCE = frozenset(
    {
        Reason.EMPTY_REFERENCE,
        Reason.WATERMARK_MISSING,
        Reason.WATERMARK_FOREIGN,
        Reason.CROSS_TALK,
        Reason.WRONG_SPEAKER,
        Reason.UNALIGNED,
        Reason.NOT_PLACED,
    }
)
"""Reasons that do not say that a take was spoken badly, or whose clip must not be handed on: it carries no mark, or
says another text."""

Share = Annotated[float, Field(ge=0, le=1)]


class Rung(Section):
    """Says how the next attempt differs; the seed always differs."""

    rate: float = Field(1.0, gt=0.3, lt=3, description="multiplies the voice's speaking rate")
    voice: Literal["same", "another"] = Field("same", description="'another': cast a new user voice for the dialogue")


class Speed(Section):
    """Limits the speed of speech, in letters or syllables per second (reasons: `pipeline.scoring.duration`)."""

    slowest: float = Field(gt=0, description="slower speech counts as run-away speech")
    fastest: float = Field(gt=0, description="in faster speech, part of the text is missing")
    pause_s: float = Field(ge=0, description="silence that a clip may contain in addition, in seconds")


class GateSettings(Section):
    cer_limit: Share = Field(0.05, description="CER above this drops the dialogue")
    wer_limit: Share = Field(0.10, description="WER above this drops the dialogue")
    user_cer_limit: Share | None = Field(
        None,
        description="the same for the user's side alone, where noise may cover it; none: cer_limit for both together",
    )
    user_wer_limit: Share | None = Field(
        None,
        description="the same for the user's side alone, where noise may cover it; none: wer_limit for both together",
    )
    mandarin_rate: Literal["characters", "syllables"] = Field(
        "characters",
        description="what cer_limit and worst_turn_limit limit in Mandarin: the CER, or the rate of toned syllables, "
        "for which homophones (他, 她) are no errors",
    )
    worst_turn_limit: Share | None = Field(None, description="the same limit for any single turn; none: no check")
    edge_limit: Share | None = Field(None, description="largest allowed edge error of a turn; none: no check")
    spaced_speed: Speed = Field(Speed(slowest=4, fastest=28, pause_s=2), description="for scripts with spaces (en)")
    unspaced_speed: Speed = Field(Speed(slowest=1.4, fastest=11, pause_s=2), description="for scripts without (zh)")
    ladder: tuple[Rung, ...] = Field((), description="further attempts at a rejected turn, in order")
    keep_rejected_takes: bool = Field(
        False, description="keep the clips of rejected takes whose turn is spoken again, for preference training"
    )

    @property
    def takes(self) -> int:
        """Most takes that a turn can have."""
        return 1 + len(self.ladder)

    def passes(self, arranged: bool) -> int:
        """Most passes over a row: one for each take, and one to arrange the dialogue without what no take helped."""
        return self.takes + arranged

    def rate_of(self, measured: Score | Dialogue) -> float | None:
        """Return the rate that the limits apply to: by toned syllables where they are asked for and counted."""
        if self.mandarin_rate == "syllables" and measured.syllable_rate is not None:
            return measured.syllable_rate
        if isinstance(measured, Score):
            return measured.rate
        return measured.wer if measured.cer is None else measured.cer

    def limit(self, metric: str, role: Role = "agent") -> float:
        own = self.user_limit(metric) if role == "user" else None
        return own if own is not None else self.cer_limit if metric == "cer" else self.wer_limit

    def user_limit(self, metric: str) -> float | None:
        """Return the limit of the user's side alone; None: both sides are pooled and have one limit."""
        return self.user_cer_limit if metric == "cer" else self.user_wer_limit


def gate_of(recipe: Recipe) -> GateSettings:
    """Return the gate's settings, or the defaults if the recipe has no gate."""
    return recipe.find(GateSettings) or GateSettings()


def gate(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_decide(dialogue, context.recipe) for dialogue in dialogues]


def judge(dialogue: Dialogue, settings: GateSettings) -> Dialogue:
    """Set the dialogue's pooled rate, and on each take the reason why it prevents keeping the dialogue."""
    scores = [turn.score for turn in dialogue.turns if turn.score is not None and not turn.score.is_empty_reference]
    metrics = {turn.score.metric for turn in dialogue.turns if turn.score is not None}
    rate = pooled(scores)
    rated = replace(
        dialogue,
        cer=rate if "cer" in metrics else None,
        wer=rate if "wer" in metrics else None,
        syllable_rate=pooled_syllables(scores),
    )
    limited = {role: _limited_rate(rated, role, settings) for role in get_args(Role)}
    return replace(rated, turns=tuple(_judge(turn, limited[turn.role], settings) for turn in dialogue.turns))


def judge_alone(score: Score, role: Role, settings: GateSettings) -> Reason | None:
    """Say why a turn of this score would be rejected if it were a whole dialogue."""
    return _reason(score, role, settings.rate_of(score), settings)


def would_be_kept(dialogue: Dialogue, recipe: Recipe) -> bool:
    """Tell whether the gate would keep the dialogue as it is now."""
    return _decide(dialogue, recipe).status == "kept"


def has_another_take(judged: Dialogue, settings: GateSettings) -> bool:
    """Tell whether the ladder has a rung left that could fix all faults of turns that the dialogue needs."""
    final = any(reason_of(turn.reason) in FINAL and turn.kind == "turn" for turn in judged.turns)
    return attempt_of(judged) < settings.takes and not final


def _decide(dialogue: Dialogue, recipe: Recipe) -> Dialogue:
    settings, arranged = gate_of(recipe), is_arranged(recipe)
    judged = judge(dialogue, settings)
    decided = replace(judged, turns=tuple(_record(turn) for turn in judged.turns))
    faulty = [turn for turn in decided.turns if _is_faulty(turn)]
    spare = arranged and all(turn.kind != "turn" for turn in faulty)
    if not faulty:
        return without_dry(replace(without_unplaced(decided), status="kept"))
    if has_another_take(judged, settings) and not (spare and _is_hopeless(faulty)):
        another_voice = settings.ladder[attempt_of(dialogue) - 1].voice == "another"
        recorded = _with_rejected_clips(decided) if settings.keep_rejected_takes else decided
        again = _retake(recorded, another_voice, is_performed(recipe))
        return taken_apart(again) if arranged else again
    if spare and all(turn.start_sample is None for turn in faulty):  # no channel holds them
        return without_dry(replace(_without_takes(decided), status="kept"))
    if spare and _passes_done(dialogue) + 1 < settings.passes(arranged):
        return taken_apart(_without_rates(_without_takes(decided)))
    return _drop(without_unplaced(decided), settings)


def _is_faulty(turn: Turn) -> bool:
    return turn.reason is not None and not has_no_place(turn)


def _is_hopeless(faulty: Sequence[Turn]) -> bool:
    return all(reason_of(turn.reason) in FINAL for turn in faulty)


def _passes_done(dialogue: Dialogue) -> int:
    return sum(step.stage == "gate" for step in dialogue.provenance)


def _limited_rate(rated: Dialogue, role: Role, settings: GateSettings) -> float | None:
    """Return the rate that the limit of a side applies to: pooled over that side alone if the user's has its own."""
    scores = [t.score for t in rated.turns if t.score is not None and not t.score.is_empty_reference]
    if not scores or settings.user_limit(scores[0].metric) is None:
        return settings.rate_of(rated)
    of_side = [
        t.score for t in rated.turns if t.role == role and t.score is not None and not t.score.is_empty_reference
    ]
    syllables = pooled_syllables(of_side) if settings.mandarin_rate == "syllables" else None
    return pooled(of_side) if syllables is None else syllables


def _judge(turn: Turn, dialogue_rate: float | None, settings: GateSettings) -> Turn:
    """Set the reason on the turn's take if it is at fault. A take that was not heard keeps its reason."""
    take, score = turn.take, turn.score
    if take is None or score is None:
        return turn
    if score.is_empty_reference:
        return replace(turn, take=replace(take, reason=Reason.EMPTY_REFERENCE.value))
    reason = _reason(score, turn.role, dialogue_rate, settings)
    return replace(turn, take=replace(take, reason=take.reason or (reason.value if reason else None)))


def _reason(score: Score, role: Role, dialogue_rate: float | None, settings: GateSettings) -> Reason | None:
    rate, limit = settings.rate_of(score) or 0.0, settings.limit(score.metric, role)
    if (dialogue_rate or 0.0) > limit and rate > limit:
        return Reason.ERROR_RATE
    if settings.worst_turn_limit is not None and rate > settings.worst_turn_limit:
        return Reason.WORST_TURN
    if settings.edge_limit is not None and (score.edge_error or 0.0) > settings.edge_limit:
        return Reason.EDGE_ERROR
    return None


def _record(turn: Turn) -> Turn:
    """Add the take to the turn's attempts. Where an earlier pass did, what this one says of the take counts."""
    if turn.take is None:
        return turn
    earlier = turn.attempts[:-1] if turn.attempts and turn.attempts[-1].number == turn.take.number else turn.attempts
    return replace(turn, attempts=(*earlier, _without_bytes(turn.take)))


def _without_bytes(take: Take) -> Take:
    audio = replace(take.audio, bytes=b"", path=None) if take.audio else None
    return replace(take, audio=audio, word_times=None, tokens=(), dry=None)


def _with_rejected_clips(dialogue: Dialogue) -> Dialogue:
    """Put the clip back into the attempt of each turn whose take was spoken badly."""
    return replace(dialogue, turns=tuple(map(_with_rejected_clip, dialogue.turns)))


def _with_rejected_clip(turn: Turn) -> Turn:
    reason = reason_of(turn.reason)
    if turn.take is None or reason is None or reason.kind != "rejected" or reason in NO_PREFERENCE:
        return turn
    audio = replace(turn.take.audio, path=None) if turn.take.audio else None
    return replace(turn, attempts=(*turn.attempts[:-1], replace(turn.take, audio=audio, dry=None)))


def _retake(dialogue: Dialogue, another_voice: bool, whole: bool) -> Dialogue:
    """Give up the takes at fault, and where another voice takes over the user's; `whole`: all of the dialogue."""
    recast = another_voice and any(t.role == "user" and _is_faulty(t) for t in dialogue.turns)
    turns = tuple(
        replace(turn, take=None) if whole or _is_faulty(turn) or (recast and turn.role == "user") else waiting(turn)
        for turn in dialogue.turns
    )
    voice = None if recast else dialogue.user_voice
    return _without_rates(replace(dialogue, turns=turns, user_voice=voice))


def _without_takes(dialogue: Dialogue) -> Dialogue:
    """Give up the takes that are at fault."""
    return replace(dialogue, turns=tuple(replace(t, take=None) if t.reason is not None else t for t in dialogue.turns))


def _without_rates(dialogue: Dialogue) -> Dialogue:
    return replace(dialogue, cer=None, wer=None, syllable_rate=None)


def _drop(dialogue: Dialogue, settings: GateSettings) -> Dialogue:
    """End with the gravest reason: a fail first, then cross-talk, which is the server's fault; then by the turns."""
    found = [(i, reason) for i, turn in enumerate(dialogue.turns) if (reason := reason_of(turn.reason))]
    index, reason = min(found, key=lambda pair: (pair[1].kind != "failed", pair[1] is not Reason.CROSS_TALK, pair[0]))
    turn = dialogue.turns[index]
    measured = settings.rate_of(turn.score) if turn.score else None
    rate = settings.rate_of(dialogue)
    detail = f"turn {index} ({turn.role})"
    if measured is not None and rate is not None:
        detail += f": error rate {measured:.3f}, whole dialogue {rate:.3f}"
    return reject(dialogue, reason, detail)


_AGAIN = frozenset(
    {
        "timeline",
        *(f"turns.{name}" for name in ("text", "unsaid", "start_sample")),
        *(f"take.{name}" for name in ("audio", "word_times", "watermark", "hearing", "hearings", "quality")),
        *(f"take.{name}" for name in ("speaker_similarity", "tokens", "dry", "reason")),
    }
)
"""What changes where a dialogue is taken apart to be arranged again, and the reason."""

GATE = Stage(
    name="gate",
    about="keeps the dialogue, sends turns up the ladder for another take, or drops it with a reason",
    settings=GateSettings,
    apply=gate,
    reads=frozenset({"take.hearing"}),
    writes=frozenset({"status", "user_voice", "cer", "wer", "syllable_rate", "turns.take", "turns.attempts"}) | _AGAIN,
    pool="proof",
    after=("assess", "transcribe"),
    passes=lambda recipe: recipe.section(GateSettings).passes(is_arranged(recipe)),
    fixed=("ladder",),
)
