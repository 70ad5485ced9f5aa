"""`replace` does what that of the standard library does."""

import dataclasses

import pytest

from manifests.changes import replace
from parley.testing.corpora import make_kept


def test_rows_are_changed_as_the_standard_library_changes_them():
    row = make_kept(3)
    assert replace(row) == row and replace(row) is not row
    assert replace(row, wer=0.5, turns=()) == dataclasses.replace(row, wer=0.5, turns=())
    assert replace(row.turns[0], text="other").whole_text == "other"
    with pytest.raises(TypeError, match="Dialogue has no field words"):
        replace(row, words=3)
