"""Which turns a second recognizer hears, and which of two hearings decides.

The gate's own judgement says which turns stand in the way of keeping a dialogue, so a turn that the pooled rate
excuses costs no second hearing, and a dialogue that would be kept is never lost by one. Nor is a turn heard twice in a
dialogue that ends here anyway: another of its turns is at fault for a reason that no recognizer can be behind, and the
ladder has no rung left. Where it has one, the second hearing may save another take.
"""

from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue, Hearing
from pipeline.stages._transcripts import not_evidence
from pipeline.stages.gate import GateSettings, has_another_take, judge

DOUBTFUL = frozenset(
    {
        Reason.RECOGNITION_FAILED,
        Reason.HALLUCINATION_SILENCE,
        Reason.HALLUCINATION_RATE,
        Reason.HALLUCINATION_LOOP,
        Reason.HALLUCINATION_LANGUAGE,
        Reason.ERROR_RATE,
        Reason.WORST_TURN,
        Reason.EDGE_ERROR,
    }
)
"""Reasons that a recognizer's mistake can be behind. `hallucination_prompt` is none: recognizers are not told what the
voice's recording says, so one that writes it down has heard it, and another that missed it would excuse a leak."""


def doubtful_turns(dialogue: Dialogue, settings: GateSettings) -> list[int]:
    """Indices of the turns that another hearing could clear, where clearing them is of use. `dialogue` was heard."""
    judged = judge(dialogue, settings)
    reasons = {i: reason_of(turn.reason) for i, turn in enumerate(judged.turns) if turn.reason is not None}
    doubtful = [i for i, reason in reasons.items() if reason in DOUBTFUL]
    worth_it = len(doubtful) == len(reasons) or has_another_take(judged, settings)
    return doubtful if worth_it else []


def decide(first: Hearing, second: Hearing) -> Hearing:
    """The hearing of the lower error rate; if equal, the first. Two things count for more than the rate.

    A hearing that meets all limits goes before one that does not: a recipe may have limits besides the rate. And what
    is no evidence, a failure or an invention, never decides where there is a hearing to go by.
    """
    return min(
        first,
        second,
        key=lambda hearing: (hearing.reason is not None, not_evidence(hearing) is not None, _rate(hearing)),
    )


def _rate(hearing: Hearing) -> float:
    """Infinite where nothing was heard."""
    rate = hearing.score.rate if hearing.score else None
    return float("inf") if rate is None else rate
