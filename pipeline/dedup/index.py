"""The finished index, which says which dialogue repeats which; nothing else is left of the work.

::

    index.json         written last, so the index is finished if it exists; how the index was made
    duplicates.arrow   hash of a duplicate's id, the id, the id of the row that it repeats; sorted by the hash
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from manifests.errors import CorpusError
from manifests.json_text import parse_json
from manifests.shards import DAMAGE
from manifests.storage import Place
from pipeline.dedup.shingles import Hashes

INDEX = "index.json"
_TABLE = "duplicates.arrow"
_SCHEMA = pa.schema([("hash", pa.uint64()), ("duplicate", pa.large_string()), ("of", pa.large_string())])


class Duplicates(Mapping[str, str]):
    """A mapping from the dialogue_id of a duplicate to the dialogue_id of the earlier row that it repeats.

    Backed by Arrow columns: 32 bytes for each duplicate, and the two ids. On a local disk the file is mapped, not
    read, so that all workers of a machine share it.
    """

    def __init__(self, table: Any) -> None:
        self._hashes: Hashes = table["hash"].to_numpy()
        self._ids, self._others = table["duplicate"], table["of"]

    def __getitem__(self, dialogue_id: str) -> str:
        wanted = np.uint64(_hash(dialogue_id))
        first, last = np.searchsorted(self._hashes, wanted), np.searchsorted(self._hashes, wanted, side="right")
        for place in range(int(first), int(last)):
            if self._ids[place].as_py() == dialogue_id:
                return str(self._others[place].as_py())
        raise KeyError(dialogue_id)

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[str]:
        return (str(value.as_py()) for value in self._ids)


def write_index(target: Place, duplicates: Any, others: Any, made_with: Mapping[str, Any]) -> None:
    """Write the index. `duplicates` and `others` are large_string arrays with one id for each duplicate."""
    hashes = np.array([_hash(value.as_py()) for value in duplicates], dtype=np.uint64)
    order = pa.array(np.argsort(hashes, kind="stable"))
    table = pa.table([pa.array(hashes), duplicates, others], schema=_SCHEMA).take(order)
    place = target / _TABLE
    with place.writing() as file, pa.ipc.new_file(file, _SCHEMA) as writer:
        writer.write_table(table)
    about = {"duplicates": len(hashes), "bytes": place.size(), **made_with}
    (target / INDEX).write_text(json.dumps(about, sort_keys=True) + "\n")


def finished_count(target: Place) -> int | None:
    """Return the number of duplicates in the index, or None if the index is not finished."""
    return _about(target)["duplicates"] if (target / INDEX).exists() else None


def load_index(target: Place) -> Mapping[str, str]:
    """Open the finished index. Raises CorpusError if it is missing or broken."""
    if not (target / INDEX).exists():
        raise CorpusError("the index of near-duplicates is missing: it is built before the stage dedup runs")
    place, about = target / _TABLE, _about(target)
    if not place.is_file() or place.size() != about["bytes"]:
        raise CorpusError(f"the index of near-duplicates is damaged: {_TABLE} is not the file that was written")
    try:
        source = pa.memory_map(place.path) if place.is_local else place.filesystem.open_input_file(place.path)
        return Duplicates(pa.ipc.open_file(source).read_all())
    except (*DAMAGE, KeyError) as error:
        raise CorpusError(f"the index of near-duplicates is damaged: {_TABLE} cannot be read") from error


def _about(target: Place) -> dict[str, int]:
    try:
        about = parse_json((target / INDEX).read_text())
        return {name: int(about[name]) for name in ("duplicates", "bytes")}
    except (ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"the index of near-duplicates is damaged: {INDEX} is not what was written") from error


def _hash(dialogue_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(dialogue_id.encode(), digest_size=8).digest(), "little")
