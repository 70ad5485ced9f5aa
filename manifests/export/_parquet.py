"""Writes the Parquet file of a piece, row group by row group, so that memory does not grow with it."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.export.contract import Piece
from manifests.storage import Place


def write_parquet(out: Place, piece: Piece, schema: pa.Schema, rows_of: Iterable[Iterable[Any]], size: int) -> None:
    """Write `data/train-00000.parquet` with the full schema, also where there is no row.

    `rows_of` gives the rows of each dialogue, which stay together: a row group ends with the dialogue that brings it
    to `size` rows.
    """
    rows: list[Any] = []
    place = out / "data" / f"{piece.stem}.parquet"
    with place.writing() as stream, pq.ParquetWriter(stream, schema) as file:
        for some in rows_of:
            rows += some
            if len(rows) >= size:
                file.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        if rows:
            file.write_table(pa.Table.from_pylist(rows, schema))
