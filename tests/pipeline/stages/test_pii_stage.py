"""pii: rows with personal data end, masked; the others pass."""

import pytest

from manifests.schema import Dialogue
from parley.testing import audit_stage, make_context, make_dialogue, tone_recipe
from pipeline.stages.contract import Context, run_stage
from pipeline.stages.pii import PII, SCANNER
from tests.tables import each_row

CARD = "My card is 4111 1111 1111 1111."
MAIL = "Write to jane dot roe at parley-speech dot org."
ROWS = [
    make_dialogue(("How are you?", "Fine."), dialogue_id="clean", spoken=True),
    make_dialogue((CARD, "Thank you."), dialogue_id="asked", spoken=True),
    make_dialogue(("Whom do I ask?", MAIL), dialogue_id="answered", spoken=True),
    make_dialogue((CARD, "Thank you."), dialogue_id="not spoken"),
]


def context(settings: str = "{}") -> Context:
    recipe = tone_recipe(f"pii={settings}")
    return make_context(recipe, **{SCANNER.name: SCANNER.load(recipe, None)})


def ends(settings: str) -> dict[str, str | None]:
    return {row.dialogue_id: row.detail for row in run_stage(PII, ROWS, context(settings)) if row.reason}


@each_row(
    "settings, details",
    [
        ("{}", {"asked": "turn 0", "answered": "turn 1", "not spoken": "turn 0"}),
        ("{source: false}", {"asked": "turn 0", "answered": "turn 1"}),
        ("{kinds: [email, iban]}", {"answered": "turn 1"}),
    ],
)
def test_rows_end_for_the_kinds_that_are_looked_for(settings: str, details: dict[str, str]) -> None:
    found = ends(settings)
    assert set(found) == set(details)
    assert all(str(found[name]).endswith(f"in {where}") for name, where in details.items())


def test_the_reason_is_named_and_the_data_are_masked() -> None:
    row: Dialogue = run_stage(PII, ROWS, context())[1]
    assert (row.status, row.reason) == ("rejected", "personal_data")
    assert row.detail == f"card 41{'*' * 17} in turn 0"
    assert row.turns == ROWS[1].turns


def test_it_obeys_the_laws() -> None:
    audit_stage(PII, ROWS, context())


def test_it_stands_before_anything_is_spoken_and_is_off_by_default() -> None:
    stages = list(tone_recipe("pii={}").stages)
    assert stages.index("respond") < stages.index("pii") < stages.index("cast")
    assert "pii" not in tone_recipe().stages
    with pytest.raises(Exception, match="kinds"):
        tone_recipe("pii={kinds: []}").section(PII.settings)
