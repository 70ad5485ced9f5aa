"""overlap: lets two people be heard at once: who breaks in where, what listeners say, how users slip and pause.

It works on texts alone: added turns have a `kind` and a `cue`, words that a user takes back and pauses have labels
(`manifests.timeline`). `arrange` makes samples of them.

Rules find the places and have the words (`prompts/rules-overlap`). A language model, where the recipe names one, is
asked about one exchange of each dialogue: engine task "overlap", form "next" (variable `next`: the user's next words,
with which the user may break in) or "last"; the exchanges up to that one as history; option `backchannels`. It
answers where, in words that it copies from the turn, and what is said: `restart`, `correction`, `correction_before`,
`backchannel`, `backchannel_after`, `interruption`, `interrupt_after`, `reply`, `pause_after`, `aside`, `aside_after`;
each is empty where nothing fits. So the texts themselves cannot change under its hands. Only what was drawn for the
dialogue is taken from the answer.

The shares are those of dialogues for which a thing is drawn. Where the texts have no place for it, nothing happens.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from pydantic import Field

from manifests.schema import Dialogue
from pipeline.engines.contract import Complaint, TextRequest
from pipeline.recipe import Recipe
from pipeline.settings import Section
from pipeline.stages._exchanges import Asking, all_exchanges, ask_in_turn, check_prompt, is_model, spoken_history
from pipeline.stages._overlap_draft import Draft, Draws, woven
from pipeline.stages._overlap_marks import check_marks
from pipeline.stages._overlap_rules import (
    Marked,
    Scene,
    Step,
    backchannels,
    barge_in,
    false_start,
    pause,
    remark,
    run,
    self_correction,
    silence,
)
from pipeline.stages._overlap_wording import WORDING, overlap_wording
from pipeline.stages._spoken_text import question_limit
from pipeline.stages.contract import Context, EngineKey, Stage
from pipeline.stages.gate import Share

_WRITERS = ("rewrite", "screen", "dedup", "respond", "converse", "judge")
MARKED = ("false_start", "self_correction", "pause", "barge_in", "user_backchannels", "aside")
"""What a language model can mark."""


class OverlapSettings(Section):
    engine: str = Field("rules", description="text engine: rules, or the name of a model")
    prompt: str | None = Field(None, description="template and version (duplex-overlap/v2), for a model")
    retries: int = Field(2, ge=0, le=100, description="number of times to ask a model again after an unusable answer")
    barge_in: Share = Field(0.3, description="share of dialogues in which the user breaks into an answer")
    stop_phrase: bool = Field(False, description="break in with the stop phrase alone, into the last answer")
    user_backchannels: Share = Field(0.5, description="share in which the user backchannels in the agent's turns")
    agent_backchannels: Share = Field(0.2, description="share in which the agent backchannels in the user's turns")
    backchannels_most: int = Field(3, ge=1, le=100, description="most backchannels of one speaker in a dialogue")
    false_start: Share = Field(0.15, description="share in which the user begins a turn twice")
    self_correction: Share = Field(0.1, description="share in which the user says a word wrongly and corrects it")
    pause: Share = Field(0.3, description="share in which the user stops inside a turn")
    aside: Share = Field(0.05, description="share in which the user says something to somebody else")
    background: Share = Field(0.05, description="share in which somebody else is heard in the background")
    silence: Share = Field(0.05, description="share in which the user says nothing until the agent asks")


def overlap(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.section(OverlapSettings)
    asked = [is_model(context.recipe, settings.engine) and bool(_drawn(d, context) & set(MARKED)) for d in dialogues]
    step = Asking(
        engine=settings.engine,
        prompt=settings.prompt,
        retries=settings.retries,
        request=lambda dialogue, number: _request(dialogue, number, context),
        use=lambda dialogue, number, answer: _overlapped(dialogue, context, Marked(number, answer.fields)),
        span=lambda dialogue: range(number := _marked_exchange(dialogue, context), number + 1),
    )
    answered = iter(ask_in_turn(step, [d for d, ask in zip(dialogues, asked, strict=True) if ask], context))
    return [next(answered) if ask else _overlapped(d, context) for d, ask in zip(dialogues, asked, strict=True)]


def _drawn(dialogue: Dialogue, context: Context) -> set[str]:
    """Return what happens in the dialogue, by the names of the settings."""
    settings, draws = context.recipe.section(OverlapSettings), Draws(context, dialogue)
    return {name for name in _steps(settings) if draws.happens(f"{name}-happens", getattr(settings, name))}


def _steps(settings: OverlapSettings) -> Mapping[str, Step]:
    """Return the steps by the names of their shares, in the order in which they are done."""
    return {
        "false_start": false_start,
        "self_correction": self_correction,
        "pause": pause,
        "barge_in": partial(barge_in, stop_phrase=settings.stop_phrase),
        "silence": silence,
        "user_backchannels": partial(backchannels, role="user", most=settings.backchannels_most),
        "agent_backchannels": partial(backchannels, role="agent", most=settings.backchannels_most),
        "aside": lambda draft, scene: remark(draft, scene, "aside", scene.wording.asides),
        "background": lambda draft, scene: remark(draft, scene, "background", scene.wording.background),
    }


def _overlapped(dialogue: Dialogue, context: Context, marked: Marked | None = None) -> Dialogue:
    recipe, language = context.recipe, dialogue.language
    scene = Scene(
        Draws(context, dialogue),
        language,
        overlap_wording(language),
        question_limit(recipe, language),
        recipe.texts.answer_limit,
        marked,
    )
    drawn = _drawn(dialogue, context)
    steps = [step for name, step in _steps(recipe.section(OverlapSettings)).items() if name in drawn]
    return woven(run(steps, Draft(dialogue), scene))


def _marked_exchange(dialogue: Dialogue, context: Context) -> int:
    return Draws(context, dialogue).pick("exchange", all_exchanges(dialogue))


def _request(dialogue: Dialogue, number: int, context: Context) -> TextRequest:
    turns, agent = dialogue.turns, 2 * number + 1
    then = turns[agent + 1].text or "" if agent + 1 < len(turns) else ""
    drawn = _drawn(dialogue, context)

    def check(fields: Mapping[str, str]) -> Complaint | None:
        return check_marks(fields, dialogue, number, drawn, context.recipe)

    return TextRequest(
        task="overlap",
        language=dialogue.language,
        variables={"next": then} if then else {},
        seed=context.seed_for("overlap", dialogue, number),
        options={"backchannels": " ".join(overlap_wording(dialogue.language).backchannels["user"])},
        history=spoken_history(dialogue, number + 1),
        form="next" if then else "last",
        check=check,
    )


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.section(OverlapSettings).engine),)


def _prompts(recipe: Recipe) -> tuple[str, ...]:
    settings = recipe.section(OverlapSettings)
    return (settings.prompt, WORDING) if is_model(recipe, settings.engine) and settings.prompt else (WORDING,)


def _check_recipe(recipe: Recipe) -> None:
    settings, names = recipe.section(OverlapSettings), list(recipe.stages)
    check_prompt("overlap", settings.engine, settings.prompt, recipe)
    if later := [name for name in _WRITERS if name in names[names.index(OVERLAP.name) :]]:
        raise ValueError(f"overlap: it must stand behind {later[-1]}, which knows only questions and their answers")


OVERLAP = Stage(
    name="overlap",
    about="adds interruptions, backchannels, slips, pauses, asides and silences to the texts",
    settings=OverlapSettings,
    apply=overlap,
    reads=frozenset({"turns.text", "language"}),
    writes=frozenset({"turns", "turns.text", "turns.cue", "turns.labels"}),
    spoils=frozenset({"turns.take"}),
    after=("judge", "converse", "respond"),
    engines=_engines,
    prompts=_prompts,
    check=_check_recipe,
)
