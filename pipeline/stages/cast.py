"""cast: one user voice and one agent voice for the whole dialogue.

Users are taken from a walk over the bank, by the dialogue's place in the corpus, so that a corpus uses as many voices
as it can. Agents are drawn by the dialogue's own seed. A dialogue whose user is to be cast anew (see gate) has no user
voice: another of the same gender is drawn by seed, and none that was heard before while others are left.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.recipe import Recipe, public_bank
from pipeline.stages.contract import Context, EngineKey, Stage, reject


def cast(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_cast(dialogue, context) for dialogue in dialogues]


def _cast(dialogue: Dialogue, context: Context) -> Dialogue:
    user = dialogue.user_voice or _user(dialogue, context)
    agent = dialogue.agent_voice or context.casting.draw(
        dialogue.language, True, context.seed_for("cast-agent", dialogue)
    )
    if user is None or agent is None:
        missing = "user" if user is None else "agent"
        bank = public_bank(context.recipe.cast.bank)
        return reject(dialogue, Reason.NO_VOICE, f"no {missing} voice for {dialogue.language} in the bank {bank}")
    return replace(dialogue, user_voice=user, agent_voice=agent)


def _user(dialogue: Dialogue, context: Context) -> str | None:
    heard = {take.voice_id for turn in dialogue.turns if turn.role == "user" for take in turn.attempts}
    if not heard and dialogue.ordinal is not None:
        return context.casting.user_at(dialogue.language, dialogue.ordinal, context.seed)
    gender = min(context.casting.genders_of(heard), default=None)
    seed = context.seed_for("cast-user", dialogue, len(heard))
    return context.casting.draw(dialogue.language, False, seed, avoid=heard, gender=gender)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return ()


CAST = Stage("cast", cast, frozenset({"user_voice", "agent_voice"}), _engines, voices=True)
