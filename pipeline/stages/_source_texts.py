"""The texts of the data set as the text stages see them: without what no person says (`pipeline.text.debris`).

The row keeps its texts as they were read. Every stage that shows them to an engine takes them from here, so that no
two stages see different ones.
"""

from functools import lru_cache
from typing import NamedTuple

from manifests.schema import Dialogue
from pipeline.stages._exchanges import Exchange, all_exchanges, exchange_at
from pipeline.stages.contract import reject
from pipeline.text.debris import Debris, clean_answer, clean_material, clean_question


class SourceTexts(NamedTuple):
    """The instruction, its material ("" if it is none) and the answer of an exchange."""

    instruction: str
    material: str
    answer: str


def source_texts(pair: Exchange) -> SourceTexts:
    """Return the source's texts of the exchange, cleaned."""
    user = pair.user
    return SourceTexts(
        _question(user.original_text, user.material)[0], clean_material(user.material).text, _answer_of(pair)[0]
    )


def without_question_debris(dialogue: Dialogue) -> Dialogue:
    """Reject the dialogue if a question of the source, or its material, is nobody's words for speech."""
    for number in all_exchanges(dialogue):
        user = exchange_at(dialogue, number).user
        if found := _question(user.original_text, user.material)[1]:
            return reject(dialogue, found.reason, found.detail)
    return dialogue


def without_answer_debris(dialogue: Dialogue) -> Dialogue:
    """Reject the dialogue if an answer of the source is none that an agent would speak."""
    for number in all_exchanges(dialogue):
        pair = exchange_at(dialogue, number)
        found = _answer_of(pair)[1] if pair.agent.original_text.strip() else None
        if found:
            return reject(dialogue, found.reason, f"in the answer: {found.detail}")
    return dialogue


@lru_cache(maxsize=64)
def _question(instruction: str, material: str) -> tuple[str, Debris | None]:
    said = clean_question(instruction)
    return said.text, said.debris or clean_material(material).debris


def _answer_of(pair: Exchange) -> tuple[str, Debris | None]:
    return _answer(pair.agent.original_text, pair.user.original_text)


@lru_cache(maxsize=64)
def _answer(answer: str, question: str) -> tuple[str, Debris | None]:
    return clean_answer(answer, question)
