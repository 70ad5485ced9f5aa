"""Defines what a stage is, and enforces its laws in one place.

A stage is a file with a `Stage`: its name, its section of the recipe, a pure function over a list of dialogues, what
it reads and writes, and what its workers load. `run_stage` runs every stage under the same laws:

1. for each dialogue the stage returns exactly one, in the same order;
2. the stage sees only live rows;
3. only declared fields change, and a row leaves `live` only with a reason of the closed list (or as kept, where the
   stage declares `status`);
4. the result depends on (row, recipe, seed) alone, and on the other rows of its block where the stage declares
   `neighbors`; `audit_stage` checks that by running the stage in other batches;
5. bad data never raises: any exception except an engine's is a bug in Parley and stops the job.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Generic, Protocol, TypeVar

from manifests.changes import replace
from manifests.errors import LawBroken, ParleyError
from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue, Step, Take, Turn
from manifests.storage import Place
from pipeline.engines.contract import NO_TOKENS, Tokens
from pipeline.environment import ENVIRONMENT_ERRORS
from pipeline.recipe import Recipe
from pipeline.seeds import derive_seed
from pipeline.settings import Section

EngineKey = tuple[str, str]
"""(kind, name), such as ("tts", "flite"). The name is that of an engine or of a model in the recipe."""

Item = TypeVar("Item")
Value = TypeVar("Value")


class Meter:
    """Adds up the tokens that language models used for one block, by the engine's name in the recipe."""

    def __init__(self) -> None:
        self.tokens: dict[str, Tokens] = defaultdict(lambda: NO_TOKENS)

    def add(self, engine: str, spent: Tokens) -> None:
        if spent != NO_TOKENS:
            self.tokens[engine] += spent


@dataclass(frozen=True)
class Resource(Generic[Value]):
    """Declares something that a stage's workers load once, besides engines: voices, an index, a table.

    `load(recipe, work)` loads it; `work` is the job's directory, where `Stage.prepare` has written, or None. `version`
    is part of the job's identity; it raises the errors that must stop the job before it starts, such as a missing
    library.
    """

    name: str
    load: Callable[[Recipe, Place | None], Value]
    version: Callable[[Recipe], str]


@dataclass(frozen=True)
class Context:
    """Holds what a stage may use besides its rows; `engines` and `resources` are those that the stages declared."""

    recipe: Recipe
    seed: int
    engines: Mapping[EngineKey, Any]
    prompts: Mapping[str, str]
    resources: Mapping[str, Any] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)

    def resource(self, wanted: Resource[Value]) -> Value:
        """Return the result of the resource's `load`."""
        value: Value = self.resources[wanted.name]
        return value

    def seed_for(self, stage: str, dialogue: Dialogue, *parts: str | int) -> int:
        """Return the seed of one decision about one dialogue, in 0..2**63-1."""
        return derive_seed(self.seed, stage, dialogue.dialogue_id, *parts)


class Mapper(Protocol):
    """Applies a picklable function, maybe in other processes; the results come in the order of the items."""

    @property
    def has_workers_here(self) -> bool:
        """Whether it has workers, which are other processes, and all of them see this machine's files."""

    def map(self, function: Callable[[Item], Value], items: Sequence[Item]) -> Iterator[Value]: ...


@dataclass(frozen=True)
class Preparation:
    """Gives `Stage.prepare` its input: blocks 0..count-1 as the stages before left them, and the job's `work`."""

    recipe: Recipe
    blocks: Place
    count: int
    work: Place
    mapper: Mapper


def nothing(recipe: Recipe) -> tuple[()]:
    """Return nothing, for stages that declare no engines, prompts or resources."""
    return ()


def one_pass(recipe: Recipe) -> int:
    """Return 1, for stages that send no turn back for another take."""
    return 1


def no_neighbors(recipe: Recipe) -> bool:
    """Return False, for stages that look at each row alone."""
    return False


def no_complaint(recipe: Recipe) -> None:
    """Accept every recipe, for stages whose settings do not depend on its other sections."""


