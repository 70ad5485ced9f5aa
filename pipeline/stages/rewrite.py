"""rewrite: turns every user turn into a question that a person would ask aloud.

Engine task "rewrite"; answers `question`. Rules: variables `instruction`, `material`; options `fillers`, `max_length`.
Models: form "fragment" (variable `fragment`: of the first turn, where the recipe says so), "whole" (`instruction`,
with its material) or, for later turns, "next" (`instruction`, and the exchanges before it as history); option
`max_length`.
The template decides whether a model's question contains fillers.

Sources that no rewriting can save are rejected before a model is asked: see `pipeline.stages._model_input`.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from manifests.schema import Dialogue
from pipeline.engines.contract import Check, Complaint, TextAnswer, TextRequest
from pipeline.recipe import Lengths, Recipe
from pipeline.settings import Section
from pipeline.stages._asking import Asking, ask_in_turn, check_prompt, is_model
from pipeline.stages._checks import check_question
from pipeline.stages._model_input import InputLimits, model_source, reject_hopeless
from pipeline.stages._spoken_text import question_limit
from pipeline.stages._turns import exchange_at, source_history, with_texts
from pipeline.stages._typography import without_marks
from pipeline.stages.contract import Context, EngineKey, Stage
from pipeline.stages.respond import polishes_questions
from pipeline.stages.screen import ScreenSettings
from pipeline.text.fragments import PATTERNS


class RewriteSettings(Section):
    engine: str = Field(description="text engine: rules, or the name of a model")
    prompt: str | None = Field(None, description="template and version (ke-rewrite/v1), for a model")
    retries: int = Field(2, ge=0, description="number of times to ask a model again after an unusable answer")
    fragments: bool = Field(
        False, description="for tasks such as summarising, give the model only the material, as incomplete inspiration"
    )
    fragment_length: Lengths = Field({"en": 120, "zh": 200}, description="longest fragment; the rest is cut off")
    source_length: Lengths = Field(
        {"en": 400, "zh": 600}, description="longest whole instruction that is given to a model"
    )
    fillers: bool = Field(False, description="let the question contain fillers, as InstructS2S does")


def rewrite(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    recipe = context.recipe
    settings = recipe.section(RewriteSettings)
    model = is_model(recipe, settings.engine)
    if model:
        dialogues = [reject_hopeless(dialogue, _limits(recipe)) for dialogue in dialogues]
    ask = _ask_model if model else _ask_rules
    step = Asking(
        engine=settings.engine,
        prompt=settings.prompt,
        retries=settings.retries,
        request=lambda dialogue, number: ask(dialogue, number, context),
        use=lambda dialogue, number, answer: _rewritten(dialogue, number, answer, recipe),
    )
    return ask_in_turn(step, dialogues, context)


def _ask_rules(dialogue: Dialogue, number: int, context: Context) -> TextRequest:
    pair = exchange_at(dialogue, number)
    settings = context.recipe.section(RewriteSettings)
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
    source = model_source(dialogue, number, _limits(context.recipe))
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


def _limits(recipe: Recipe) -> InputLimits:
    settings, screened = recipe.section(RewriteSettings), recipe.find(ScreenSettings)
    return InputLimits(
        settings.fragments,
        settings.fragment_length,
        settings.source_length,
        screened.max_non_text_share if screened else 1.0,
        screened is not None and screened.rules_first,
    )


def _check(language: str, recipe: Recipe, material: str) -> Check:
    limit = question_limit(recipe, language)
    final = not polishes_questions(recipe, language)
    latin = recipe.texts.allow_latin

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
    return (("text", recipe.section(RewriteSettings).engine),)


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    settings = recipe.section(RewriteSettings)
    if not is_model(recipe, settings.engine):
        return (f"{settings.engine}-rewrite/v1",)
    own = (settings.prompt,) if settings.prompt else ()
    return (*own, "rules-screen/v1", *((PATTERNS,) if settings.fragments else ()))


def _check_recipe(recipe: Recipe) -> None:
    settings = recipe.section(RewriteSettings)
    check_prompt("rewrite", settings.engine, settings.prompt, recipe)


REWRITE = Stage(
    name="rewrite",
    about="turns every user turn into a question that a person would ask aloud",
    settings=RewriteSettings,
    apply=rewrite,
    reads=frozenset({"turns.original_text", "turns.material"}),
    writes=frozenset({"turns.text"}),
    spoils=frozenset({"turns.take"}),
    engines=_engines,
    prompts=_prompts,
    check=_check_recipe,
)
