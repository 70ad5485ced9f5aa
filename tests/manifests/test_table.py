"""Rows of any dataclass as tables: what the row of a corpus does not use, and vectors above all."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import CorpusError, LawBroken
from manifests.table import (
    Vector,
    arrow_schema_of,
    from_table,
    matrix_of,
    schema_problem,
    to_table,
    vector_array,
    vector_columns,
)


@dataclass(frozen=True)
class Flags:
    yes: bool
    perhaps: bool | None
    number: int | None


@dataclass(frozen=True)
class Spoken:
    name: str
    kind: Literal["a", "b"]
    parents: tuple[str, ...]
    first: Vector
    second: Vector | None


@dataclass(frozen=True)
class Odd:
    lists: list[str]


@dataclass(frozen=True)
class Inner:
    vector: Vector


@dataclass(frozen=True)
class Outer:
    inner: Inner


def vector(*numbers: float) -> Vector:
    return np.array(numbers, np.float32)


def spoken(name: str, first: Vector, second: Vector | None = None, parents: tuple[str, ...] = ()) -> Spoken:
    return Spoken(name, "a", parents, first, second)


ROWS = [spoken("x", vector(1, 2)), spoken("y", vector(3, 4), vector(5, 6, 7), ("x", "z")), spoken("", vector(0, -1))]


def comparable(rows: list[Spoken]) -> list[tuple[object, ...]]:
    """Vectors are not compared by ==, so they are turned into lists here."""
    return [
        (r.name, r.kind, r.parents, r.first.tolist(), None if r.second is None else r.second.tolist()) for r in rows
    ]


@pytest.mark.parametrize("kind", [Odd, Outer, "dict", "union", "pair", "complex"])
def test_unknown_annotations_are_refused(kind):
    odd = {"dict": dict[str, int], "union": int | str, "pair": tuple[int, str], "complex": complex}
    cls = dataclass(type("Made", (), {"__annotations__": {"field": odd[kind]}})) if kind in odd else kind
    with pytest.raises(TypeError, match="has no Arrow type"):
        arrow_schema_of(cls)


def test_booleans_and_missing_numbers():
    rows = [Flags(True, None, 3), Flags(False, True, None)]
    assert from_table(to_table(rows, Flags), Flags) == rows


_vectors = st.lists(st.floats(width=32, allow_nan=False), min_size=3, max_size=3).map(lambda v: vector(*v))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(spoken, st.text(), _vectors, st.none() | _vectors), max_size=6), st.integers(0, 6))
def test_vectors_come_back_however_the_table_is_cut(rows, cut):
    table = to_table(rows, Spoken)
    assert comparable(from_table(table, Spoken)) == comparable(rows)
    parts = pa.concat_tables([table.slice(cut), table.slice(0, cut)])
    assert comparable(from_table(parts, Spoken)) == comparable(rows[cut:] + rows[:cut])


def test_a_vector_has_a_column_where_some_row_has_one():
    assert to_table(ROWS, Spoken).schema == arrow_schema_of(Spoken, {"first": 2, "second": 3})
    assert to_table(ROWS[:1], Spoken).schema.names == ["name", "kind", "parents", "first"]
    assert arrow_schema_of(Spoken).names == to_table([], Spoken).schema.names == ["name", "kind", "parents"]
    field = arrow_schema_of(Spoken, {"first": 2}).field("first")
    assert field.type.list_size == 2 and field.type.value_type == pa.float32() and not field.nullable
    assert vector_columns(to_table(ROWS, Spoken).schema) == ["first", "second"]


def test_matrices_leave_missing_vectors_out():
    table = to_table(ROWS, Spoken)
    assert matrix_of(table, "first").tolist() == [[1, 2], [3, 4], [0, -1]]
    assert matrix_of(table, "second").tolist() == [[5, 6, 7]]
    with pytest.raises(CorpusError, match="name does not hold vectors"):
        matrix_of(table, "name")


@pytest.mark.parametrize(
    ("rows", "widths", "message"),
    [
        (
            [spoken("x", vector(1, 2)), spoken("y", vector(1))],
            None,
            r"first has the shape \(1,\) in row 1, not \(2,\)",
        ),
        (ROWS, {"first": 3}, r"Spoken.first has the shape \(2,\) in row 0, not \(3,\)"),
        (ROWS, {"first": 2}, "Spoken.second is there, but the first rows had none"),
        ([spoken("x", vector())], None, "Spoken.first is empty"),
        ([Spoken("x", "a", (), None, None)], None, "Spoken.first is missing in row 0"),  # type: ignore[arg-type]
        ([Spoken("x", "a", (None,), vector(1), None)], None, "Spoken.parents is None in 1 of 1 rows"),  # type: ignore[arg-type]
    ],
)
def test_rows_that_do_not_fit_are_our_bug(rows, widths, message):
    with pytest.raises(LawBroken, match=message):
        to_table(rows, Spoken, widths)


def test_vectors_without_a_field():
    assert vector_array("x", [vector(1, 2)], 2).to_pylist() == [[1, 2]]
    with pytest.raises(LawBroken, match="x is there, but the first rows had none"):
        vector_array("x", [vector(1, 2)], None)
    with pytest.raises(LawBroken, match=r"^x is missing in row 1"):
        vector_array("x", [vector(1, 2), None], 2)


def _nullable(table: pa.Table) -> pa.Table:
    return pa.Table.from_arrays(table.columns, names=table.schema.names)


def test_columns_may_come_in_any_order_and_be_nullable():
    table = _nullable(to_table(ROWS, Spoken)).select(["second", "parents", "name", "first", "kind"])
    assert comparable(from_table(table, Spoken)) == comparable(ROWS)
    assert schema_problem(table.schema, Spoken) is None
    assert schema_problem(_nullable(to_table(ROWS, Spoken)).schema, Spoken, exact=True) == (
        "it has values of a wrong type in name, kind, parents"
    )
    order = ["kind", "name", "parents"]
    assert schema_problem(to_table([], Spoken).select(order).schema, Spoken, exact=True) == (
        "its columns are in the wrong order"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop_columns(["name", "kind"]), "it lacks name, kind"),
        (lambda t: t.append_column("more", t["name"]), "it has the unknown more"),
        (lambda t: t.set_column(0, "name", pa.array([1, 2, 3])), "it has values of a wrong type in name"),
        (lambda t: t.set_column(0, "name", pa.array(["a", None, "b"])), "Spoken.name is missing in 1 of 3 rows"),
        (lambda t: t.drop_columns(["first"]), "Spoken.first is missing"),
        (
            lambda t: t.set_column(3, "first", pa.array([[1.0, 2], None, [3, 4]], pa.list_(pa.float32(), 2))),
            "Spoken.first is missing in 1 of 3 rows",
        ),
        (
            lambda t: t.set_column(4, "second", pa.array([[1.0, None]] * 3, pa.list_(pa.float32(), 2))),
            "Spoken.second has missing values",
        ),
        (
            lambda t: t.set_column(3, "first", pa.array([[1.0, 2]] * 3, pa.list_(pa.float64(), 2))),
            "it has values of a wrong type in first",
        ),
    ],
)
def test_a_foreign_table_is_refused(change, message):
    with pytest.raises(CorpusError, match=message):
        from_table(change(to_table(ROWS, Spoken)), Spoken)


def test_columns_besides_and_columns_that_are_not_there():
    table = to_table(ROWS, Spoken)
    more = table.append_column("more", table["name"])
    assert comparable(from_table(more, Spoken, besides=["more"])) == comparable(ROWS)
    (row,) = from_table(table.slice(1, 1).select(["second"]), Spoken, partial=True)
    assert (row.name, row.parents, row.first) == ("", (), None) and row.second.tolist() == [5, 6, 7]
