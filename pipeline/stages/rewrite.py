"""rewrite: every user turn becomes what a person would ask aloud.

Engine task "rewrite"; answers `question`. Rules: variables `instruction`, `material`; options `fillers`, `max_length`.
Models: form "fragment" (variable `fragment`: of the first turn, where the recipe says so), "whole" (`instruction`,
with its material) or, for later turns, "next" (`instruction`, and the exchanges before it as history); option
`max_length`.
Whether a model's question carries fillers is the template's business.

What no rewriting can save is rejected before a model is asked: see `pipeline.stages._model_input`.
"""

from collections.abc import Mapping, Sequence

from manifests.schema import Dialogue
from pipeline.engines.contract import Check, Complaint, TextAnswer, TextRequest
from pipeline.recipe import Recipe
from pipeline.stages._asking import Step, ask_in_turn, is_model
from pipeline.stages._checks import check_question
from pipeline.stages._model_input import model_source, reject_hopeless
from pipeline.stages._spoken_text import polishes_questions, question_limit
from pipeline.stages._turns import exchange_at, source_history, with_texts
from pipeline.stages._typography import without_marks
from pipeline.stages.contract import Context, EngineKey, Stage
from pipeline.text.fragments import PATTERNS


def rewrite(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    recipe = context.recipe
    settings = recipe.rewrite
    model = is_model(recipe, settings.engine)
    if model:
        dialogues = [reject_hopeless(dialogue, recipe) for dialogue in dialogues]
    ask = _ask_model if model else _ask_rules
    step = Step(
        engine=settings.engine,
        prompt=settings.prompt,
        retries=settings.retries,
        request=lambda dialogue, number: ask(dialogue, number, context),
        use=lambda dialogue, number, answer: _rewritten(dialogue, number, answer, recipe),
    )
    return ask_in_turn(step, dialogues, context)


def _ask_rules(dialogue: Dialogue, number: int, context: Context) -> TextRequest:
    pair = exchange_at(dialogue, number)
    settings = context.recipe.rewrite
    return TextRequest(
        task="rewrite",
        language=dialogue.language,
        variables={"instruction": pair.user.original_text, "material": pair.user.material},
        seed=context.seed_for("rewrite", dialogue, pair.user_index),
        options={"fillers": settings.fillers, "max_length": question_limit(context.recipe, dialogue.language)},
        check=_check(dialogue.language, context.recipe, pair.user.material),
    )


def _ask_model(dialogue: Dialogue, number: int, context: Context) -> TextRequest:
    pair = exchange_at(dialogue, number)
    source = model_source(dialogue, number, context.recipe)
    return TextRequest(
        task="rewrite",
        language=dialogue.language,
        variables={source.variable: source.text},
        seed=context.seed_for("rewrite", dialogue, pair.user_index),
        options={"max_length": question_limit(context.recipe, dialogue.language)},
        history=source_history(dialogue, number),
        form=source.form,
        check=_check(dialogue.language, context.recipe, source.material),
    )


def _check(language: str, recipe: Recipe, material: str) -> Check:
    limit = question_limit(recipe, language)
    final = not polishes_questions(recipe, language)
    latin = recipe.respond.allow_latin

    def check(fields: Mapping[str, str]) -> Complaint | None:
        text = _question(fields, language, final)
        return check_question(text, language, limit, unlike=(material,), speakable=final, allow_latin=latin)

    return check


def _rewritten(dialogue: Dialogue, number: int, answer: TextAnswer, recipe: Recipe) -> Dialogue:
    final = not polishes_questions(recipe, dialogue.language)
    return with_texts(dialogue, number, _question(answer.fields, dialogue.language, final))


def _question(fields: Mapping[str, str], language: str, final: bool) -> str:
    text = fields.get("question", "")
    return without_marks(text, language) if final else text


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.rewrite.engine),)


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    settings = recipe.rewrite
    if not is_model(recipe, settings.engine):
        return (f"{settings.engine}-rewrite/v1",)
    own = (settings.prompt,) if settings.prompt else ()
    return (*own, "rules-screen/v1", *((PATTERNS,) if settings.fragments else ()))


REWRITE = Stage("rewrite", rewrite, frozenset({"turns.text"}), _engines, _prompts)
