"""Reads and writes a bank's `reference_embeddings.parquet`: a speaker embedding of each voice *as it sounds*.

The x-vector of a virtual voice is an average that was never heard. A reference embedding is the mean of the embeddings
of a few sentences that the voice spoke, so that a clip can be compared with its own voice. It belongs to one encoder,
and to the voices that the bank had when it was made; the file says which.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import CorpusError
from manifests.storage import Place
from voicebank.columns import Column, pack, unpack
from voicebank.voice import Vector

REFERENCE_EMBEDDINGS_FILE = "reference_embeddings.parquet"

_VECTOR = Column("reference_embedding", None, False)
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


def write_reference_embeddings(directory: Place, origin: Origin, vectors: Mapping[str, Vector]) -> None:
    """Write the embeddings by voice_id: float32 [D] of length 1. The same ones give the same bytes.

    ValueError for vectors of another shape or length.
    """
    width = len(next(iter(vectors.values()), ()))
    columns = [pa.array(list(vectors), pa.string()), pack(_VECTOR, list(vectors.values()), width)]
    table = pa.Table.from_arrays(columns, names=["voice_id", _VECTOR.name])
    table = table.replace_schema_metadata({_ORIGIN: json.dumps(asdict(origin), sort_keys=True)})
    with (directory / REFERENCE_EMBEDDINGS_FILE).writing() as file:
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)


def read_origin(directory: Place) -> Origin | None:
    """Read where the bank's reference embeddings come from; None where it has none.

    CorpusError for a file of another kind.
    """
    place = directory / REFERENCE_EMBEDDINGS_FILE
    if not place.is_file():
        return None
    metadata = _read(place, lambda stream: pq.read_schema(stream)).metadata or {}
    try:
        return Origin(**json.loads(metadata[_ORIGIN]))
    except (KeyError, TypeError, ValueError) as error:
        raise CorpusError(f"{_label(place)}: does not say where its reference embeddings come from") from error


def read_reference_embeddings(directory: Place) -> dict[str, Vector]:
    """Read the reference embeddings by voice_id. CorpusError where the file is damaged or of another kind."""
    place = directory / REFERENCE_EMBEDDINGS_FILE
    table = _read(place, lambda stream: pq.read_table(stream, page_checksum_verification=True)).combine_chunks()
    field_type = table.schema.field(_VECTOR.name).type if _VECTOR.name in table.schema.names else None
    if "voice_id" not in table.schema.names or not pa.types.is_fixed_size_list(field_type or pa.null()):
        raise CorpusError(f"{_label(place)}: not a table of reference embeddings")
    try:
        vectors = unpack(_VECTOR, table.column(_VECTOR.name).combine_chunks())
    except ValueError as error:
        raise CorpusError(f"{_label(place)}: {error}") from error
    return dict(zip(table.column("voice_id").to_pylist(), vectors, strict=True))


def _read(place: Place, read: Any) -> Any:
    try:
        with place.filesystem.open_input_file(place.path) as stream:
            return read(stream)
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"{_label(place)}: damaged, or not a Parquet file: {str(error).splitlines()[0]}") from error


def _label(place: Place) -> str:
    """The file with its directory's name, and no more of the path."""
    return "/".join(place.path.rsplit("/", 2)[-2:])
