"""Values of Arrow arrays, from their buffers."""

import subprocess
import sys
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.arrow_values import items_of, plain_values, validity
from parley.testing.corpora import make_corpus, make_rows

INT64 = st.integers(-(2**63), 2**63 - 1)
KINDS = {
    pa.string(): st.one_of(st.text("ab"), st.text(st.characters(codec="utf-8"))),
    pa.large_binary(): st.binary(),
    pa.int64(): INT64,
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
}


@given(data=st.data(), kind=st.sampled_from(list(KINDS)), nullable=st.booleans())
def test_values_are_those_of_pyarrow_in_any_part_of_an_array(data, kind, nullable):
    values = st.one_of(st.none(), KINDS[kind]) if nullable else KINDS[kind]
    array = pa.array(data.draw(st.lists(values, max_size=40)), kind)
    first, last = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 40))
    part = array.slice(min(first, len(array)), last)
    assert plain_values(part) == part.to_pylist()
    assert validity(part) == part.is_valid().to_pylist()


@given(lists=st.lists(st.lists(INT64, max_size=4), max_size=12), first=st.integers(0, 12), last=st.integers(0, 12))
def test_items_are_those_of_pyarrow_in_any_part_of_an_array(lists, first, last):
    array = pa.array(lists, pa.list_(pa.int64()))
    part = array.slice(min(first, len(array)), last)
    flat, ends = items_of(part)
    assert flat.to_pylist() == part.flatten().to_pylist()
    assert [flat[start:end].to_pylist() for start, end in pairwise(ends)] == part.to_pylist()


_LOADED = """
import sys
from parley import Corpus, CorpusStream
for read in (lambda: list(CorpusStream(Corpus(sys.argv[1]), shuffle=False)), lambda: list(Corpus(sys.argv[1]))):
    read()
    print(sorted({"pandas", "pyarrow.compute"} & set(sys.modules)))
"""


def test_reading_imports_neither_pandas_nor_for_a_stream_what_pyarrow_computes_with(tmp_path):
    pytest.importorskip("pandas")  # without it, the test could not fail
    make_corpus(tmp_path, make_rows())
    done = subprocess.run([sys.executable, "-c", _LOADED, str(tmp_path)], capture_output=True, text=True, check=True)
    stream, corpus = done.stdout.splitlines()
    assert stream == "[]" and "pandas" not in corpus
