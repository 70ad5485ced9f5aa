"""What the recipe demands of the texts that are going to be spoken: shared by the stages that write them."""

from collections.abc import Iterable, Mapping

from manifests.schema import Dialogue
from pipeline.engines.contract import Complaint
from pipeline.recipe import Recipe
from pipeline.stages._checks import check_answer, check_question, first_complaint
from pipeline.stages._turns import with_texts
from pipeline.stages._typography import without_marks

_QUESTION_LENGTH = 60
"""As the longest question that the recipe's defaults allow in English."""


def question_limit(recipe: Recipe, language: str) -> int:
    """Longest question: words, or characters of an unspaced script."""
    return recipe.texts.question_limit.get(language, _QUESTION_LENGTH)


def check_spoken(
    fields: Mapping[str, str], dialogue: Dialogue, recipe: Recipe, *, question: str = "", unlike: Iterable[str] = ()
) -> Complaint | None:
    """What is wrong with the `question` and the `answer` of an exchange.

    An author who writes no question leaves `question` as it is; `unlike` are questions that this one must not repeat.
    """
    language, latin = dialogue.language, recipe.texts.allow_latin
    asked, said = spoken_texts(fields, language, question)
    limit = question_limit(recipe, language)
    return first_complaint(
        check_question(asked, language, limit, unlike=unlike, allow_latin=latin),
        check_answer(said, language, recipe.texts.answer_limit, allow_latin=latin),
    )


def spoken_texts(fields: Mapping[str, str], language: str, question: str = "") -> tuple[str, str]:
    """Question and answer without typographic marks."""
    asked, said = fields.get("question", question), fields.get("answer", "")
    return without_marks(asked, language), without_marks(said, language)


def with_spoken(dialogue: Dialogue, number: int, fields: Mapping[str, str], question: str = "") -> Dialogue:
    """The dialogue with these texts in that exchange."""
    return with_texts(dialogue, number, *spoken_texts(fields, dialogue.language, question))
