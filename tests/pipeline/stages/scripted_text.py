"""Text engines that answer as a test says, and a recipe whose text stages ask language models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from manifests.schema import Dialogue
from parley.testing import make_context, make_dialogue, tone_recipe
from pipeline.engines.contract import Complaint, Failure, TextAnswer, TextRequest
from pipeline.engines.text.rules import RulesGenerator
from pipeline.recipe import Recipe
from pipeline.stages.contract import Meter, Stage, run_stage

Answer = Callable[[TextRequest], TextAnswer | Failure]

MODELS = (
    *(f"models.{name}={{engine: openai, model: {name}}}" for name in ("writer", "judge", "guard")),
    "rewrite.engine=writer",
    "rewrite.prompt=ke-rewrite/v2",
    "screen.engine=judge",
    "screen.prompt=ke-screen/v2",
    "screen.safety=guard",
    "screen.safety_prompt=ke-safety/v2",
    "respond.engine=writer",
    "respond.prompt=ke-respond/v2",
)
CONVERSE = (
    "converse={engine: writer, prompt: instructs2s-converse/v2}",
    "pools.all.stages=[rewrite, screen, respond, converse, cast, synthesize, render, watermark, transcribe, gate]",
)


def model_recipe(*overrides: str) -> Recipe:
    return tone_recipe(*MODELS, *overrides)


class Scripted:
    """A text engine that answers as the test says, and remembers the batches that it was asked.

    `log` is shared by several engines where their order among each other matters: (name, request).
    """

    version = "1"

    def __init__(
        self, answer: Answer, name: str = "scripted", log: list[tuple[str, TextRequest]] | None = None
    ) -> None:
        self.answer = answer
        self.name = name
        self.log = [] if log is None else log
        self.batches: list[list[TextRequest]] = []

    @property
    def requests(self) -> list[TextRequest]:
        return [request for batch in self.batches for request in batch]

    def generate(self, requests: Sequence[TextRequest]) -> list[TextAnswer | Failure]:
        self.batches.append(list(requests))
        self.log += [(self.name, request) for request in requests]
        return [self.answer(request) for request in requests]


@dataclass(frozen=True)
class Played:
    """What came of a stage: its dialogues, each call as (engine, request), and what the models spent."""

    dialogues: list[Dialogue]
    log: list[tuple[str, TextRequest]]
    meter: Meter
    engines: dict[str, Scripted]

    @property
    def calls(self) -> list[str]:
        return [name for name, _ in self.log]


def play(stage: Stage, dialogues: Sequence[Dialogue], recipe: Recipe, seed: int = 0, **answers: Answer) -> Played:
    """Run the stage with these scripted engines; the rules are the true ones unless they are scripted too."""
    log: list[tuple[str, TextRequest]] = []
    engines = {name: Scripted(answer, name, log) for name, answer in answers.items()}
    given = {("text", name): engine for name, engine in engines.items()}
    context = make_context(recipe, engines={("text", "rules"): RulesGenerator(), **given}, seed=seed)
    return Played(run_stage(stage, dialogues, context), log, context.meter, engines)


def fields(**values: str) -> Answer:
    return lambda request: TextAnswer(values)


SEEDS = make_context()
KEEP = fields(verdict="keep", detail="fine")


def with_material(dialogue: Dialogue, material: str) -> Dialogue:
    return replace(dialogue, turns=(replace(dialogue.turns[0], material=material), *dialogue.turns[1:]))


def complaint_of(request: TextRequest, **values: str) -> Complaint | None:
    assert request.check is not None
    return request.check(values)


TWO = make_dialogue(("What is tea?", "A drink."), ("And coffee?", "Another."), spoken=True)
RAW = make_dialogue(("Explain tea.", "Tea is a drink."), ("Coffee too.", "Coffee is another."), dialogue_id="raw")