@dataclass(frozen=True)
class Stage:
    """Declares a stage; each stage's module has one.

    `settings` is its section of the recipe. `apply` gets the live dialogues of a batch. `reads` and `writes` name
    fields of the row: of the dialogue ("user_voice"), its turns ("turns.text") or their takes ("take.audio");
    "turns.take" is the right to give a turn a take, or to remove it. A stage that `spoils` a field makes its old value
    wrong (a new level spoils the watermark), and may empty it where an earlier pass left one in a take.
    `pipeline.stages._order` uses these three to check the order of a recipe.

    If a recipe does not list the stage (`--set NAME={}` switches it on), it comes after the last stage of `after`.
    `pool` is the pool of workers that it joins if the recipe names none.

    `engines`, `prompts` (template and version, "ke-rewrite/v2") and `resources` are what its workers load. `check`
    raises ValueError if its settings contradict the rest of the recipe. `prepare` is for a stage that must see all
    rows before it treats one: it is called once all rows are available. `passes` is the most times that the stages
    that treat takes run, where this one sends turns back. The settings named in `fixed` ("*": all) cannot be changed
    once a job has started, since its passes are on disk. `neighbors` tells whether it also looks at the other rows of
    the block: then it gets whole blocks, whatever runs it.
    """

    name: str
    about: str
    settings: type[Section]
    apply: Callable[[Sequence[Dialogue], Context], Sequence[Dialogue]]
    reads: frozenset[str]
    writes: frozenset[str]
    spoils: frozenset[str] = frozenset()
    pool: str = "text"
    after: tuple[str, ...] = ()
    engines: Callable[[Recipe], tuple[EngineKey, ...]] = nothing
    prompts: Callable[[Recipe], tuple[str, ...]] = nothing
    resources: Callable[[Recipe], tuple[Resource[Any], ...]] = nothing
    check: Callable[[Recipe], None] = no_complaint
    prepare: Callable[[Preparation], None] | None = None
    passes: Callable[[Recipe], int] = one_pass
    fixed: tuple[str, ...] = ()
    neighbors: Callable[[Recipe], bool] = no_neighbors

    @property
    def treats_takes(self) -> bool:
        """Tell whether the stage treats voices or takes, and so runs again for every further take."""
        return any(
            name.startswith(("take.", "turns.take")) or name in ("user_voice", "agent_voice")
            for name in self.reads | self.writes
        )


