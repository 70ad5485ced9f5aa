"""cast: one user voice and one agent voice for the whole dialogue, drawn by the dialogue's own seed.

A dialogue whose user is to be cast anew (see gate) has no user voice; the voices it had before are not drawn again
while others are left.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.recipe import Recipe
from pipeline.stage import Context, EngineKey, Stage, reject


def cast(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    return [_cast(dialogue, context) for dialogue in dialogues]


def _cast(dialogue: Dialogue, context: Context) -> Dialogue:
    heard = {attempt.voice_id for turn in dialogue.turns if turn.role == "user" for attempt in turn.attempts}
    user = dialogue.user_voice or context.casting.draw(
        dialogue.language, False, context.seed_for("cast-user", dialogue, len(heard)), avoid=heard
    )
    agent = dialogue.agent_voice or context.casting.draw(
        dialogue.language, True, context.seed_for("cast-agent", dialogue)
    )
    if user is None or agent is None:
        missing = "user" if user is None else "agent"
        bank = context.recipe.cast.bank
        return reject(dialogue, Reason.NO_VOICE, f"no {missing} voice for {dialogue.language} in the bank {bank}")
    return replace(dialogue, user_voice=user, agent_voice=agent)


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return ()


CAST = Stage("cast", cast, frozenset({"user_voice", "agent_voice"}), _engines)
