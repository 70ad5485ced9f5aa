"""Dialogues to Arrow and back: nothing is lost, nothing is guessed."""

import typing
from dataclasses import fields, is_dataclass, replace
from functools import cache

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.arrow import arrow_schema, from_ipc, from_table, join_tables, table_from_ipc, to_ipc, to_table
from manifests.errors import CorpusError, LawBroken
from manifests.reasons import Reason
from manifests.schema import (
    Dialogue,
    Turn,
)
from parley.testing.corpora import make_kept, with_take
from tests.tables import each_row

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_int = st.integers(-(2**63), 2**63 - 1)
_float = st.floats(allow_nan=False)
_values = {str: _text, int: _int, float: _float, bytes: st.binary(max_size=50), bool: st.booleans()}


@cache
def _any(kind):
    """Random values of an annotation that a row may have."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(_any(arguments[0]), max_size=2).map(tuple)
    if type(None) in arguments:
        return st.none() | _any(next(inner for inner in arguments if inner is not type(None)))
    if is_dataclass(kind):
        return st.builds(kind, **{name: _any(hint) for name, hint in typing.get_type_hints(kind).items()})
    return _values[kind]


dialogues = _any(Dialogue)


@settings(max_examples=50, deadline=None)
@given(st.lists(dialogues, max_size=5))
def test_round_trip_is_exact(rows):
    assert from_table(to_table(rows)) == rows
    assert from_ipc(to_ipc(rows)) == rows


@settings(max_examples=50, deadline=None)
@given(st.lists(dialogues, min_size=1, max_size=5), st.data())
def test_blocks_join_to_the_table_of_their_rows(rows, data):
    cut = data.draw(st.integers(1, len(rows)))
    parts = [table_from_ipc(to_ipc(part)) for part in (rows[:cut], rows[cut:]) if part]
    assert join_tables(parts) == to_table(rows)
    assert join_tables([part.slice(1) for part in parts]) == to_table([*rows[1:cut], *rows[cut + 1 :]])


@settings(max_examples=20, deadline=None)
@given(st.lists(dialogues, min_size=2, max_size=6), st.data())
def test_slices_and_chunks_hold_the_same_rows(rows, data):
    cut = data.draw(st.integers(0, len(rows)))
    table = to_table(rows)
    assert from_table(table.slice(cut)) == rows[cut:]
    assert from_table(pa.concat_tables([table.slice(cut), table.slice(0, cut)])) == rows[cut:] + rows[:cut]


def test_schema_follows_the_dataclasses():
    schema = arrow_schema()
    assert schema.names == [field.name for field in fields(Dialogue)]
    turn = schema.field("turns").type.value_type
    assert [part.name for part in turn] == [field.name for field in fields(Turn)]
    take = turn.field("take").type
    assert turn.field("take").nullable and take.field("audio").nullable and not turn.field("role").nullable
    assert turn.field("attempts").type.value_type == take, "an attempt is a take"
    audio = take.field("audio").type
    assert audio.field("bytes").type == pa.large_binary() and audio.field("num_samples").type == pa.int64()


def test_missing_structs_leave_their_neighbours_alone():
    row = make_kept(3)
    silent = replace(row, turns=(replace(row.turns[0], take=None), row.turns[1]))
    mute = replace(row, turns=(row.turns[0], with_take(row.turns[1], audio=None, hearing=None)))
    assert from_table(to_table([silent, row, mute, silent])) == [silent, row, mute, silent]


def test_reasons_are_stored_as_text():
    row = replace(make_kept(), status="rejected", reason=Reason.CODE)
    (back,) = from_table(to_table([row]))
    assert back.reason == "code" and type(back.reason) is str


def test_types_come_back_as_python_has_them():
    (back,) = from_table(to_table([replace(make_kept(), wer=0)]))
    assert [type(back.wer), type(back.turns[0].take.seed), type(back.turns[0].audio.bytes)] == [float, int, bytes]


@each_row(
    ("changes", "message"),
    [
        ({"language": None}, "Dialogue.language is None in 1 of 1 rows"),
        ({"language": 3}, "Dialogue.language holds a value that does not fit string"),
        ({"cer": "low"}, "Dialogue.cer holds a value that does not fit double"),
        ({"detail": "\ud800"}, "Dialogue.detail holds a value that does not fit string"),
        ({"source": None}, "a Source is None"),
        (
            {"turns": (with_take(make_kept().turns[0], seed=2**63),)},
            "Take.seed holds a value that does not fit int64",
        ),
    ],
)
def test_wrong_values_are_our_bug(changes, message):
    with pytest.raises(LawBroken, match=message):
        to_table([replace(make_kept(), **changes)])


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda table: table.drop_columns(["wer"]), "not a table of corpus rows: it lacks wer"),
        (
            lambda table: table.append_column("extra", table["wer"]),
            "not a table of corpus rows: it has the unknown extra",
        ),
        (lambda table: table.select(list(reversed(table.column_names))), "its columns are in the wrong order"),
        (
            lambda table: table.set_column(9, "wer", table["wer"].cast("float32")),
            "it has values of a wrong type in wer",
        ),
    ],
)
def test_other_tables_are_refused(break_it, message):
    with pytest.raises(CorpusError, match=message):
        from_table(break_it(to_table([make_kept()])))


def _stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


@each_row(
    ("break_it", "message"),
    [
        (lambda table: table.drop_columns(["language"]), "it lacks language"),
        (lambda table: table.append_column("extra", table["wer"]), "it has the unknown extra"),
        (lambda table: table.select(list(reversed(table.column_names))), "wrong order"),
        (lambda table: table.append_column("wer", table["wer"]), "wrong order, or some are there twice"),
        (lambda table: table.set_column(0, "dialogue_id", table["wer"]), "values of a wrong type in dialogue_id"),
        (lambda table: table.set_column(3, "turns", table["dialogue_id"]), "values of a wrong type in turns"),
        (lambda table: table.set_column(3, "turns", table["provenance"]), "it has the unknown turns.stage"),
    ],
)
def test_a_block_of_other_columns_is_refused(break_it, message):
    table = table_from_ipc(to_ipc([make_kept()]))
    assert "timeline" not in table.column_names, "no row fills it"
    with pytest.raises(CorpusError, match=message):
        from_ipc(_stream(break_it(table)))


def test_partial_tables_give_what_they_have():
    (row,) = from_table(to_table([make_kept(5)]).select(["dialogue_id", "wer"]), partial=True)
    assert (row.dialogue_id, row.wer, row.language, row.turns) == ("made-00000005", 0.0, "", ())


@pytest.mark.parametrize("data", [b"", b"not arrow", to_ipc([make_kept()])[:-200]])
def test_broken_streams_are_corpus_errors(data):
    with pytest.raises(CorpusError, match="not a stream of dialogues"):
        from_ipc(data)
