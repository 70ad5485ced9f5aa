"""The exchanges of a dialogue: their texts, and asking a text engine about those of many dialogues.

The texts of the data set are cleaned of what no person says (`pipeline.text.debris`). The row keeps them as they were
read; every stage that shows them to an engine takes them from here, so that no two stages see different ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from manifests.changes import replace
from manifests.schema import Dialogue, Turn
from pipeline.engines.contract import Failure, TextAnswer, TextRequest
from pipeline.recipe import Recipe
from pipeline.stages.contract import Context, reject
from pipeline.text.debris import clean_answer, clean_material, clean_question


class Exchange(NamedTuple):
    """Holds a user turn and the agent's answer to it, with their positions in the dialogue."""

    user_index: int
    user: Turn
    agent_index: int
    agent: Turn


def exchange_at(dialogue: Dialogue, number: int) -> Exchange:
    """Return exchange `number`, from 0; ingest made sure that user and agent alternate, the user first."""
    first = 2 * number
    return Exchange(first, dialogue.turns[first], first + 1, dialogue.turns[first + 1])


def all_exchanges(dialogue: Dialogue) -> range:
    """Return the numbers of the exchanges."""
    return range(len(dialogue.turns) // 2)


def with_texts(dialogue: Dialogue, number: int, question: str, answer: str | None = None) -> Dialogue:
    """Put these spoken texts into that exchange of the dialogue; None leaves the answer unchanged."""
    turns = list(dialogue.turns)
    pair = exchange_at(dialogue, number)
    turns[pair.user_index] = replace(pair.user, text=question)
    if answer is not None:
        turns[pair.agent_index] = replace(pair.agent, text=answer)
    return replace(dialogue, turns=tuple(turns))


def spoken_history(dialogue: Dialogue, number: int) -> tuple[tuple[str, str], ...]:
    """Return the spoken question and answer of each exchange before that one."""
    pairs = [exchange_at(dialogue, k) for k in range(number)]
    return tuple((pair.user.text or "", pair.agent.text or "") for pair in pairs)


def source_history(dialogue: Dialogue, number: int) -> tuple[tuple[str, str], ...]:
    """Return each earlier spoken question and the start of the source's answer, for stages before respond."""
    pairs = [exchange_at(dialogue, k) for k in range(number)]
    return tuple((p.user.text or "", _answer_begins(p.agent.original_text, dialogue.language)) for p in pairs)


HISTORY_LENGTH = 60
"""This much of an answer tells what the next question is about; sources' answers may be pages long (our choice)."""
_CHARACTERS_PER_WORD = 12


def beginning_of(text: str, language: str, length: int = HISTORY_LENGTH) -> str:
    """Return about `length` words (characters of an unspaced script) from the start of the text, on one line."""
    if language == "zh":
        line = " ".join(text[: 4 * length].split())
        return line if len(line) <= length else f"{line[:length]}…"
    longest = _CHARACTERS_PER_WORD * length
    words = text[: longest + 1].split()
    cut = " ".join(words[:length])[:longest]
    return f"{cut}…" if len(words) > length or len(text) > longest else cut


def _answer_begins(answer: str, language: str) -> str:
    said = clean_answer(answer)
    return "" if said.debris else beginning_of(said.text, language)


class SourceTexts(NamedTuple):
    """The instruction, its material ("" if it is none) and the answer of an exchange, cleaned."""

    instruction: str
    material: str
    answer: str


def source_texts(pair: Exchange) -> SourceTexts:
    """Return the source's texts of the exchange, cleaned."""
    user, agent = pair.user, pair.agent
    return SourceTexts(
        clean_question(user.original_text).text,
        clean_material(user.material).text,
        clean_answer(agent.original_text, user.original_text).text,
    )


def without_question_debris(dialogue: Dialogue) -> Dialogue:
    """Reject the dialogue if a question of the source, or its material, is nobody's words for speech."""
    for number in all_exchanges(dialogue):
        user = exchange_at(dialogue, number).user
        if found := clean_question(user.original_text).debris or clean_material(user.material).debris:
            return reject(dialogue, found.reason, found.detail)
    return dialogue


def without_answer_debris(dialogue: Dialogue) -> Dialogue:
    """Reject the dialogue if an answer of the source is none that an agent would speak."""
    for number in all_exchanges(dialogue):
        pair = exchange_at(dialogue, number)
        answer = pair.agent.original_text
        if answer.strip() and (found := clean_answer(answer, pair.user.original_text).debris):
            return reject(dialogue, found.reason, f"in the answer: {found.detail}")
    return dialogue


def is_model(recipe: Recipe, engine: str) -> bool:
    """Tell whether the recipe's engine of that name is a language model, and not one of the engine table (rules)."""
    return engine in recipe.models


def check_prompt(stage: str, engine: str, prompt: str | None, recipe: Recipe) -> None:
    """Raise ValueError for a stage that names a model without a prompt for it."""
    if is_model(recipe, engine) and prompt is None:
        raise ValueError(f"{stage}: the model {engine} needs a prompt: set {stage}.prompt=NAME/VERSION")


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
        live = [(i, number) for i, number in batch if results[i].status == "live"]
        answers = _ask(step, [step.request(results[i], number) for i, number in live], context)
        for (i, number), answer in zip(live, answers, strict=True):
            if results[i].status != "live":
                continue
            if isinstance(answer, Failure):
                results[i] = reject(results[i], answer.reason, answer.detail)
            else:
                results[i] = step.use(results[i], number, answer)
    return [
        after if after.status == "live" else replace(after, turns=before.turns)
        for before, after in zip(dialogues, results, strict=True)
    ]


def _ask(step: Asking, requests: Sequence[TextRequest], context: Context) -> list[TextAnswer | Failure]:
    """Return the engine's answers, in order; one that fails the check of its request is a Failure.

    A language model is told which prompt to use and how often to try; its token usage is added to the meter.
    """
    if not requests:
        return []
    if is_model(context.recipe, step.engine):
        requests = [replace(request, prompt=step.prompt, retries=step.retries) for request in requests]
    checked: list[TextAnswer | Failure] = []
    for request, answer in zip(requests, context.engines["text", step.engine].generate(requests), strict=True):
        context.meter.add(step.engine, answer.spent)
        complaint = request.check(answer.fields) if request.check and isinstance(answer, TextAnswer) else None
        checked.append(Failure(complaint.reason, complaint.detail, answer.spent) if complaint else answer)
    return checked
