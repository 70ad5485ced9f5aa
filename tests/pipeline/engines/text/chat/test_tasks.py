"""The table of tasks, and the fields that an answer becomes."""

import pytest

from manifests.reasons import reason_of
from pipeline.engines.text._chat.parse import answer_fields
from pipeline.engines.text._chat.tasks import COMPLAINTS, KEEP, TASKS
from pipeline.recipe import Texts
from pipeline.stages.respond import RespondSettings
from tests.tables import each_row


@each_row(
    ("task", "values", "fields"),
    [
        ("rewrite", {"question": "Why?"}, {"question": "Why?"}),
        ("respond", {"answer": "So."}, {"answer": "So."}),
        ("respond", {"question": "Why?", "answer": "So."}, {"question": "Why?", "answer": "So."}),
        ("converse", {"question": "And?", "answer": "So."}, {"question": "And?", "answer": "So."}),
        (
            "screen",
            {"speakable": True, "clear": True, "reason": ""},
            {"verdict": "keep", "detail": ""},
        ),
        (
            "screen",
            {"speakable": False, "clear": True, "reason": "a poem"},
            {"verdict": "not_speakable", "detail": "a poem"},
        ),
        (
            "screen",
            {"speakable": True, "clear": False, "reason": "which one?"},
            {"verdict": "unclear", "detail": "which one?"},
        ),
        (
            "screen",
            {"speakable": False, "clear": False, "reason": "both"},
            {"verdict": "not_speakable", "detail": "both"},
        ),
        ("safety", {"safe": True, "reason": "fine"}, {"verdict": "keep", "detail": "fine"}),
        ("safety", {"safe": False, "reason": "harm"}, {"verdict": "unsafe", "detail": "harm"}),
    ],
)
def test_fields_of_an_answer(task: str, values: dict[str, str | bool], fields: dict[str, str]) -> None:
    assert answer_fields(TASKS[task], values) == fields


def test_every_verdict_is_a_reason() -> None:
    verdicts = [reason for task in TASKS.values() for _, reason in task.verdicts]
    assert verdicts
    assert all(reason_of(reason.value) is reason and reason.value != KEEP for reason in verdicts)


@pytest.mark.parametrize("task", TASKS)
def test_verdicts_are_about_the_booleans_of_the_answer(task: str) -> None:
    booleans = [key.field for key in TASKS[task].keys if key.type == "boolean"]
    assert booleans == [field for field, _ in TASKS[task].verdicts]


@pytest.mark.parametrize("task", TASKS)
def test_a_key_has_one_meaning(task: str) -> None:
    names = [name for key in TASKS[task].keys for name in key.names]
    assert len(names) == len(set(names))
    assert {TASKS[task].key_named(name) for name in names} == set(TASKS[task].keys)
    assert TASKS[task].key_named("mood") is None


def test_only_further_turns_and_whole_dialogues_take_a_history() -> None:
    taking = {(task, name) for task, made in TASKS.items() for name, form in made.forms.items() if form.history}
    assert {name for task, name in taking if task not in ("judge", "overlap")} == {"next"}
    assert {name for task, name in taking if task == "judge"} == {"whole"}


def test_options_are_the_recipe_s() -> None:
    assert TASKS["respond"].options <= set(RespondSettings.model_fields) | set(Texts.model_fields)


def test_kinds_of_complaint() -> None:
    assert set(COMPLAINTS) == set("malformed cut_off empty too_long unpronounceable wrong_language repeated".split())
