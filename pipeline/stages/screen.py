"""screen: rows that cannot be spoken, cannot be understood or must not be answered are rejected.

Up to three steps, each on what the one before let pass:

* rules, as the engine or, with `rules_first`, before a model. Engine task "screen"; variables `instruction`,
  `material`, `question`, `answer`; options `max_words`, `max_non_text_share`. Before a model, and where a model wrote
  the question, it is the question alone that is judged, as its own instruction;
* a model, task "screen": can the question be answered aloud, is it clear;
* another model, task "safety", with a prompt of its own.

Models get form "first" or "next" (with the exchanges before) and the variable `question`. All answer `verdict` ("keep"
or the value of a `Reason`) and `detail`.
"""

from collections.abc import Iterator, Sequence

from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue
from pipeline.engines.contract import TextAnswer, TextRequest
from pipeline.recipe import Recipe
from pipeline.stages._asking import Step, ask_in_turn, is_model
from pipeline.stages._turns import exchange_at, source_history
from pipeline.stages.contract import Context, EngineKey, Stage, reject

_RULES = "rules"
_DETAIL_CHARACTERS = 200


def screen(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    results = list(dialogues)
    for step in _steps(context):
        results = ask_in_turn(step, results, context)
    return results


def _steps(context: Context) -> Iterator[Step]:
    recipe = context.recipe
    settings = recipe.screen
    if not is_model(recipe, settings.engine):
        yield _rules(settings.engine, context)
    else:
        if settings.rules_first:
            yield _rules(_RULES, context)
        yield _model("screen", settings.engine, settings.prompt, context)
    if settings.safety:
        yield _model("safety", settings.safety, settings.safety_prompt, context)


def _rules(engine: str, context: Context) -> Step:
    settings = context.recipe.screen
    only_question = any(is_model(context.recipe, name) for name in (settings.engine, context.recipe.rewrite.engine))

    def request(dialogue: Dialogue, number: int) -> TextRequest:
        pair = exchange_at(dialogue, number)
        question = pair.user.text or ""
        return TextRequest(
            task="screen",
            language=dialogue.language,
            variables={
                "instruction": question if only_question else pair.user.original_text,
                "material": "" if only_question else pair.user.material,
                "question": question,
                "answer": "" if only_question else pair.agent.original_text,
            },
            seed=context.seed_for("screen", dialogue, pair.user_index),
            options={"max_words": settings.max_words, "max_non_text_share": settings.max_non_text_share},
        )

    return Step(engine, None, 0, request, _judged)


def _model(task: str, engine: str, prompt: str | None, context: Context) -> Step:
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

    return Step(engine, prompt, context.recipe.screen.retries, request, _judged)


def _judged(dialogue: Dialogue, number: int, answer: TextAnswer) -> Dialogue:
    if (verdict := answer.fields.get("verdict", "")) == "keep":
        return dialogue
    # A verdict that is not in the list is no reason to keep the row.
    detail = " ".join(answer.fields.get("detail", "").split())[:_DETAIL_CHARACTERS]
    return reject(dialogue, reason_of(verdict) or Reason.TEXT_ENGINE_FAILED, detail)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    settings = recipe.screen
    names = [_RULES] if is_model(recipe, settings.engine) and settings.rules_first else []
    names += [settings.engine, *([settings.safety] if settings.safety else [])]
    return tuple(("text", name) for name in dict.fromkeys(names))


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    settings = recipe.screen
    model = is_model(recipe, settings.engine)
    rules = [f"{_RULES if model else settings.engine}-screen/v1"] if settings.rules_first or not model else []
    models = [settings.prompt if model else None, settings.safety_prompt if settings.safety else None]
    return (*rules, *(name for name in models if name))


SCREEN = Stage("screen", screen, frozenset(), _engines, _prompts)
