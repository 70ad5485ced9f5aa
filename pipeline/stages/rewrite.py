"""rewrite: every user turn becomes what a person would ask aloud.

Engine task "rewrite": variables `instruction`, `material`; options `fillers`, `max_units`; answers `question`.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.schema import Dialogue
from pipeline.engines.protocols import Failure, TextAnswer, TextGenerator, TextRequest
from pipeline.recipe import Recipe
from pipeline.stage import Context, EngineKey, Stage, reject
from pipeline.stages.dialogue import exchanges


def rewrite(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    engine: TextGenerator = context.engines[_engines(context.recipe)[0]]
    requests = [_requests(dialogue, context) for dialogue in dialogues]
    answers = iter(engine.generate([request for group in requests for request in group]))
    return [
        _answered(dialogue, [next(answers) for _ in group])
        for dialogue, group in zip(dialogues, requests, strict=True)
    ]


def _requests(dialogue: Dialogue, context: Context) -> list[TextRequest]:
    settings = context.recipe.rewrite
    return [
        TextRequest(
            task="rewrite",
            language=dialogue.language,
            variables={"instruction": pair.user.original_text, "material": pair.user.material},
            seed=context.seed_for("rewrite", dialogue, pair.user_index),
            options={"fillers": settings.fillers, "max_units": settings.max_units.get(dialogue.language, 60)},
        )
        for pair in exchanges(dialogue)
    ]


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