def run_stage(stage: Stage, dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    """Run the stage on the live rows; the others pass through untouched."""
    live = [dialogue for dialogue in dialogues if dialogue.status == "live"]
    results = iter(_apply(stage, live, context))
    return [next(results) if dialogue.status == "live" else dialogue for dialogue in dialogues]


def audit_stage(stage: Stage, dialogues: Sequence[Dialogue], context: Context) -> None:
    """Raise LawBroken if the result of any row depends on its neighbors or on the order of the calls.

    For a stage that declares `neighbors`, `dialogues` are a whole block, and it is not run on single rows.
    """
    together = run_stage(stage, dialogues, context)
    backwards = run_stage(stage, dialogues[::-1], context)[::-1]
    if stage.neighbors(context.recipe):
        alone = together
    else:
        alone = [run_stage(stage, [dialogue], context)[0] for dialogue in dialogues]
    for whole, turned, single in zip(together, backwards, alone, strict=True):
        if not whole == turned == single:
            raise LawBroken(f"stage {stage.name}: the result for {whole.dialogue_id} depends on its batch")


def reject(dialogue: Dialogue, reason: Reason, detail: str = "") -> Dialogue:
    """End the dialogue as rejected or failed, according to the kind of the reason."""
    return replace(without_dry(dialogue), status=reason.kind, reason=reason.value, detail=detail or None)


def without_dry(dialogue: Dialogue) -> Dialogue:
    """Return the dialogue without what would be mixed again: a row that has ended holds what is delivered."""
    if not any(turn.take and turn.take.dry for turn in dialogue.turns):
        return dialogue
    turns = tuple(replace(turn, take=replace(turn.take, dry=None)) if turn.take else turn for turn in dialogue.turns)
    return replace(dialogue, turns=turns)


def attempt_of(dialogue: Dialogue) -> int:
    """Return the number of the dialogue's current attempt, from 1."""
    numbers = [turn.attempts[-1].number for turn in dialogue.turns if turn.attempts]
    return 1 + max(numbers) if numbers else 1


def _apply(stage: Stage, live: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    if not live:
        return []
    try:
        results = list(stage.apply(live, context))
    except (ParleyError, *ENVIRONMENT_ERRORS):
        raise
    except Exception as error:  # law 5: whatever a stage raises on data is a bug of the stage
        raise LawBroken(f"stage {stage.name} raised {type(error).__name__}: {error}") from error
    if len(results) != len(live):
        raise LawBroken(f"stage {stage.name} returned {len(results)} rows for {len(live)}")
    step_of, allowed = _steps(stage, context), stage.writes | {"reason", "detail"}
    for before, after in zip(live, results, strict=True):
        _check(stage, before, after, allowed)
    return [
        replace(after, provenance=(*before.provenance, step_of(attempt_of(before))))
        for before, after in zip(live, results, strict=True)
    ]


def _check(stage: Stage, before: Dialogue, after: Dialogue, allowed: frozenset[str]) -> None:
    if after.dialogue_id != before.dialogue_id:
        raise LawBroken(f"stage {stage.name} returned {after.dialogue_id} in place of {before.dialogue_id}")
    undeclared = {name for name in _changes(before, after, stage.spoils) if name not in allowed}
    if undeclared and not (undeclared <= {"status", "take.dry"} and _ended_with_reason(after)):
        raise LawBroken(f"stage {stage.name} changed {', '.join(sorted(undeclared))} of {before.dialogue_id}")
    if after.status in ("rejected", "failed") and not _ended_with_reason(after):
        raise LawBroken(f"stage {stage.name}: {before.dialogue_id} is {after.status} with reason {after.reason!r}")


def _ended_with_reason(dialogue: Dialogue) -> bool:
    reason = reason_of(dialogue.reason)
    return reason is not None and reason.kind == dialogue.status


def _changes(before: Dialogue, after: Dialogue, spoils: frozenset[str]) -> Iterator[str]:
    for name in _changed(Dialogue, before, after, deep="turns"):
        if name == "turns" and len(before.turns) == len(after.turns):
            yield from _turn_changes(before.turns, after.turns, spoils)
        else:
            yield name


def _turn_changes(before: Sequence[Turn], after: Sequence[Turn], spoils: frozenset[str]) -> Iterator[str]:
    """Yield "turns.text" for a field of the turns; "take.audio" for a field of takes that exist before and after.

    What a stage spoils it may empty.
    """
    for old, new in zip(before, after, strict=True):
        for name in _changed(Turn, old, new, deep="take"):
            if name == "take" and old.take is not None and new.take is not None:
                changed = {f"take.{part}": getattr(new.take, part) for part in _changed(Take, old.take, new.take)}
                yield from (part for part, value in changed.items() if value or part not in spoils)
            else:
                yield f"turns.{name}"


def _changed(cls: type, old: object, new: object, deep: str = "") -> list[str]:
    """Return the names of the fields that differ. The field `deep` counts as changed if it is another object: what is
    in it is compared one by one."""
    if old is new:
        return []
    names, values = _fields_of(cls)
    before, after = values(old), values(new)
    others = compress(zip(names, before, after, strict=True), map(is_not, before, after))  # mostly none: no loop here
    return [name for name, was, now in others if name == deep or was != now]


@cache
def _fields_of(cls: type) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    """Return the names of a row's fields, and what reads all of them at once: every stage asks that of every row."""
    names = tuple(part.name for part in fields(cls))
    return names, attrgetter(*names)


def _steps(stage: Stage, context: Context) -> Callable[[int], Step]:
    """Return what makes the stage's entry in the provenance of a row, from the number of its take."""
    engines = [context.engines[key] for key in stage.engines(context.recipe)]
    names = ", ".join(engine.name for engine in engines) or None
    versions = ", ".join(engine.version for engine in engines) or None
    prompt = context.prompts.get(stage.name)
    made: dict[int, Step] = {}

    def step_of(take: int) -> Step:
        if take not in made:
            made[take] = Step(stage.name, names, versions, prompt, take)
        return made[take]

    return step_of
