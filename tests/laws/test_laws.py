"""Each law of a stage, with a stage that breaks it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from manifests.errors import EngineDied, LawBroken
from manifests.reasons import Reason
from manifests.schema import Dialogue, Step
from parley.testing import make_context, make_dialogue
from parley.testing.stages import make_take, with_take
from pipeline.settings import Section
from pipeline.stages.contract import Context, Stage, audit_stage, reject, run_stage

BATCH = [make_dialogue(dialogue_id=f"test-{i}") for i in range(3)]


def stage(apply: Callable[[Sequence[Dialogue], Context], Sequence[Dialogue]], *writes: str) -> Stage:
    return Stage("crooked", "breaks a law", Section, apply, reads=frozenset(), writes=frozenset(writes))


def each(change: Callable[[Dialogue], Dialogue]) -> Callable[[Sequence[Dialogue], Context], list[Dialogue]]:
    return lambda dialogues, context: [change(dialogue) for dialogue in dialogues]


def with_text(dialogue: Dialogue, text: str) -> Dialogue:
    return replace(dialogue, turns=tuple(replace(turn, text=text) for turn in dialogue.turns))


def with_takes(dialogue: Dialogue, voice: str) -> Dialogue:
    return replace(dialogue, turns=tuple(replace(turn, take=make_take(1, voice)) for turn in dialogue.turns))


def raises_key_error(dialogue: Dialogue) -> Dialogue:
    raise KeyError("question")


BREAKERS = {
    "drops a row": (stage(lambda d, c: d[1:]), "returned 2 rows for 3"),
    "doubles a row": (stage(lambda d, c: [*d, d[0]]), "returned 4 rows for 3"),
    "changes the order": (stage(lambda d, c: d[::-1]), "in place of test-0"),
    "changes the id": (stage(each(lambda d: replace(d, dialogue_id="other"))), "returned other"),
    "writes an undeclared field": (stage(each(lambda d: replace(d, user_voice="v"))), "changed user_voice"),
    "writes an undeclared turn field": (stage(each(lambda d: with_text(d, "x")), "turns.audio"), "changed turns.text"),
    "gives a turn a take without a right to": (
        stage(each(lambda d: with_takes(d, "v")), "take.voice_id"),
        "changed turns.take",
    ),
    "drops a turn": (stage(each(lambda d: replace(d, turns=d.turns[:1])), "turns.text"), "changed turns"),
    "keeps a row without a right to": (stage(each(lambda d: replace(d, status="kept"))), "changed status"),
    "rejects without a reason": (stage(each(lambda d: replace(d, status="rejected"))), "changed status"),
    "rejects with a made-up reason": (
        stage(each(lambda d: replace(d, status="rejected", reason="ugly"))),
        "changed status",
    ),
    "fails with the reason of a reject": (
        stage(each(lambda d: replace(d, status="failed", reason=Reason.CODE.value)), "status"),
        "is failed with reason 'code'",
    ),
    "rejects with a made-up reason where it may set the status": (
        stage(each(lambda d: replace(d, status="rejected", reason="ugly")), "status"),
        "is rejected with reason 'ugly'",
    ),
    "rejects and writes an undeclared field": (
        stage(each(lambda d: replace(reject(d, Reason.CODE), user_voice="v"))),
        "changed status, user_voice",
    ),
    "raises on data": (stage(each(raises_key_error)), "raised KeyError"),
}


@pytest.mark.parametrize("name", BREAKERS)
def test_breaking_a_law_stops_the_job(name: str) -> None:
    crooked, message = BREAKERS[name]
    with pytest.raises(LawBroken, match=message):
        run_stage(crooked, BATCH, make_context())


def test_a_stage_that_looks_at_its_neighbors_must_say_so() -> None:
    counts = stage(lambda d, c: [with_text(row, str(len(d))) for row in d], "turns.text")
    with pytest.raises(LawBroken, match="depends on its batch"):
        audit_stage(counts, BATCH, make_context())
    audit_stage(replace(counts, neighbors=lambda recipe: True), BATCH, make_context())


SPOKEN = [with_takes(dialogue, "v") for dialogue in BATCH]


def blames(dialogue: Dialogue) -> Dialogue:
    return replace(dialogue, turns=tuple(with_take(turn, reason=Reason.ERROR_RATE.value) for turn in dialogue.turns))


def forgets(dialogue: Dialogue) -> Dialogue:
    """The last turn alone loses its take."""
    return replace(dialogue, turns=(*dialogue.turns[:-1], replace(dialogue.turns[-1], take=None)))


@pytest.mark.parametrize(
    ("change", "writes", "undeclared"),
    [
        (blames, {"take.reason"}, None),
        (blames, {"turns.take"}, "take.reason"),
        (blames, {"take.hearing"}, "take.reason"),
        (blames, {"turns.reason"}, "take.reason"),
        (lambda d: with_takes(d, "w"), {"take.voice_id"}, None),
        (lambda d: with_takes(d, "w"), {"turns.take"}, "take.voice_id"),
        (forgets, {"turns.take"}, None),
        (forgets, {"take.reason"}, "turns.take"),
        (lambda d: blames(replace(d, turns=d.turns[:1])), {"take.reason"}, "turns"),
    ],
)
def test_a_stage_declares_which_fields_of_a_take_it_changes(
    change: Callable[[Dialogue], Dialogue], writes: set[str], undeclared: str | None
) -> None:
    honest_or_not = stage(each(change), *writes)
    if undeclared is None:
        assert run_stage(honest_or_not, SPOKEN, make_context())[0].turns == change(SPOKEN[0]).turns
    else:
        with pytest.raises(LawBroken, match=f"crooked changed {undeclared} of test-0"):
            run_stage(honest_or_not, SPOKEN, make_context())


def counts_larger_ids_before(dialogues: Sequence[Dialogue], context: Context) -> list[Dialogue]:
    ids = [dialogue.dialogue_id for dialogue in dialogues]
    return [with_text(d, str(sum(other > d.dialogue_id for other in ids[:i]))) for i, d in enumerate(dialogues)]


IMPURE = {
    "depends on the batch": stage(lambda d, c: [with_text(x, str(len(d))) for x in d], "turns.text"),
    "depends on the order": stage(lambda d, c: [with_text(x, str(i)) for i, x in enumerate(d)], "turns.text"),
    "depends on the order, and is the same alone": stage(counts_larger_ids_before, "turns.text"),
}


@pytest.mark.parametrize("name", IMPURE)
def test_audit_finds_a_stage_whose_rows_depend_on_each_other(name: str) -> None:
    with pytest.raises(LawBroken, match="depends on its batch"):
        audit_stage(IMPURE[name], BATCH, make_context())


def test_a_lawful_stage_passes_and_leaves_its_mark() -> None:
    lawful = stage(each(lambda d: with_text(d, d.dialogue_id)), "turns.text")
    results = run_stage(lawful, BATCH, make_context())
    assert [d.turns[0].text for d in results] == ["test-0", "test-1", "test-2"]
    assert [step.stage for step in results[0].provenance] == ["crooked"]
    audit_stage(lawful, BATCH, make_context())


def test_provenance_names_engines_versions_prompt_and_take() -> None:
    class Engine:
        def __init__(self, name: str, version: str) -> None:
            self.name, self.version = name, version

    def take(dialogue: Dialogue) -> Dialogue:
        return replace(dialogue, turns=tuple(replace(turn, attempts=(make_take(),)) for turn in dialogue.turns))

    keys = (("tts", "a"), ("tts", "b"))
    engines = {keys[0]: Engine("a", "1.2"), keys[1]: Engine("b", "3")}
    context = replace(make_context(engines=engines), prompts={"speak": "wording@12"})
    speak = Stage(
        "speak",
        "speaks",
        Section,
        each(take),
        reads=frozenset(),
        writes=frozenset({"turns.attempts"}),
        engines=lambda recipe: keys,
    )
    (first,) = run_stage(speak, BATCH[:1], context)
    assert first.provenance == (Step("speak", "a, b", "1.2, 3", "wording@12", 1),)
    one_retaken = replace(first, turns=(first.turns[0], replace(first.turns[1], attempts=())))
    (second,) = run_stage(speak, [one_retaken], context)
    assert [step.take for step in second.provenance] == [1, 2]


def test_only_live_rows_are_shown() -> None:
    seen: list[str] = []

    def look(dialogues: Sequence[Dialogue], context: Context) -> Sequence[Dialogue]:
        seen.extend(dialogue.dialogue_id for dialogue in dialogues)
        return dialogues

    settled, kept = reject(BATCH[1], Reason.CODE, "why"), replace(BATCH[1], status="kept")
    results = run_stage(stage(look), [BATCH[0], settled, kept, BATCH[2]], make_context())
    assert seen == ["test-0", "test-2"]
    assert results[1] is settled and results[2] is kept


def test_an_engine_that_dies_is_not_taken_for_bad_data() -> None:
    def die(dialogues: Sequence[Dialogue], context: Context) -> Sequence[Dialogue]:
        raise EngineDied("gone")

    with pytest.raises(EngineDied):
        run_stage(stage(die), BATCH, make_context())


def test_seeds_differ_by_job_stage_row_and_part() -> None:
    context, other = make_context(seed=0), make_context(seed=1)
    seeds = [
        context.seed_for("cast", BATCH[0]),
        other.seed_for("cast", BATCH[0]),
        context.seed_for("screen", BATCH[0]),
        context.seed_for("cast", BATCH[1]),
        context.seed_for("cast", BATCH[0], 1),
    ]
    assert len(set(seeds)) == len(seeds)


def test_a_reason_decides_between_reject_and_fail() -> None:
    assert reject(BATCH[0], Reason.CODE).detail is None
    assert reject(BATCH[0], Reason.CODE).status == "rejected"
    assert reject(BATCH[0], Reason.NO_RECOGNIZER).status == "failed"
