"""MosaicML Streaming: shards with an index, read at random; one row for each dialogue.

::

    train/index.json            the columns, and for each shard its size and number of rows
    train/shard.00000-000.mds   piece and shard

A shard is, in little-endian numbers of 32 bits: the number of rows, the offset of each row and of the end, the columns
as JSON, the rows. A row is the sizes of its columns without a fixed size, then the columns, sorted by name.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Any

from manifests.corpus import Corpus
from manifests.export._tracks import (
    ROLES,
    TrackSettings,
    dialogue_facts,
    track_bytes,
    tracks,
    tracks_length,
    tracks_problem,
)
from manifests.export.contract import Exporter, Piece, PieceWriter
from manifests.schema import Dialogue
from manifests.storage import Place

_VERSION = 2
_ENCODINGS = {
    "agent": "bytes",
    "dialogue_id": "str",
    "language": "str",
    "num_samples": "int",
    "sample_rate": "int",
    "turns": "json",
    "user": "bytes",
}
"""The columns, sorted. An "int" has 64 bits."""
_COLUMN_SIZES = [8 if encoding == "int" else None for encoding in _ENCODINGS.values()]
_LAYOUT = {
    "column_encodings": list(_ENCODINGS.values()),
    "column_names": list(_ENCODINGS),
    "column_sizes": _COLUMN_SIZES,
    "compression": None,
    "format": "mds",
    "hashes": [],
    "size_limit": None,
    "version": _VERSION,
}
_SHARD_BYTES = 64 * 2**20
"""A shard is closed when it has so many bytes: what the program's own writer does, and its readers count on."""
_MAX_TRACK_BYTES = 2**32 - 2 * _SHARD_BYTES
"""For both tracks of a row: offsets have 32 bits, and a row may come behind an almost full shard."""
_SAMPLE_BYTES = 2


@dataclass(frozen=True)
class MdsWriter(PieceWriter):
    settings: TrackSettings

    def problem(self, dialogue: Dialogue) -> str | None:
        if problem := tracks_problem(dialogue, self.settings.sample_rate):
            return problem
        size = len(ROLES) * _SAMPLE_BYTES * tracks_length(dialogue, self.settings)
        return "its tracks are too long for a shard" if size > _MAX_TRACK_BYTES else None

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> list[dict[str, Any]]:
        """Return each shard's name, bytes and number of rows."""
        rows, found = list[bytes](), list[dict[str, Any]]()

        def close() -> None:
            place = out / piece.split / f"shard.{piece.number:05d}-{len(found):03d}.mds"
            size = _write_shard(place, rows)
            found.append({"name": place.name, "bytes": size, "rows": len(rows)})
            rows.clear()

        for dialogue in dialogues:
            rows.append(_row(dialogue, self.settings))
            if sum(map(len, rows)) >= _SHARD_BYTES:
                close()
        if rows:
            close()
        return found

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        for split, of_split in groupby(pieces, lambda each: each[0].split):
            shards = (_index_entry(shard) for _, shards in of_split for shard in shards)
            with (out / split / "index.json").writing() as stream:
                stream.write(f'{{"shards": [{", ".join(shards)}], "version": {_VERSION}}}\n'.encode())
        return ()


def _row(dialogue: Dialogue, settings: TrackSettings) -> bytes:
    made = tracks(dialogue, settings)
    facts = dialogue_facts(dialogue, made)
    values = facts | {
        "user": track_bytes(made.user, made.rate, settings.codec),
        "agent": track_bytes(made.agent, made.rate, settings.codec),
    }
    data = [_encoded(values[name], encoding) for name, encoding in _ENCODINGS.items()]
    sizes = [len(each) for each, size in zip(data, _COLUMN_SIZES, strict=True) if size is None]
    return struct.pack(f"<{len(sizes)}I", *sizes) + b"".join(data)


def _encoded(value: Any, encoding: str) -> bytes:
    if encoding == "bytes":
        return bytes(value)
    if encoding == "int":
        return struct.pack("<q", value)
    return (json.dumps(value) if encoding == "json" else str(value)).encode()


def _write_shard(place: Place, rows: Sequence[bytes]) -> int:
    """Write the rows; return the file's size in bytes."""
    layout = json.dumps(_LAYOUT, sort_keys=True).encode()
    begin = 4 * (1 + len(rows) + 1) + len(layout)
    offsets = list(accumulate(map(len, rows), initial=begin))
    with place.writing() as stream:
        stream.write(struct.pack(f"<{1 + len(offsets)}I", len(rows), *offsets))
        stream.write(layout)
        for row in rows:
            stream.write(row)
    return offsets[-1]


def _index_entry(shard: dict[str, Any]) -> str:
    raw = {"basename": shard["name"], "bytes": shard["bytes"], "hashes": {}}
    return json.dumps({**_LAYOUT, "raw_data": raw, "samples": shard["rows"], "zip_data": None}, sort_keys=True)


def open_mds(corpus: Corpus, settings: TrackSettings) -> MdsWriter:
    return MdsWriter(settings)


EXPORTER = Exporter(
    "mds",
    "MosaicML Streaming (MDS): shards and an index, a row for each dialogue with a track for each speaker",
    open_mds,
    TrackSettings,
    read_by="mosaicml-streaming 0.13.0",
)
