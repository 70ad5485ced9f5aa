"""Reads and writes a bank's `reference_embeddings.parquet`: a speaker embedding of each voice *as it sounds*.

The x-vector of a virtual voice is an average that was never heard. A reference embedding is the mean of the embeddings
of a few sentences that the voice spoke, so that a clip can be compared with its own voice. It belongs to one encoder,
and to the voices that the bank had when it was made; the file says which.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from manifests.errors import CorpusError, LawBroken
from manifests.json_text import parse_json
from manifests.row_groups import label, naming, open_row_groups, read_row_groups, read_schema
from manifests.storage import Place
from manifests.table import Vector, from_table, schema_problem, to_table
from voicebank.vectors import vectors_problem

REFERENCE_EMBEDDINGS_FILE = "reference_embeddings.parquet"

_ORIGIN = b"parley.reference_embeddings"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where reference embeddings come from.

    `encoder` is the engine's name, `label` its version with the model's, `bank` the digest of the bank, and
    `synthesizers` the versions of the engines that spoke.
    """

    encoder: str
    label: str
    bank: str
    synthesizers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _ReferenceEmbedding:
    """One row of the file; `reference_embedding` is float32 [D], length 1."""

    voice_id: str
    reference_embedding: Vector


def write_reference_embeddings(directory: Place, origin: Origin, vectors: Mapping[str, Vector]) -> None:
    """Write `vectors`: float32 [D], length 1, of each voice_id. The same ones give the same bytes.

    Raises ValueError for a vector of another length or width, and for no vectors.
    """
    try:
        table = to_table([_ReferenceEmbedding(*item) for item in vectors.items()], _ReferenceEmbedding)
    except LawBroken as error:
        raise ValueError(str(error)) from error
    if problem := "there are no vectors" if not vectors else vectors_problem(table):
        raise ValueError(problem)
    # Files of this kind have always had columns that may be null.
    table = pa.Table.from_arrays(table.columns, names=table.schema.names)
    table = table.replace_schema_metadata({_ORIGIN: json.dumps(asdict(origin), sort_keys=True)})
    with open_row_groups(directory / REFERENCE_EMBEDDINGS_FILE, table.schema) as file:
        file.write(table)


def read_origin(directory: Place) -> Origin | None:
    """Read where the bank's reference embeddings come from; None where it has none.

    Raises CorpusError for a file of another kind.
    """
    place = directory / REFERENCE_EMBEDDINGS_FILE
    if not place.is_file():
        return None
    metadata = read_schema(place).metadata or {}
    try:
        return Origin(**parse_json(metadata[_ORIGIN]))
    except (KeyError, TypeError, ValueError) as error:
        raise CorpusError(f"{label(place)}: does not say where its reference embeddings come from") from error


def read_reference_embeddings(directory: Place) -> dict[str, Vector]:
    """Return the reference embeddings by voice_id. Raises CorpusError for a damaged file, or one of another kind."""
    place = directory / REFERENCE_EMBEDDINGS_FILE
    rows: list[_ReferenceEmbedding] = []
    for table in read_row_groups(place, lambda schema: schema_problem(schema, _ReferenceEmbedding)):
        with naming(place):
            rows += from_table(table, _ReferenceEmbedding)
            if problem := vectors_problem(table):
                raise CorpusError(problem)
    return {row.voice_id: row.reference_embedding for row in rows}
