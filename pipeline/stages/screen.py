"""screen: rows that cannot be spoken, cannot be understood or must not be answered are rejected.

Engine task "screen": variables `instruction`, `material`, `question`, `answer` (the source's own); options
`max_words`, `max_non_text_share`; answers `verdict` ("keep" or the value of a `Reason`) and `detail`.
"""

from collections.abc import Sequence

from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue
from pipeline.engines.protocols import Failure, TextAnswer, TextRequest
from pipeline.recipe import Recipe
from pipeline.stage import Context, EngineKey, Stage, reject
from pipeline.stages.dialogue import Exchange, ask_engine


def screen(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    settings = context.recipe.screen

    def request(dialogue: Dialogue, pair: Exchange) -> TextRequest:
        return TextRequest(
            task="screen",
            language=dialogue.language,
            variables={
                "instruction": pair.user.original_text,
                "material": pair.user.material,
                "question": pair.user.text or "",
                "answer": pair.agent.original_text,
            },
            seed=context.seed_for("screen", dialogue, pair.user_index),
            options={"max_words": settings.max_words, "max_non_text_share": settings.max_non_text_share},
        )

    answers = ask_engine(context.engines["text", settings.engine], dialogues, request)
    return [_judged(dialogue, group) for dialogue, group in zip(dialogues, answers, strict=True)]


def _judged(dialogue: Dialogue, answers: Sequence[TextAnswer | Failure]) -> Dialogue:
    for answer in answers:
        if isinstance(answer, Failure):
            return reject(dialogue, answer.reason, answer.detail)
        if (verdict := answer.fields["verdict"]) != "keep":
            # A verdict that is not in the list is no reason to keep the row.
            return reject(dialogue, reason_of(verdict) or Reason.TEXT_ENGINE_FAILED, answer.fields.get("detail", ""))
    return dialogue


def _engines(recipe: Recipe) -> tuple[EngineKey, ...]:
    return (("text", recipe.screen.engine),)


SCREEN = Stage("screen", screen, frozenset(), _engines)
