"""dedup: rejects rows whose question an earlier row already asks.

The rows are compared before the stage runs (`pipeline.dedup`); the stage looks each row up in the finished index.
"""

from collections.abc import Mapping, Sequence

from manifests.reasons import Reason
from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.dedup import build_index, load_index
from pipeline.dedup import version as minhash_version
from pipeline.dedup.settings import DedupSettings
from pipeline.recipe import Recipe
from pipeline.stages.contract import Context, Preparation, Resource, Stage, reject


def dedup(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    duplicates = context.resource(DUPLICATES)
    return [_judged(dialogue, duplicates.get(dialogue.dialogue_id)) for dialogue in dialogues]


def _judged(dialogue: Dialogue, earlier: str | None) -> Dialogue:
    return dialogue if earlier is None else reject(dialogue, Reason.NEAR_DUPLICATE, f"like {earlier}")


def _prepare(rows: Preparation) -> None:
    build_index(rows.blocks, rows.count, rows.work / DUPLICATES.name, rows.recipe.section(DedupSettings), rows.mapper)


def _load(recipe: Recipe, work: Place | None) -> Mapping[str, str]:
    return load_index(work / DUPLICATES.name) if work else {}


DUPLICATES: Resource[Mapping[str, str]] = Resource("duplicates", _load, lambda recipe: minhash_version())
"""Maps the dialogue_id of a row whose question repeats an earlier one to the id of the earlier row."""

DEDUP = Stage(
    name="dedup",
    about="rejects rows whose question an earlier row already asks",
    settings=DedupSettings,
    apply=dedup,
    reads=frozenset({"turns.text"}),
    writes=frozenset(),
    after=("screen",),
    resources=lambda recipe: (DUPLICATES,),
    prepare=_prepare,
    fixed=("*",),
)
