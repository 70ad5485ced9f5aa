"""dedup: rows whose question an earlier row asks too are rejected.

The rows were compared before the stage runs (`pipeline.dedup`); it looks each up in the finished index.
"""

from collections.abc import Sequence

from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.stages.contract import Context, Stage, reject


def dedup(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_judged(dialogue, context.duplicates.get(dialogue.dialogue_id)) for dialogue in dialogues]


def _judged(dialogue: Dialogue, earlier: str | None) -> Dialogue:
    return dialogue if earlier is None else reject(dialogue, Reason.NEAR_DUPLICATE, f"like {earlier}")


DEDUP = Stage("dedup", dedup, frozenset(), lambda recipe: ())
