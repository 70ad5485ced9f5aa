"""converse: adds exchanges to the dialogue, each written from the exchanges before it (LLaMA-Omni 2).

Engine task "converse", form "next": no variables, the spoken exchanges so far as history; options `answer_limit`,
`max_length`; answers `question`, `answer`.

The wanted number of exchanges is drawn from a Poisson distribution and clipped to 1..`turns_max` (clipped, not drawn
again: the source says so); a dialogue that already has that many or more keeps them all. If no try gives a usable
exchange, the dialogue ends with the reason. It is not kept shorter: that would silently lose a turn, and bias the
distribution of lengths towards short dialogues.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import Field

from manifests.schema import Dialogue, Turn
from pipeline.engines.contract import Complaint, TextAnswer, TextRequest
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._exchanges import Asking, all_exchanges, ask_in_turn, is_model, spoken_history
from pipeline.stages._spoken_text import check_not_asked_back, check_spoken, question_limit, spoken_texts
from pipeline.stages.contract import Context, EngineKey, Stage
from pipeline.text.debris import PATTERNS

_SEED_BITS = 63
"""Bits of a seed from `Context.seed_for`."""


class ConverseSettings(Section):
    """Adds exchanges, each written from those before it (LLaMA-Omni 2). `respond`'s limits apply to the answers."""

    engine: str = Field(description="the name of a model")
    prompt: str = Field(description="template and version (instructs2s-converse/v2)")
    retries: int = Field(2, ge=0, le=100, description="number of times to ask again after an unusable answer")
    turns_mean: float = Field(
        2.0, gt=0, le=100, description="mean of the Poisson distribution of exchanges in a dialogue"
    )
    turns_max: int = Field(5, ge=1, le=1000, description="the drawn number is clipped to 1..this, not drawn again")


def converse(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.section(ConverseSettings)
    step = Asking(
        engine=settings.engine,
        prompt=settings.prompt,
        retries=settings.retries,
        request=lambda dialogue, number: _ask(dialogue, number, context),
        use=_appended,
        span=lambda dialogue: range(len(all_exchanges(dialogue)), wanted_exchanges(dialogue, context)),
    )
    return ask_in_turn(step, dialogues, context)


def wanted_exchanges(dialogue: Dialogue, context: Context) -> int:
    """Draw the wanted number of exchanges by the dialogue's own seed, in 1..`turns_max`."""
    settings = context.recipe.section(ConverseSettings)
    return clipped_poisson(settings.turns_mean, settings.turns_max, context.seed_for("converse", dialogue))


def clipped_poisson(mean: float, most: int, seed: int) -> int:
    """Draw from Poisson(mean), clipped to 1..most, by the inverse of the distribution function.

    `seed` in 0..2**63-1 is the uniform number. No random generator is involved, so the result is the same with every
    version of every library.
    """
    uniform = seed / 2**_SEED_BITS
    count, share = 0, math.exp(-mean)
    below = share
    while uniform >= below and count < most:
        count += 1
        share *= mean / count
        below += share
    return max(count, 1)


def _ask(dialogue: Dialogue, number: int, context: Context) -> TextRequest:
    recipe = context.recipe
    history = spoken_history(dialogue, number)

    def check(fields: Mapping[str, str]) -> Complaint | None:
        earlier = [question for question, _ in history]
        return check_spoken(fields, dialogue, recipe, unlike=earlier) or check_not_asked_back(fields.get("answer", ""))

    return TextRequest(
        task="converse",
        language=dialogue.language,
        variables={},
        seed=context.seed_for("converse", dialogue, number),
        options={
            "answer_limit": recipe.texts.answer_limit,
            "max_length": question_limit(recipe, dialogue.language),
        },
        history=history,
        form="next",
        check=check,
    )


def _appended(dialogue: Dialogue, number: int, answer: TextAnswer) -> Dialogue:
    question, spoken = spoken_texts(answer.fields, dialogue.language)
    exchange = (
        Turn(role="user", original_text="", text=question),
        Turn(role="agent", original_text="", text=spoken),
    )
    return replace(dialogue, turns=(*dialogue.turns, *exchange))


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.section(ConverseSettings).engine),)


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    return (recipe.section(ConverseSettings).prompt, PATTERNS)


def _check_recipe(recipe: Recipe) -> None:
    engine = recipe.section(ConverseSettings).engine
    if not is_model(recipe, engine):
        raise ValueError(f"converse.engine: the recipe has no model {engine!r}; define it as models.NAME")


CONVERSE = Stage(
    name="converse",
    about="adds exchanges to the dialogue, each written from the exchanges before it",
    settings=ConverseSettings,
    apply=converse,
    reads=frozenset({"turns.text"}),
    writes=frozenset({"turns"}),
    spoils=frozenset({"turns.take"}),
    after=("respond",),
    engines=_engines,
    prompts=_prompts,
    check=_check_recipe,
)
