"""judge: rejects finished dialogues that do not hang together, leave their roles or do not sound like people talking.

Engine task "judge", form "whole": no variables, all spoken exchanges as history; answers `verdict` ("keep" or the
value of a `Reason`) and `detail`. screen judges a question before there is an answer; here both sides are judged, with
the texts as they will be spoken, and before anything is spent on speech.
"""

from collections.abc import Sequence

from pydantic import Field

from manifests.schema import Dialogue
from pipeline.engines.contract import TextRequest
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._exchanges import Asking, all_exchanges, ask_in_turn, is_model, spoken_history
from pipeline.stages._verdicts import judged
from pipeline.stages.contract import Context, EngineKey, Stage

_WRITERS = ("rewrite", "respond", "converse")


class JudgeSettings(Section):
    """Has a language model judge each finished dialogue, in one call."""

    engine: str = Field(description="the name of a model, better not the one that wrote the dialogues")
    prompt: str = Field("dialogue-judge/v1", description="template and version")
    retries: int = Field(1, ge=0, le=100, description="number of times to ask again after an unusable answer")


def judge(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.section(JudgeSettings)
    step = Asking(
        engine=settings.engine,
        prompt=settings.prompt,
        retries=settings.retries,
        request=lambda dialogue, number: _request(dialogue, context),
        use=judged,
        span=lambda dialogue: all_exchanges(dialogue)[:1],
    )
    return ask_in_turn(step, dialogues, context)


def _request(dialogue: Dialogue, context: Context) -> TextRequest:
    return TextRequest(
        task="judge",
        language=dialogue.language,
        variables={},
        seed=context.seed_for("judge", dialogue),
        history=spoken_history(dialogue, len(all_exchanges(dialogue))),
        form="whole",
    )


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.section(JudgeSettings).engine),)


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    return (recipe.section(JudgeSettings).prompt,)


def _check_recipe(recipe: Recipe) -> None:
    engine, names = recipe.section(JudgeSettings).engine, list(recipe.stages)
    if not is_model(recipe, engine):
        raise ValueError(f"judge.engine: the recipe has no model {engine!r}; define it as models.NAME")
    place = names.index(JUDGE.name)
    if later := [name for name in _WRITERS if name in names[place:]]:
        raise ValueError(f"judge: it must stand behind {later[-1]}, which writes what it judges")
    if "gate" in names[:place]:
        raise ValueError("judge: it must stand before gate, behind which every row has ended")


JUDGE = Stage(
    name="judge",
    about="rejects finished dialogues that are incoherent, out of role or unnatural",
    settings=JudgeSettings,
    apply=judge,
    reads=frozenset({"turns.text"}),
    writes=frozenset(),
    after=("converse", "respond"),
    engines=_engines,
    prompts=_prompts,
    check=_check_recipe,
)
