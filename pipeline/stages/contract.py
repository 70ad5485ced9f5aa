"""The laws of a stage, enforced in one place.

A stage is a name, a pure function over a list of dialogues, the fields that it may write and the engines that it uses.
`run_stage` runs every stage and holds all of them to the same laws:

1. one dialogue out for one in, in the same order;
2. only live rows are shown to the stage;
3. only declared fields change, and a row leaves `live` only with a reason of the closed list (or as kept, where the
   stage declares `status`);
4. the result depends on (row, recipe, seed) alone; `audit_stage` checks that by running the stage in other batches;
5. bad data never raises: any exception but an engine's is our bug and stops the job.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from manifests.errors import LawBroken, ParleyError
from manifests.reasons import Reason, reason_of
from manifests.schema import Dialogue, Step, Take, Turn
from pipeline.engines.contract import NO_TOKENS, Samples, Tokens
from pipeline.recipe import Recipe
from pipeline.seeds import derive_seed
from voicebank.cast import Casting

EngineKey = tuple[str, str]
"""(kind, name), as in the engine table: ("tts", "flite")."""


class Meter:
    """Adds up what the language models spent on one block, by the engine's name in the recipe."""

    def __init__(self) -> None:
        self.tokens: dict[str, Tokens] = defaultdict(lambda: NO_TOKENS)

    def add(self, engine: str, spent: Tokens) -> None:
        if spent != NO_TOKENS:
            self.tokens[engine] += spent


@dataclass(frozen=True)
class Context:
    """What a stage may know besides its rows. `engines` are those that the stage declared.

    `duplicates` gives, for the dialogue_id of a row whose question repeats an earlier one, the id of that one.
    `reference_embeddings` gives, for a voice_id, what the recipe's speaker encoder makes of that voice: float32 [D],
    length 1.
    """

    recipe: Recipe
    seed: int
    casting: Casting
    engines: Mapping[EngineKey, Any]
    prompts: Mapping[str, str]
    duplicates: Mapping[str, str] = field(default_factory=dict)
    reference_embeddings: Mapping[str, Samples] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)

    def seed_for(self, stage: str, dialogue: Dialogue, *parts: str | int) -> int:
        return derive_seed(self.seed, stage, dialogue.dialogue_id, *parts)


@dataclass(frozen=True)
class Stage:
    """`writes` names dialogue fields ("user_voice"), turn fields ("turns.text") and fields of a take ("take.audio").

    "turns.take" is the right to give a turn a take, or to take it away; it does not cover changes inside a take.

    `prompts` names the wording that the stage uses, as template and version ("ke-rewrite/v1"). Only stages that look
    at `voices` find them in their context: a bank of 40,000 is not loaded for others.
    """

    name: str
    apply: Callable[[Sequence[Dialogue], Context], Sequence[Dialogue]]
    writes: frozenset[str]
    engines: Callable[[Recipe], tuple[EngineKey, ...]]
    prompts: Callable[[Recipe], tuple[str, ...]] = lambda recipe: ()
    voices: bool = False


def run_stage(stage: Stage, dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    """Run the stage on the live rows; the others pass through untouched."""
    live = [dialogue for dialogue in dialogues if dialogue.status == "live"]
    results = iter(_apply(stage, live, context))
    return [next(results) if dialogue.status == "live" else dialogue for dialogue in dialogues]


def audit_stage(stage: Stage, dialogues: Sequence[Dialogue], context: Context) -> None:
    """Raise LawBroken if the result of any row depends on its neighbors or on the order of the calls."""
    together = run_stage(stage, dialogues, context)
    backwards = run_stage(stage, dialogues[::-1], context)[::-1]
    alone = [run_stage(stage, [dialogue], context)[0] for dialogue in dialogues]
    for whole, turned, single in zip(together, backwards, alone, strict=True):
        if not whole == turned == single:
            raise LawBroken(f"stage {stage.name}: the result for {whole.dialogue_id} depends on its batch")


def reject(dialogue: Dialogue, reason: Reason, detail: str = "") -> Dialogue:
    """The dialogue, ended as rejected or failed, whichever kind the reason is."""
    return replace(dialogue, status=reason.kind, reason=reason.value, detail=detail or None)


def attempt_of(dialogue: Dialogue) -> int:
    """Number of the attempt that the dialogue is in, from 1."""
    return 1 + max((len(turn.attempts) for turn in dialogue.turns), default=0)


def _apply(stage: Stage, live: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    if not live:
        return []
    try:
        results = list(stage.apply(live, context))
    except ParleyError:
        raise
    except Exception as error:  # law 5: whatever a stage raises on data is a bug of the stage
        raise LawBroken(f"stage {stage.name} raised {type(error).__name__}: {error}") from error
    if len(results) != len(live):
        raise LawBroken(f"stage {stage.name} gave {len(results)} rows for {len(live)}")
    return [
        _with_provenance(stage, before, _checked(stage, before, after), context)
        for before, after in zip(live, results, strict=True)
    ]


def _checked(stage: Stage, before: Dialogue, after: Dialogue) -> Dialogue:
    if after.dialogue_id != before.dialogue_id:
        raise LawBroken(f"stage {stage.name} gave {after.dialogue_id} in the place of {before.dialogue_id}")
    undeclared = sorted(set(_changes(before, after)) - stage.writes - {"reason", "detail"})
    if undeclared == ["status"] and _ended_with_reason(after):
        undeclared = []
    if undeclared:
        raise LawBroken(f"stage {stage.name} changed {', '.join(undeclared)} of {before.dialogue_id}")
    if after.status in ("rejected", "failed") and not _ended_with_reason(after):
        raise LawBroken(f"stage {stage.name}: {before.dialogue_id} is {after.status} with reason {after.reason!r}")
    return after


def _ended_with_reason(dialogue: Dialogue) -> bool:
    reason = reason_of(dialogue.reason)
    return reason is not None and reason.kind == dialogue.status


def _changes(before: Dialogue, after: Dialogue) -> Iterator[str]:
    for column in fields(Dialogue):
        old, new = getattr(before, column.name), getattr(after, column.name)
        if old is new or old == new:
            continue
        if column.name == "turns" and len(old) == len(new):
            yield from _turn_changes(old, new)
        else:
            yield column.name


def _turn_changes(before: Sequence[Turn], after: Sequence[Turn]) -> Iterator[str]:
    """Yield "turns.text" for a field of the turns; "take.audio" for a field of takes that were there and still are."""
    for old, new in zip(before, after, strict=True):
        for name in _changed(Turn, old, new):
            if name == "take" and old.take is not None and new.take is not None:
                yield from (f"take.{part}" for part in _changed(Take, old.take, new.take))
            else:
                yield f"turns.{name}"


def _changed(cls: type, old: object, new: object) -> Iterator[str]:
    return (part.name for part in fields(cls) if getattr(old, part.name) != getattr(new, part.name))


def _with_provenance(stage: Stage, before: Dialogue, after: Dialogue, context: Context) -> Dialogue:
    engines = [context.engines[key] for key in stage.engines(context.recipe)]
    step = Step(
        stage=stage.name,
        engine=", ".join(engine.name for engine in engines) or None,
        version=", ".join(engine.version for engine in engines) or None,
        prompt=context.prompts.get(stage.name),
        take=attempt_of(before),
    )
    return replace(after, provenance=(*before.provenance, step))
