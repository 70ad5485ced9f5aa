"""respond: polishes the question a last time and gives the agent its spoken answer.

Engine task "respond"; answers `question` (none: unchanged) and `answer`. Rules: variables `question`, `answer`
(the source's own, may be empty); options `answer_limit`, `answer_target`. Models: form "first" or "next" (with the
spoken exchanges before), variable `question`; option `answer_limit`. A model writes the answer itself: the source's
own is not shown to it, and its reasoning is replaced by the model's (answer `thought`, which nobody hears) or dropped.

An agent that calls a tool, and of which the data set has no words, says a short confirmation (`prompts/rules-tools`).

A template may also ask for a `question_style` and an `answer_style`: a few words on how each is spoken, which become
the turn's style, for synthesizers that take one.

Length, script and characters of both texts are checked here, whatever the engine has checked itself.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from manifests.changes import replace
from manifests.schema import Dialogue
from pipeline.engines.contract import Complaint, TextRequest
from pipeline.engines.text._chat.template import load_template
from pipeline.engines.text.rules.limits import WORDING
from pipeline.prompts import load_cached, split_name
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._exchanges import (
    Asking,
    ask_in_turn,
    check_prompt,
    exchange_at,
    is_model,
    source_texts,
    spoken_history,
    without_answer_debris,
)
from pipeline.stages._spoken_text import check_language, check_not_asked_back, check_present, check_spoken, with_spoken
from pipeline.stages._styles import check_styles, with_styles
from pipeline.stages.contract import Context, EngineKey, Stage
from pipeline.text.debris import PATTERNS
from pipeline.yaml_text import load_yaml

CONFIRMATIONS = "rules-tools/v1"


class RespondSettings(Section):
    engine: str = Field(description="text engine: rules, or the name of a model")
    prompt: str | None = Field(None, description="template and version (ke-respond/v2), for a model")
    retries: int = Field(2, ge=0, le=100, description="number of times to ask a model again after an unusable answer")
    answer_target: int = Field(40, gt=0, description="no further sentence is added once the answer is this long")


def respond(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.section(RespondSettings)
    if not is_model(context.recipe, settings.engine):
        dialogues = [without_answer_debris(dialogue) for dialogue in dialogues]
    step = Asking(
        engine=settings.engine,
        prompt=settings.prompt,
        retries=settings.retries,
        request=lambda dialogue, number: _request(dialogue, number, context),
        use=lambda dialogue, number, answer: _answered(dialogue, number, answer.fields, context.recipe),
    )
    return ask_in_turn(step, dialogues, context)


def _answered(dialogue: Dialogue, number: int, fields: Mapping[str, str], recipe: Recipe) -> Dialogue:
    pair = exchange_at(dialogue, number)
    spoken = with_styles(with_spoken(dialogue, number, fields, pair.user.text or ""), number, fields)
    if not is_model(recipe, recipe.section(RespondSettings).engine):
        return spoken
    turns = list(spoken.turns)
    turns[pair.agent_index] = replace(turns[pair.agent_index], thought=fields.get("thought"))
    return replace(spoken, turns=tuple(turns))


def writes_styles(recipe: Recipe) -> bool:
    """Tell whether a template of the recipe asks for the style of a turn.

    Raises UserError if the recipe names a template that does not exist.
    """
    settings = recipe.find(RespondSettings)
    if settings is None or settings.prompt is None or not is_model(recipe, settings.engine):
        return False
    templates = [load_template(settings.prompt, language) for language in recipe.languages]
    return any(key.field.endswith("_style") for template in templates for key in template.answer.values())


def polishes_questions(recipe: Recipe, language: str) -> bool:
    """Tell whether `respond` rewrites the question; if not, the question from `rewrite` is spoken.

    Raises UserError if the recipe names a template that does not exist.
    """
    settings = recipe.find(RespondSettings)
    if settings is None:
        return False
    if not is_model(recipe, settings.engine) or settings.prompt is None:
        return True
    asked_for = load_template(settings.prompt, language).answer.values()
    return any(key.field == "question" for key in asked_for)


def _request(dialogue: Dialogue, number: int, context: Context) -> TextRequest:
    recipe = context.recipe
    settings = recipe.section(RespondSettings)
    pair = exchange_at(dialogue, number)
    question = pair.user.text or ""
    is_written = is_model(recipe, settings.engine)  # in a data set, the user may give next what the agent asks for

    def check(fields: Mapping[str, str]) -> Complaint | None:
        return (
            _check_thought(fields, dialogue.language)
            or check_spoken(fields, dialogue, recipe, question=question)
            or (check_not_asked_back(fields.get("answer", "")) if is_written else None)
            or check_styles(fields)
        )

    request = TextRequest(
        task="respond",
        language=dialogue.language,
        variables={"question": question},
        seed=context.seed_for("respond", dialogue, pair.user_index),
        options={"answer_limit": recipe.texts.answer_limit},
        check=check,
    )
    if is_written:
        return replace(request, history=spoken_history(dialogue, number), form="next" if number else "first")
    return replace(
        request,
        variables={
            **request.variables,
            "answer": source_texts(pair).answer or _confirmation(dialogue, number, context),
        },
        options={
            **request.options,
            "answer_target": settings.answer_target,
            "allow_latin": recipe.texts.allow_latin,
        },
    )


def _check_thought(fields: Mapping[str, str], language: str) -> Complaint | None:
    if (thought := fields.get("thought")) is None:
        return None
    return check_present("thought", thought, language) or check_language("thought", thought, language)


def _confirmation(dialogue: Dialogue, number: int, context: Context) -> str:
    """Return what an agent says that calls a tool without a word; nothing for one that calls none."""
    pair = exchange_at(dialogue, number)
    if pair.agent.calls is None:
        return ""
    task, version = split_name(CONFIRMATIONS)
    wording: list[str] = load_yaml(load_cached(task, dialogue.language, version).text)["confirmations"]
    return wording[context.seed_for("respond", dialogue, "confirmation", pair.agent_index) % len(wording)]


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.section(RespondSettings).engine),)


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    settings = recipe.section(RespondSettings)
    if not is_model(recipe, settings.engine):
        own = (CONFIRMATIONS,) if "tools" in recipe.stages else ()
        return (f"{settings.engine}-respond/{WORDING}", PATTERNS, *own)
    return (settings.prompt, PATTERNS) if settings.prompt else (PATTERNS,)


def _check_recipe(recipe: Recipe) -> None:
    settings = recipe.section(RespondSettings)
    check_prompt("respond", settings.engine, settings.prompt, recipe)


RESPOND = Stage(
    name="respond",
    about="polishes the question a last time and gives the agent its spoken answer",
    settings=RespondSettings,
    apply=respond,
    reads=frozenset({"turns.text", "turns.original_text", "turns.calls"}),
    writes=frozenset({"turns.text", "turns.thought", "turns.style"}),
    spoils=frozenset({"turns.take"}),
    after=("dedup", "screen", "rewrite"),
    engines=_engines,
    prompts=_prompts,
    check=_check_recipe,
)
