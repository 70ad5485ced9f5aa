"""rewrite: turns every user turn into a question that a person would ask aloud.

Engine task "rewrite"; answers `question`. Rules: variables `instruction`, `material`; options `fillers`, `max_length`.
Models: form "fragment" (variable `fragment`: of the first turn, where the recipe says so), "whole" (`instruction`,
with its material) or, for later turns, "next" (`instruction`, and the exchanges before it as history); option
`max_length`.
The template decides whether a model's question contains fillers.

A model can turn many an unspeakable *task* into a speakable question (an essay into a question about its topic, a
picture into one about what it shows), so the rules' verdicts on tables, media, long writing, formulas and missing
material do not apply before a model; the question that it wrote is judged instead. These sources remain hopeless, and
are rejected before a model is asked:

* unsafe: the topic stays unsafe in any wording;
* code: a question about the same code needs code in its answer;
* a source that is hardly text, or longer than the recipe allows for a model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import Field

from manifests.changes import replace
from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.engines.contract import Complaint, TextRequest
from pipeline.engines.text.rules.limits import WORDING, beginning
from pipeline.engines.text.rules.patterns import screen_wording
from pipeline.engines.text.rules.screen import Finding, judge_source, non_text_share
from pipeline.recipe import Lengths, Recipe
from pipeline.settings import Section
from pipeline.stages._exchanges import (
    Asking,
    SourceTexts,
    all_exchanges,
    ask_in_turn,
    check_prompt,
    exchange_at,
    is_model,
    source_history,
    source_texts,
    with_texts,
    without_question_debris,
)
from pipeline.stages._spoken_text import (
    check_about,
    check_asks,
    check_question,
    question_limit,
    spoken_question,
)
from pipeline.stages.contract import Context, EngineKey, Stage, reject
from pipeline.stages.respond import polishes_questions
from pipeline.stages.screen import ScreenSettings
from pipeline.text import debris
from pipeline.text.fragments import PATTERNS, find_fragment
from pipeline.text.verbalize import strip_markup, text_length

_HOPELESS = frozenset({Reason.UNSAFE, Reason.CODE})
_SOURCE_LENGTH = 400
_FRAGMENT_LENGTH = 120
"""As the recipe's defaults for English."""
_CHARACTERS_PER_WORD = 20
"""A text with fewer than one word per this many characters is not prose; its characters are counted instead."""


class RewriteSettings(Section):
    engine: str = Field(description="text engine: rules, or the name of a model")
    prompt: str | None = Field(None, description="template and version (ke-rewrite/v2), for a model")
    retries: int = Field(2, ge=0, le=100, description="number of times to ask a model again after an unusable answer")
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
    dialogues = [without_question_debris(dialogue) for dialogue in dialogues]
    if is_model(recipe, settings.engine):
        dialogues = [_reject_hopeless(dialogue, recipe) for dialogue in dialogues]
    step = Asking(
        engine=settings.engine,
        prompt=settings.prompt,
        retries=settings.retries,
        request=lambda dialogue, number: _request(dialogue, number, context),
        use=lambda dialogue, number, answer: with_texts(
            dialogue, number, _question(answer.fields, dialogue.language, recipe)
        ),
    )
    return ask_in_turn(step, dialogues, context)


@dataclass(frozen=True, slots=True)
class _ModelSource:
    """Holds a model's input: `text` is the `variable` of `form`; the question must not simply repeat `material`."""

    form: str
    variable: str
    text: str
    material: str


def _model_source(dialogue: Dialogue, number: int, settings: RewriteSettings) -> _ModelSource:
    source = source_texts(exchange_at(dialogue, number))
    if number == 0 and settings.fragments:
        limit = settings.fragment_length.get(dialogue.language, _FRAGMENT_LENGTH)
        if fragment := find_fragment(source.instruction, source.material, dialogue.language, limit):
            return _ModelSource("fragment", "fragment", fragment.text, fragment.text)
    whole = f"{source.instruction}\n{source.material}".strip()
    return _ModelSource("next" if number else "whole", "instruction", whole, source.material)


