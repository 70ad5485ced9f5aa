"""pii: rejects rows with personal data in a text, as the rules of the numbers know it.

It looks as `parley corpus pii` does, before anything is spoken: in what is said, and in the source's texts, which are
delivered too. The row's detail names the kind and masks the rest; the texts themselves stand among the rejected rows.
"""

from collections.abc import Iterator, Sequence
from typing import get_args

from pydantic import Field

from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.contamination.pii import Personal, PiiKind, PiiScanner, scanner_version
from pipeline.settings import Section
from pipeline.stages.contract import Context, Resource, Stage, reject

_NEEDED_BY = "the stage pii"


class PiiSettings(Section):
    kinds: tuple[PiiKind, ...] = Field(
        get_args(PiiKind), min_length=1, description="the kinds of personal data for which a row is rejected"
    )
    source: bool = Field(True, description="look at the source's texts too, not only at what is spoken")


SCANNER: Resource[PiiScanner] = Resource(
    "personal data", lambda recipe, work: PiiScanner(_NEEDED_BY), lambda recipe: scanner_version(_NEEDED_BY)
)


def pii(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings, scanner = context.recipe.section(PiiSettings), context.resource(SCANNER)
    return [_judged(dialogue, scanner, settings) for dialogue in dialogues]


def _judged(dialogue: Dialogue, scanner: PiiScanner, settings: PiiSettings) -> Dialogue:
    for turn, text in _texts(dialogue, settings.source):
        for found in scanner.find(text, dialogue.language):
            if found.kind in settings.kinds:
                return reject(dialogue, Reason.PERSONAL_DATA, _detail(found, turn))
    return dialogue


def _texts(dialogue: Dialogue, source: bool) -> Iterator[tuple[int, str]]:
    for number, turn in enumerate(dialogue.turns):
        texts = (turn.text, turn.original_text, turn.material) if source else (turn.text,)
        yield from ((number, text) for text in texts if text)


def _detail(found: Personal, turn: int) -> str:
    return f"{found.kind} {found.masked} in turn {turn}"


PII = Stage(
    name="pii",
    about="rejects rows with personal data in a text",
    settings=PiiSettings,
    apply=pii,
    reads=frozenset({"turns.text", "turns.original_text", "turns.material"}),
    writes=frozenset(),
    after=("tools", "overlap", "judge", "converse", "respond"),
    resources=lambda recipe: (SCANNER,),
)
