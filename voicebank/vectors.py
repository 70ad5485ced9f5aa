"""What a vector of a voice bank must be: free of NaN, and of length 1 unless its column is marked as raw.

X-vectors are compared by their direction alone. A synthesizer may read the length of its embedding too: then the
encoder's vectors are kept as they are, and the file says so (`mark_raw`).
"""

import numpy as np
import pyarrow as pa

from manifests.table import Matrix, matrix_of, vector_columns

UNIT_TOLERANCE = 1e-3
"""How far a vector's length may be from 1: float32 rounding of 512 values stays far below, a forgotten division does
not."""

EMBEDDING = "embedding"
"""The only column that may be raw."""

_RAW = b"parley.raw"


def mark_raw(table: pa.Table) -> pa.Table:
    """Return the table with the note that its embeddings are raw."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), _RAW: EMBEDDING.encode()})


def is_marked_raw(schema: pa.Schema) -> bool:
    """Tell whether a file's embeddings are raw: as their encoder gave them, of any length."""
    return (schema.metadata or {}).get(_RAW) == EMBEDDING.encode()


def vectors_problem(table: pa.Table) -> str | None:
    """Say, with the column's name, why a table's vectors are not what they must be; None if they are."""
    for name in vector_columns(table.schema):
        raw = name == EMBEDDING and is_marked_raw(table.schema)
        if problem := matrix_problem(matrix_of(table, name), raw):
            return f"{name} is {problem}"
    return None


def matrix_problem(matrix: Matrix, raw: bool = False) -> str | None:
    """Say why the rows of [N, D] are not all vectors of length 1 or, if `raw`, of any length above 0; None if they
    are."""
    if matrix.size == 0:
        return "of width 0" if len(matrix) else None
    lengths = np.linalg.norm(matrix, axis=1)
    if not np.isfinite(lengths).all():
        return f"NaN or infinite in row {int(np.flatnonzero(~np.isfinite(lengths))[0])}"
    if raw:
        return f"all zeros in row {int(lengths.argmin())}" if not lengths.all() else None
    odd = np.flatnonzero(np.abs(lengths - 1) > UNIT_TOLERANCE)
    return f"of length {lengths[odd[0]]:.4g}, not 1, in row {odd[0]}" if odd.size else None


def are_unit(matrix: Matrix) -> bool:
    """Tell whether all rows of [N, D] have length 1."""
    return matrix_problem(matrix) is None
