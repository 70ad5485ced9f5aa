"""Asks a text engine about the exchanges of many dialogues and hands its answers to the stage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from manifests.schema import Dialogue
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.recipe import Recipe
from pipeline.stages._turns import all_exchanges
from pipeline.stages.contract import Context, reject


def is_model(recipe: Recipe, engine: str) -> bool:
    """Tell whether the recipe's engine of that name is a language model, and not one of the engine table (rules)."""
    return engine in recipe.models


def check_prompt(stage: str, engine: str, prompt: str | None, recipe: Recipe) -> None:
    """Raise ValueError for a stage that names a model without a prompt for it."""
    if is_model(recipe, engine) and prompt is None:
        raise ValueError(f"{stage}: the model {engine} needs a prompt: set {stage}.prompt=NAME/VERSION")


def ask_engine(
    context: Context, engine: str, requests: Sequence[TextRequest], prompt: str | None = None, retries: int = 0
) -> list[TextAnswer | Failure]:
    """Return the answers of the recipe's engine of that name, in order; an answer that fails its check is a Failure.

    A language model is told which prompt to use and how often to try; its token usage is added to the meter.
    """
    if is_model(context.recipe, engine):
        requests = [replace(request, prompt=prompt, retries=retries) for request in requests]
    answers = context.engines["text", engine].generate(requests)
    for answer in answers:
        context.meter.add(engine, answer.spent)
    return [_checked(request, answer) for request, answer in zip(requests, answers, strict=True)]


def _checked(request: TextRequest, answer: TextAnswer | Failure) -> TextAnswer | Failure:
    if isinstance(answer, Failure) or request.check is None:
        return answer
    complaint = request.check(answer.fields)
    return Failure(complaint.reason, complaint.detail, answer.spent) if complaint else answer


@dataclass(frozen=True)
class Asking:
    """Describes how to ask one engine about exchanges, and what to do with its answers.

    `request(dialogue, number)` asks about one exchange; `use(dialogue, number, answer)` returns the dialogue with the
    answer in it, or rejected; `span` returns the numbers of the exchanges to ask about. `dialogue` includes the
    answers of this step so far.
    """

    engine: str
    prompt: str | None
    retries: int
    request: Callable[[Dialogue, int], TextRequest]
    use: Callable[[Dialogue, int, TextAnswer], Dialogue]
    span: Callable[[Dialogue], range] = all_exchanges


def ask_in_turn(step: Asking, dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    """Run the step and return the dialogues; one that ended keeps the turns that it had before the step.

    A model is asked exchange by exchange: about the first exchange of all dialogues in one batch, then about the
    second. So each request can include the exchanges before it as history, and a dialogue that has ended costs no
    further call. Rules use no history and cost nothing: they get all exchanges in one batch.
    """
    results = list(dialogues)
    places = [(i, number) for i, dialogue in enumerate(dialogues) for number in step.span(dialogue)]
    if is_model(context.recipe, step.engine):
        batches = [[place for place in places if place[1] == number] for number in sorted({n for _, n in places})]
    else:
        batches = [places]
    for batch in batches:
        _ask_about(batch, step, results, context)
    return [
        after if after.status == "live" else replace(after, turns=before.turns)
        for before, after in zip(dialogues, results, strict=True)
    ]


def _ask_about(places: Sequence[tuple[int, int]], step: Asking, results: list[Dialogue], context: Context) -> None:
    """Ask about these (dialogue, exchange) places and put the answers into `results`."""
    places = [(i, number) for i, number in places if results[i].status == "live"]
    if not places:
        return
    requests = [step.request(results[i], number) for i, number in places]
    answers = ask_engine(context, step.engine, requests, step.prompt, step.retries)
    for (i, number), answer in zip(places, answers, strict=True):
        if results[i].status == "live":
            results[i] = _after(step, results[i], number, answer)


def _after(step: Asking, dialogue: Dialogue, number: int, answer: TextAnswer | Failure) -> Dialogue:
    if isinstance(answer, Failure):
        return reject(dialogue, answer.reason, answer.detail)
    return step.use(dialogue, number, answer)
