"""respond: the question gets its last polish and the agent its spoken answer.

Engine task "respond": variables `question`, `answer` (the source's own, may be empty); options `answer_limit`,
`answer_target`; answers `question`, `answer`. Whatever the engine says of itself, the length and the characters of
both texts are checked here.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.engines.protocols import Failure, TextAnswer, TextGenerator, TextRequest
from pipeline.recipe import Recipe
from pipeline.stage import Context, EngineKey, Stage, reject
from pipeline.stages.dialogue import exchanges
from pipeline.verbalize import count_units, unspeakable


def respond(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    engine: TextGenerator = context.engines[_engines(context.recipe)[0]]
    requests = [_requests(dialogue, context) for dialogue in dialogues]
    answers = iter(engine.generate([request for group in requests for request in group]))
    return [
        _answered(dialogue, [next(answers) for _ in group], context.recipe.respond.answer_limit)
        for dialogue, group in zip(dialogues, requests, strict=True)
    ]


def _requests(dialogue: Dialogue, context: Context) -> list[TextRequest]:
    settings = context.recipe.respond
    return [
        TextRequest(
            task="respond",
            language=dialogue.language,
            variables={"question": pair.user.text or "", "answer": pair.agent.original_text},
            seed=context.seed_for("respond", dialogue, pair.user_index),
            options={"answer_limit": settings.answer_limit, "answer_target": settings.answer_target},
        )
        for pair in exchanges(dialogue)
    ]


def _answered(dialogue: Dialogue, answers: Sequence[TextAnswer | Failure], answer_limit: int) -> Dialogue:
    turns = list(dialogue.turns)
    for pair, answer in zip(exchanges(dialogue), answers, strict=True):
        if isinstance(answer, Failure):
            return reject(dialogue, answer.reason, answer.detail)
        question, spoken = answer.fields["question"], answer.fields["answer"]
        for text in (question, spoken):
            if odd := unspeakable(text, dialogue.language):
                return reject(dialogue, Reason.UNPRONOUNCEABLE, " ".join(odd[:10]))
        if (length := count_units(spoken, dialogue.language)) > answer_limit:
            return reject(dialogue, Reason.ANSWER_TOO_LONG, f"{length} units, the limit is {answer_limit}")
        turns[pair.user_index] = replace(pair.user, text=question)
        turns[pair.agent_index] = replace(pair.agent, text=spoken)
    return replace(dialogue, turns=tuple(turns))


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.respond.engine),)


RESPOND = Stage("respond", respond, frozenset({"turns.text"}), _engines)
