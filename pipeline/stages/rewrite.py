"""rewrite: every user turn becomes what a person would ask aloud.

Engine task "rewrite": variables `instruction`, `material`; options `fillers`, `max_units`; answers `question`.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.schema import Dialogue
from pipeline.engines.protocols import Failure, TextAnswer, TextRequest
from pipeline.recipe import Recipe
from pipeline.stage import Context, EngineKey, Stage, reject
from pipeline.stages.dialogue import Exchange, ask_engine, exchanges


def rewrite(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.rewrite

    def request(dialogue: Dialogue, pair: Exchange) -> TextRequest:
        return TextRequest(
            task="rewrite",
            language=dialogue.language,
            variables={"instruction": pair.user.original_text, "material": pair.user.material},
            seed=context.seed_for("rewrite", dialogue, pair.user_index),
            options={"fillers": settings.fillers, "max_units": settings.max_units.get(dialogue.language, 60)},
        )

    answers = ask_engine(context.engines["text", settings.engine], dialogues, request)
    return [_answered(dialogue, group) for dialogue, group in zip(dialogues, answers, strict=True)]


def _answered(dialogue: Dialogue, answers: Sequence[TextAnswer | Failure]) -> Dialogue:
    turns = list(dialogue.turns)
    for pair, answer in zip(exchanges(dialogue), answers, strict=True):
        if isinstance(answer, Failure):
            return reject(dialogue, answer.reason, answer.detail)
        turns[pair.user_index] = replace(pair.user, text=answer.fields["question"])
    return replace(dialogue, turns=tuple(turns))


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.rewrite.engine),)


REWRITE = Stage("rewrite", rewrite, frozenset({"turns.text"}), _engines)
