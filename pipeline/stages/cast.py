"""cast: chooses one user voice and one agent voice for the whole dialogue.

User voices come from a walk over the bank, by the dialogue's place in the corpus, so that a corpus uses as many voices
as possible. Agent voices are drawn by the dialogue's own seed. A dialogue whose user is to be cast again (see gate)
has no user voice: another of the same gender is drawn by seed, and no earlier voice of this dialogue while others are
left. Where somebody is heard in the background, a third voice is drawn among those of the users.
"""

from collections.abc import Sequence

from pydantic import Field, field_serializer

from manifests.changes import replace
from manifests.errors import RecipeError
from manifests.reasons import Reason
from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.engines.contract import SPEAKING_KINDS
from pipeline.recipe import Recipe
from pipeline.settings import Section, public_name
from pipeline.stages._castable import castable_bank
from pipeline.stages.contract import Context, Resource, Stage, reject
from pipeline.stages.registry import engines_of
from voicebank.bank import Bank, load_bank
from voicebank.cast import Agents, Casting


def public_bank(bank: str) -> str:
    """Return the bank's name for manifests and messages: only the last part of an address or absolute path."""
    return bank.rstrip("/").rsplit("/", 1)[-1] if "://" in bank else public_name(bank)


class CastSettings(Section):
    bank: str = Field("offline", description="voice bank: the name of one that Parley ships, or a directory")
    agents: Agents = Field(
        "all",
        description="agent voices of a language to cast: all, one (the bank's first), "
        "or pair (the bank's first female and first male)",
    )

    @field_serializer("bank")
    def _no_private_path(self, bank: str) -> str:
        """Shorten a private path: the recipe is copied into manifests."""
        return public_bank(bank)


def cast(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_cast(dialogue, context) for dialogue in dialogues]


def _cast(dialogue: Dialogue, context: Context) -> Dialogue:
    user = dialogue.user_voice or _user(dialogue, context)
    agent = dialogue.agent_voice or context.resource(CASTING).draw(
        dialogue.language, True, context.seed_for("cast-agent", dialogue)
    )
    if user is None or agent is None:
        missing = "user" if user is None else "agent"
        bank = public_bank(context.recipe.section(CastSettings).bank)
        return reject(dialogue, Reason.NO_VOICE, f"no {missing} voice for {dialogue.language} in the bank {bank}")
    background = dialogue.background_voice or _background(dialogue, user, context)
    return replace(dialogue, user_voice=user, agent_voice=agent, background_voice=background)


def _background(dialogue: Dialogue, user: str, context: Context) -> str | None:
    """Draw who is heard in the background: not the user, unless the bank has one user voice alone."""
    if not any(turn.kind == "background" for turn in dialogue.turns):
        return None
    seed = context.seed_for("cast-background", dialogue)
    return context.resource(CASTING).draw(dialogue.language, False, seed, avoid={user})


def _user(dialogue: Dialogue, context: Context) -> str | None:
    own = [turn for turn in dialogue.turns if turn.role == "user" and turn.kind != "background"]
    heard = {take.voice_id for turn in own for take in turn.attempts}
    if not heard and dialogue.ordinal is not None:
        return context.resource(CASTING).user_at(dialogue.language, dialogue.ordinal, context.seed)
    gender = min(context.resource(CASTING).genders_of(heard), default=None)
    seed = context.seed_for("cast-user", dialogue, len(heard))
    return context.resource(CASTING).draw(dialogue.language, False, seed, avoid=heard, gender=gender)


def speaking_engines(recipe: Recipe) -> list[str]:
    """Return the engines that the recipe's stages speak with, as voices name them."""
    return [recipe.engine_of(name) for name in _synthesizers(recipe)]


def engines_and_models(recipe: Recipe) -> list[str]:
    """Return what `Voice.engine` may be in a `spoken_bank`: the engines, and the models that share one."""
    return [*speaking_engines(recipe), *_synthesizers(recipe)]


def spoken_bank(recipe: Recipe, bank: Bank) -> Bank:
    """Return the bank with each voice given to the synthesizer that speaks with it; see `castable_bank`."""
    return castable_bank(recipe, _synthesizers(recipe), bank)


def _synthesizers(recipe: Recipe) -> list[str]:
    return [name for kind, name in engines_of(recipe, tuple(recipe.stages)) if kind in SPEAKING_KINDS]


def open_casting(recipe: Recipe, work: Place | None = None) -> Casting:
    """Open the recipe's voices that its engines can speak with; raises RecipeError if there are none."""
    settings = recipe.section(CastSettings)
    bank, engines = spoken_bank(recipe, load_bank(settings.bank)), engines_and_models(recipe)
    if not bank.select(engines=engines):
        shown, known = public_bank(settings.bank), ", ".join(speaking_engines(recipe))
        virtual = any(voice.parents for voice in bank.voices)
        hint = "; `parley voicebank voice-prompts` gives its voices clips for engines that clone" if virtual else ""
        raise RecipeError(f"the bank {shown} has no voice for {known}; name one that has: cast.bank=DIR{hint}")
    return Casting(bank, engines, settings.agents)


def _version(recipe: Recipe) -> str:
    open_casting(recipe)  # a bank without voices for the engines ends the job before it starts
    return load_bank(recipe.section(CastSettings).bank).digest


CASTING: Resource[Casting] = Resource("voices", open_casting, _version)
"""Voices that the recipe may cast."""

CAST = Stage(
    name="cast",
    about="chooses one user voice and one agent voice for the whole dialogue, and one for the background",
    settings=CastSettings,
    apply=cast,
    reads=frozenset({"language"}),
    writes=frozenset({"user_voice", "agent_voice", "background_voice"}),
    pool="voices",
    after=("overlap", "converse", "respond", "dedup", "screen", "rewrite"),
    resources=lambda recipe: (CASTING,),
)
