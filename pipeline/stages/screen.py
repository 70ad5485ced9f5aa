"""screen: rejects rows that cannot be spoken, cannot be understood or must not be answered.

Up to three steps, each on the rows that passed the step before:

* rules, as the engine or, with `rules_first`, before a model. Engine task "screen"; variables `instruction`,
  `material`, `question`, `answer`; options `max_words`, `max_non_text_share`. Before a model, and where a model wrote
  the question, only the question is judged, as its own instruction;
* a model, task "screen": can the question be answered aloud, is it clear;
* another model, task "safety", with a prompt of its own.

Models get form "first" or "next" (with the exchanges before) and the variable `question`. All answer `verdict` ("keep"
or the value of a `Reason`) and `detail`.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.engines.contract import TextAnswer, TextRequest
from pipeline.engines.text.rules.limits import WORDING
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._exchanges import (
    Asking,
    SourceTexts,
    ask_in_turn,
    check_prompt,
    exchange_at,
    is_model,
    source_history,
    source_texts,
    without_answer_debris,
)
from pipeline.stages._verdicts import judged
from pipeline.stages.contract import Context, EngineKey, Stage
from pipeline.stages.registry import engines_of
from pipeline.text.debris import PATTERNS

_RULES = "rules"

Share = Annotated[float, Field(ge=0, le=1)]


class ScreenSettings(Section):
    engine: str = Field(description="text engine: rules, or the name of a model")
    prompt: str | None = Field(None, description="template and version (ke-screen/v2), for a model")
    retries: int = Field(1, ge=0, le=100, description="number of times to ask a model again after an unusable answer")
    rules_first: bool = Field(True, description="reject by rules before a model is asked")
    safety: str | None = Field(None, description="model that judges safety, in a separate call; none: no call")
    safety_prompt: str | None = Field(None, description="template and version (ke-safety/v2)")
    max_words: int = Field(200, description="longest source text in words (OmniFlatten)")
    max_non_text_share: Share = Field(
        0.3, description="largest allowed share of characters that are neither letters, digits nor punctuation"
    )


def screen(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    results = list(dialogues)
    if not _is_model_asked(context.recipe):
        results = [without_answer_debris(dialogue) for dialogue in results]
    for step in _steps(context):
        results = ask_in_turn(step, results, context)
    return results


def _steps(context: Context) -> Iterator[Asking]:
    recipe = context.recipe
    settings = recipe.section(ScreenSettings)
    if not is_model(recipe, settings.engine):
        yield _rules(settings.engine, context)
    else:
        if settings.rules_first:
            yield _rules(_RULES, context)
        yield _model("screen", settings.engine, settings.prompt, context)
    if settings.safety:
        yield _model("safety", settings.safety, settings.safety_prompt, context)


def _rules(engine: str, context: Context) -> Asking:
    settings = context.recipe.section(ScreenSettings)
    only_question = _is_model_asked(context.recipe)

    def request(dialogue: Dialogue, number: int) -> TextRequest:
        pair = exchange_at(dialogue, number)
        question = pair.user.text or ""
        source = SourceTexts(question, "", "") if only_question else source_texts(pair)
        return TextRequest(
            task="screen",
            language=dialogue.language,
            variables={
                "instruction": source.instruction,
                "material": source.material,
                "question": question,
                "answer": source.answer,
            },
            seed=context.seed_for("screen", dialogue, pair.user_index),
            options={"max_words": settings.max_words, "max_non_text_share": settings.max_non_text_share},
        )

    def use(dialogue: Dialogue, number: int, answer: TextAnswer) -> Dialogue:
        # Who has an agent with tools gives orders, and answers its questions with single words.
        is_order = dialogue.tools is not None and answer.fields["verdict"] == Reason.UNCLEAR.value
        return dialogue if is_order else judged(dialogue, number, answer)

    return Asking(engine, None, 0, request, use)


def _model(task: str, engine: str, prompt: str | None, context: Context) -> Asking:
    def request(dialogue: Dialogue, number: int) -> TextRequest:
        pair = exchange_at(dialogue, number)
        return TextRequest(
            task=task,
            language=dialogue.language,
            variables={"question": pair.user.text or ""},
            seed=context.seed_for(task, dialogue, pair.user_index),
            history=source_history(dialogue, number),
            form="next" if number else "first",
        )

    return Asking(engine, prompt, context.recipe.section(ScreenSettings).retries, request, judged)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    settings = recipe.section(ScreenSettings)
    names = [_RULES] if is_model(recipe, settings.engine) and settings.rules_first else []
    names += [settings.engine, *([settings.safety] if settings.safety else [])]
    return tuple(("text", name) for name in dict.fromkeys(names))


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    settings = recipe.section(ScreenSettings)
    model = is_model(recipe, settings.engine)
    rules = [f"{_RULES if model else settings.engine}-screen/{WORDING}"] if settings.rules_first or not model else []
    source = [] if _is_model_asked(recipe) else [PATTERNS]
    models = [settings.prompt if model else None, settings.safety_prompt if settings.safety else None]
    return (*rules, *source, *(name for name in models if name))


def _is_model_asked(recipe: Recipe) -> bool:
    """Tell whether only the question counts: a model judges it or wrote it, and will write the answer."""
    return is_model(recipe, recipe.section(ScreenSettings).engine) or _model_wrote(recipe)


def _model_wrote(recipe: Recipe) -> bool:
    """Tell whether a stage before this one lets a language model write the questions."""
    names = list(recipe.stages)
    before = names[: names.index(SCREEN.name)] if SCREEN.name in names else []
    return any(kind == "text" and is_model(recipe, name) for kind, name in engines_of(recipe, before))


def _check_recipe(recipe: Recipe) -> None:
    settings = recipe.section(ScreenSettings)
    check_prompt("screen", settings.engine, settings.prompt, recipe)
    if settings.safety and not is_model(recipe, settings.safety):
        raise ValueError(f"screen.safety: the recipe has no model {settings.safety!r}; define it as models.NAME")
    if settings.safety and settings.safety_prompt is None:
        raise ValueError("screen.safety needs a prompt: set screen.safety_prompt=NAME/VERSION")


SCREEN = Stage(
    name="screen",
    about="rejects rows that cannot be spoken or must not be answered",
    settings=ScreenSettings,
    apply=screen,
    reads=frozenset({"turns.text", "turns.original_text", "turns.material", "tools"}),
    writes=frozenset(),
    after=("rewrite",),
    engines=_engines,
    prompts=_prompts,
    check=_check_recipe,
)