def _reject_hopeless(dialogue: Dialogue, recipe: Recipe) -> Dialogue:
    """Reject the dialogue if a model should not be asked about one of its turns."""
    for number in all_exchanges(dialogue):
        if found := _judge(dialogue, number, recipe):
            return reject(dialogue, found.reason, found.detail)
    return dialogue


def _judge(dialogue: Dialogue, number: int, recipe: Recipe) -> Finding | None:
    source, language = source_texts(exchange_at(dialogue, number)), dialogue.language
    screened, found = recipe.find(ScreenSettings), None
    if screened:
        found = _non_text(source, language, screened.max_non_text_share)
    if screened and screened.rules_first and not found:
        found = judge_source(source.instruction, source.material, language)
        found = found if found and found.reason in _HOPELESS else None
    return found or _too_long(dialogue, number, recipe.section(RewriteSettings))


def _non_text(source: SourceTexts, language: str, limit: float) -> Finding | None:
    text = strip_markup(f"{beginning(source.instruction)}\n{beginning(source.material)}")
    share = non_text_share(text, screen_wording(language))
    return Finding(Reason.NON_TEXT, f"share {share:.2f}, the limit is {limit:.2f}") if share > limit else None


def _too_long(dialogue: Dialogue, number: int, settings: RewriteSettings) -> Finding | None:
    """Find a source that is too long. Only a fragment may be cut; other sources are used whole or rejected."""
    source = _model_source(dialogue, number, settings)
    limit = settings.source_length.get(dialogue.language, _SOURCE_LENGTH)
    length = max(text_length(source.text, dialogue.language), len(source.text) // _CHARACTERS_PER_WORD)
    if source.form == "fragment" or length <= limit:
        return None
    return Finding(Reason.TOO_LONG, f"length {length}, the limit is {limit}")


def _request(dialogue: Dialogue, number: int, context: Context) -> TextRequest:
    recipe, language = context.recipe, dialogue.language
    settings = recipe.section(RewriteSettings)
    pair = exchange_at(dialogue, number)
    texts = source_texts(pair)
    request = TextRequest(
        task="rewrite",
        language=language,
        variables={"instruction": texts.instruction, "material": texts.material},
        seed=context.seed_for("rewrite", dialogue, pair.user_index),
        options={"max_length": question_limit(recipe, language)},
        check=partial(_check, language, recipe, texts.material, ""),
    )
    if not is_model(recipe, settings.engine):
        own = {"fillers": settings.fillers, "allow_latin": recipe.texts.allow_latin}
        return replace(request, options={**request.options, **own})
    source = _model_source(dialogue, number, settings)
    return replace(
        request,
        variables={source.variable: source.text},
        history=source_history(dialogue, number),
        form=source.form,
        check=partial(_check, language, recipe, source.material, source.text if source.form == "whole" else ""),
    )


def _check(language: str, recipe: Recipe, material: str, about: str, fields: Mapping[str, str]) -> Complaint | None:
    """Say what is wrong with the question: it may not repeat `material`, and must ask, about `about`, unless empty."""
    text = _question(fields, language, recipe)
    return check_question(
        text,
        language,
        question_limit(recipe, language),
        unlike=(material,),
        speakable=not polishes_questions(recipe, language),
        allow_latin=recipe.texts.allow_latin,
    ) or ((check_about(text, about) or check_asks(text, language)) if about else None)


def _question(fields: Mapping[str, str], language: str, recipe: Recipe) -> str:
    """Return the question as it is put into the row: as it will be spoken, unless `respond` writes it again."""
    text = fields.get("question", "")
    return text if polishes_questions(recipe, language) else spoken_question(text, language)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.section(RewriteSettings).engine),)


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    settings = recipe.section(RewriteSettings)
    if not is_model(recipe, settings.engine):
        return (f"{settings.engine}-rewrite/{WORDING}", debris.PATTERNS)
    own = (settings.prompt,) if settings.prompt else ()
    return (*own, f"rules-screen/{WORDING}", debris.PATTERNS, *((PATTERNS,) if settings.fragments else ()))


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
