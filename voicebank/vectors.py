"""What a vector of a voice bank must be: free of NaN, and of length 1."""

import numpy as np
import pyarrow as pa

from manifests.table import Matrix, matrix_of, vector_columns

UNIT_TOLERANCE = 1e-3
"""How far a vector's length may be from 1: float32 rounding of 512 values stays far below, a forgotten division does
not."""


def vectors_problem(table: pa.Table) -> str | None:
    """Say, with the column's name, why a table's vectors are not all of length 1; None if they are."""
    for name in vector_columns(table.schema):
        if problem := matrix_problem(matrix_of(table, name)):
            return f"{name} is {problem}"
    return None


def matrix_problem(matrix: Matrix) -> str | None:
    """Say why the rows of [N, D] are not all vectors of length 1; None if they are."""
    if matrix.size == 0:
        return "of width 0" if len(matrix) else None
    lengths = np.linalg.norm(matrix, axis=1)
    if not np.isfinite(lengths).all():
        return f"NaN or infinite in row {int(np.flatnonzero(~np.isfinite(lengths))[0])}"
    odd = np.flatnonzero(np.abs(lengths - 1) > UNIT_TOLERANCE)
    return f"of length {lengths[odd[0]]:.4g}, not 1, in row {odd[0]}" if odd.size else None
