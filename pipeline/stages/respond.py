"""respond: the question gets its last polish and the agent its spoken answer.

Engine task "respond": variables `question`, `answer` (the source's own, may be empty); options `answer_limit`,
`answer_target`; answers `question`, `answer`. Whatever the engine says of itself, the length and the characters of
both texts are checked here.
"""

from collections.abc import Sequence
from dataclasses import replace

from manifests.reasons import Reason
from manifests.schema import Dialogue
from pipeline.engines.protocols import Failure, TextAnswer, TextRequest
from pipeline.recipe import Recipe
from pipeline.stage import Context, EngineKey, Stage, reject
from pipeline.stages.dialogue import Exchange, ask_engine, exchanges
from pipeline.verbalize import count_units, unspeakable


def respond(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.respond

    def request(dialogue: Dialogue, pair: Exchange) -> TextRequest:
        return TextRequest(
            task="respond",
            language=dialogue.language,
            variables={"question": pair.user.text or "", "answer": pair.agent.original_text},
            seed=context.seed_for("respond", dialogue, pair.user_index),
            options={"answer_limit": settings.answer_limit, "answer_target": settings.answer_target},
        )

    answers = ask_engine(context.engines["text", settings.engine], dialogues, request)
    return [_answered(d, group, settings.answer_limit) for d, group in zip(dialogues, answers, strict=True)]


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
