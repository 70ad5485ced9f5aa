"""Parquet files, row group by row group: whole or not there, the same bytes, and one clear error for a damaged one."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import CorpusError, LawBroken
from manifests.row_groups import label, naming, open_row_groups, read_row_groups, read_schema
from manifests.storage import open_place

ONE, TWO = pa.table({"a": [1, 2], "b": ["x", "y"]}), pa.table({"a": [3], "b": ["z"]})


def write(place, *tables):
    with open_row_groups(place, ONE.schema) as file:
        for table in tables:
            file.write(table)
    return place


def read(place, names=None):
    return list(read_row_groups(place, lambda schema: None, names))


def test_each_table_is_a_row_group(tmp_path):
    place = write(open_place(tmp_path / "some" / "t.parquet"), ONE, TWO)
    assert read(place) == [ONE, TWO]
    assert read(place, ["b", "gone"]) == [ONE.select(["b"]), TWO.select(["b"])]
    assert pq.ParquetFile(place.path).num_row_groups == 2
    assert read_schema(place) == ONE.schema
    assert write(open_place(tmp_path / "again"), ONE, TWO).read_bytes() == place.read_bytes()


def test_a_file_without_tables_has_the_schema_that_was_given(tmp_path):
    place = write(open_place(tmp_path / "t"))
    assert read(place) == [] and read_schema(place) == ONE.schema


def test_another_schema_is_refused_and_nothing_is_left(tmp_path):
    with pytest.raises(LawBroken, match="t: the columns of a row group are not those of the first one"):
        write(open_place(tmp_path / "t"), ONE, TWO.select(["a"]))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_spares_the_old_file(tmp_path):
    place = write(open_place(tmp_path / "t"), ONE)
    with pytest.raises(KeyboardInterrupt), open_row_groups(place, ONE.schema) as file:
        file.write(TWO)
        raise KeyboardInterrupt
    assert read(place) == [ONE] and len(list(tmp_path.iterdir())) == 1


def test_errors_name_the_file_and_no_more_of_its_path(tmp_path):
    place = write(open_place(tmp_path / "bank" / "t"), ONE)
    assert label(place) == "bank/t"
    with pytest.raises(CorpusError, match=r"^bank/t: it is odd$"):
        list(read_row_groups(place, lambda schema: "it is odd"))
    with pytest.raises(CorpusError, match=r"^bank/t: so$"), naming(place):
        raise CorpusError("so")
    with pytest.raises(CorpusError, match=r"^bank/none: the file is missing$"):
        read(place.__class__(place.filesystem, f"{tmp_path}/bank/none"))
    place.write_bytes(place.read_bytes()[:-9])
    with pytest.raises(CorpusError, match=r"^bank/t: damaged, or not a Parquet file: "):
        read(place)
