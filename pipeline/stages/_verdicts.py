"""What follows from the verdict of an engine that judges texts."""

from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue
from pipeline.engines.contract import TextAnswer
from pipeline.stages.contract import reject

_DETAIL_CHARACTERS = 200


def judged(dialogue: Dialogue, number: int, answer: TextAnswer) -> Dialogue:
    """Return the dialogue as it is if the verdict is "keep", otherwise ended with the reason that it names.

    An unknown verdict does not keep the row. `number`, the exchange that was judged, does not matter.
    """
    if (verdict := answer.fields.get("verdict", "")) == "keep":
        return dialogue
    detail = " ".join(answer.fields.get("detail", "").split())[:_DETAIL_CHARACTERS]
    return reject(dialogue, reason_of(verdict) or Reason.TEXT_ENGINE_FAILED, detail)
