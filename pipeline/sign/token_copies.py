"""Copies the token sets of a corpus beside its signed copy: the samples, and so the codes, are the same there.

A set names the manifest that it is of, and has a line for each row, row group for row group: both are another in the
copy, since a signed clip is larger.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from manifests.errors import CorpusError
from manifests.manifest import Manifest, manifest_text
from manifests.shards import ShardReader
from manifests.storage import Place
from manifests.token_reader import TokenFile
from manifests.token_sets import (
    TokenSet,
    load_token_set,
    token_set_names,
    token_shard_path,
    write_token_set,
    write_token_shard,
)


def token_sets_of(place: Place) -> tuple[TokenSet, ...]:
    """Load all token sets of a corpus; raises CorpusError for one that is damaged or of another corpus."""
    return tuple(load_token_set(place, name) for name in token_set_names(place))


def copy_token_sets(place: Place, out: Place, manifest: Manifest) -> None:
    """Write the token sets of `place` into `out`, whose shards are there and whose manifest is going to be `manifest`.

    Raises CorpusError for a set that is damaged.
    """
    digest = hashlib.sha256(manifest_text(manifest).encode()).hexdigest()
    for before in token_sets_of(place):
        after, shards = replace(before, manifest_sha256=digest), []
        for shard in manifest.shards.get("kept", ()):
            path = token_shard_path(before.name, shard)
            file = TokenFile(place / path, before)
            try:
                tables = (file.table(group) for group in range(len(file.group_rows)))
                groups = _regrouped(tables, _group_rows(out / shard.path), path)
                shards.append(write_token_shard(out, path, groups, after))
            finally:
                file.close()
        write_token_set(out, replace(after, shards=tuple(shards)))


def _group_rows(shard: Place) -> list[int]:
    reader = ShardReader(shard)
    reader.close()
    return reader.group_rows


def _regrouped(tables: Iterable[pa.Table], counts: Iterable[int], path: str) -> Iterator[pa.Table]:
    """Yield the rows of the tables in tables of so many rows."""
    left, waiting = iter(tables), None
    for count in counts:
        while waiting is None or waiting.num_rows < count:
            if (table := next(left, None)) is None:
                raise CorpusError(f"{path}: it has not the rows of its shard")
            waiting = table if waiting is None else pa.concat_tables([waiting, table])
        yield waiting.slice(0, count)
        waiting = waiting.slice(count)
