"""Applies the recipe's limits to texts that will be spoken, for all stages that write them."""

from collections.abc import Iterable, Mapping

from manifests.schema import Dialogue
from pipeline.engines.contract import Complaint
from pipeline.recipe import Recipe
from pipeline.stages._checks import check_answer, check_question, first_complaint
from pipeline.stages._turns import with_texts
from pipeline.stages._typography import without_marks

_QUESTION_LENGTH = 60
"""The longest question that the recipe's defaults allow in English, in words."""


def question_limit(recipe: Recipe, language: str) -> int:
    """Return the length of the longest allowed question, in words, or in characters of an unspaced script."""
    return recipe.texts.question_limit.get(language, _QUESTION_LENGTH)


def check_spoken(
    fields: Mapping[str, str], dialogue: Dialogue, recipe: Recipe, *, question: str = "", unlike: Iterable[str] = ()
) -> Complaint | None:
    """Say what is wrong with the `question` and the `answer` of an exchange.

    Where `fields` has no question, `question` is unchanged; the new one must not repeat any of `unlike`.
    """
    language, latin = dialogue.language, recipe.texts.allow_latin
    asked, said = spoken_texts(fields, language, question)
    limit = question_limit(recipe, language)
    return first_complaint(
        check_question(asked, language, limit, unlike=unlike, allow_latin=latin),
        check_answer(said, language, recipe.texts.answer_limit, allow_latin=latin),
    )


def spoken_texts(fields: Mapping[str, str], language: str, question: str = "") -> tuple[str, str]:
    """Return question and answer without typographic marks."""
    asked, said = fields.get("question", question), fields.get("answer", "")
    return without_marks(asked, language), without_marks(said, language)


def with_spoken(dialogue: Dialogue, number: int, fields: Mapping[str, str], question: str = "") -> Dialogue:
    """Put these texts into that exchange of the dialogue."""
    return with_texts(dialogue, number, *spoken_texts(fields, dialogue.language, question))
