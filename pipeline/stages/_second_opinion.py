"""Chooses the turns that a second recognizer hears, and which of two hearings decides.

The gate's own judgment says which turns prevent a dialogue from being kept. So a turn that the pooled rate excuses
costs no second hearing, and a second hearing never loses a dialogue that would be kept. A turn is not heard twice
either if its dialogue is lost anyway, because another turn failed for a reason that no recognizer can have caused and
the ladder has no rung left. If it has one, the second hearing may save another take.
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
        Reason.CROSS_TALK,
    }
)
"""Reasons that a recognizer's mistake can cause. `hallucination_prompt` is not among them: recognizers do not know the
text of the voice's recording, so one that writes it has heard it, and another that missed it would excuse a leak."""


def doubtful_turns(dialogue: Dialogue, settings: GateSettings) -> list[int]:
    """Return the indices of turns worth a second hearing: it could clear them, and so help the heard `dialogue`."""
    judged = judge(dialogue, settings)
    reasons = {i: reason_of(turn.reason) for i, turn in enumerate(judged.turns) if turn.reason is not None}
    doubtful = [i for i, reason in reasons.items() if reason in DOUBTFUL]
    worth_it = len(doubtful) == len(reasons) or has_another_take(judged, settings)
    return doubtful if worth_it else []


def decide(first: Hearing, second: Hearing) -> Hearing:
    """Return the hearing with the lower error rate, or the first if they are equal. Two things outweigh the rate.

    A hearing that meets all limits beats one that does not, since a recipe may have limits besides the rate. And a
    hearing that is not evidence (a failure or an invention) never wins over one that is.
    """
    return min(
        first,
        second,
        key=lambda hearing: (hearing.reason is not None, not_evidence(hearing) is not None, _rate(hearing)),
    )


def _rate(hearing: Hearing) -> float:
    """Return the error rate, infinite where nothing was heard."""
    rate = hearing.score.rate if hearing.score else None
    return float("inf") if rate is None else rate
