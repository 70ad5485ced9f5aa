"""Arrow arrays of Python values, without pandas."""

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.arrow_arrays import array_of
from manifests.reasons import Reason
from tests.manifests.test_arrow_values import KINDS


@given(data=st.data(), kind=st.sampled_from(list(KINDS)), nullable=st.booleans())
def test_arrays_are_those_of_pyarrow(data, kind, nullable):
    values = data.draw(st.lists(st.one_of(st.none(), KINDS[kind]) if nullable else KINDS[kind], max_size=40))
    made, theirs = array_of(values, kind), pa.array(values, kind)
    made.validate(full=True)
    assert made.equals(theirs) and made.null_count == theirs.null_count
    assert _ipc(made) == _ipc(theirs)


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["a", Reason.CODE], pa.string()), ([1, 2.0], pa.float64()), ([True], pa.bool_()), ([2.0], pa.int64())],
)
def test_relatives_of_a_type_are_taken_as_pyarrow_takes_them(values, kind):
    assert array_of(values, kind).equals(pa.array(values, kind))


@pytest.mark.parametrize(
    ("values", "kind"), [([2**63], pa.int64()), ([b"1"], pa.int64()), ([3], pa.string()), (["\ud800"], pa.string())]
)
def test_errors_are_those_of_pyarrow(values, kind):
    with pytest.raises(Exception) as theirs:
        pa.array(values, kind)
    with pytest.raises(theirs.type):
        array_of(values, kind)


_WRITTEN = """
import sys
from manifests.shards import write_shard
from manifests.storage import open_place
from parley.testing.corpora import make_kept, make_rejected
write_shard(open_place(sys.argv[1]), [make_kept(1), make_rejected(2)])
assert not {"pandas", "pyarrow.compute"} & set(sys.modules)
"""


def test_a_shard_is_written_without_pandas_and_pyarrow_compute(tmp_path):
    subprocess.run([sys.executable, "-c", _WRITTEN, str(tmp_path / "shard")], check=True)


def _ipc(array):
    sink = pa.BufferOutputStream()
    batch = pa.record_batch([array], ["values"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()
