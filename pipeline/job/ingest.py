"""ingest: turns input files into blocks of dialogues.

Every row of the input becomes exactly one dialogue, readable or not. User and agent turns alternate from here on, the
user first: a user turn without an answer gets an empty agent turn, which `respond` may fill.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from manifests.changes import replace
from manifests.errors import InputError
from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.job.blocks import write_block
from pipeline.job.commits import total_hash
from pipeline.job.directory import Cut
from pipeline.job.ingest_pieces import Cutting, can_spread, ingest_pieces
from pipeline.job.inputs import InputFile
from pipeline.job.names import dialogue_id
from pipeline.job.rows import IngestOptions, language_of, row_dialogue, text_digest, whole_file_rows
from pipeline.readers.rows import SourceRow
from pipeline.recipe import Recipe
from pipeline.scratch import scratch_at
from pipeline.stages.contract import Mapper

__all__ = ["IngestOptions", "ingest", "rows_key"]


def ingest(
    files: Sequence[InputFile],
    options: IngestOptions,
    recipe: Recipe,
    recipe_digest: str,
    directory: Place,
    scratch: Place,
    progress: Callable[[int], None],
    mapper: Mapper | None = None,
) -> Cut:
    """Write all blocks of the input into `directory`; return counts (rows, blocks, rows per file) and hashes.

    `scratch` is a directory for the ids. `progress` is called with numbers of rows that are done. A large input is cut
    by the workers of the `mapper`, if there is one; the blocks are the same.
    """
    if mapper is not None and can_spread(files, options, mapper):
        cutting = Cutting(tuple(files), options, recipe, recipe_digest, directory, scratch)
        if done := ingest_pieces(cutting, mapper, progress):
            names = [rows_key(file.dataset, file.name) for file in files]
            return _cut(dict(zip(names, done[0], strict=True)), done[1], recipe, recipe_digest)
    rows_of = {rows_key(file.dataset, file.name): 0 for file in files}
    hashes: list[str] = []
    with scratch_at(scratch, "parley-ids-") as path, closing(_Ids(path)) as ids:
        dialogues = islice(_dialogues(files, options, recipe, recipe_digest, ids, rows_of), options.limit)
        while batch := list(islice(dialogues, recipe.block_rows)):
            # What a power cut takes of these is seen by its hash and read again, so they need not wait for the disk.
            hashes.append(write_block(directory, len(hashes), batch, lasting=False))
            progress(len(batch))
    return _cut(rows_of, hashes, recipe, recipe_digest)


def _cut(rows_of: dict[str, int], hashes: list[str], recipe: Recipe, recipe_digest: str) -> Cut:
    rows = sum(rows_of.values())
    if not rows:
        raise InputError("the input has no rows")
    counts = {"rows": rows, "blocks": len(hashes), "block_rows": recipe.block_rows, "rows_of": rows_of}
    return Cut({**counts, "recipe": recipe_digest, "sha256": total_hash(hashes)}, hashes)


def rows_key(dataset: str, file: str | None) -> str:
    """Return the key in `rows_of` of a data set, or of one of its files."""
    return f"{dataset}/{file}" if file else dataset


def _dialogues(
    files: Iterable[InputFile],
    options: IngestOptions,
    recipe: Recipe,
    recipe_digest: str,
    ids: "_Ids",
    rows_of: dict[str, int],
) -> Iterator[Dialogue]:
    live_of: Counter[str] = Counter()
    for file in files:
        for row in islice(whole_file_rows(file), options.limit_each):
            rows_of[rows_key(file.dataset, file.name)] += 1
            dialogue = _dialogue(row, file, options, recipe, recipe_digest, ids)
            if dialogue.status == "live":
                dialogue = replace(dialogue, ordinal=live_of[dialogue.language])
                live_of[dialogue.language] += 1
            yield dialogue


def _dialogue(
    row: SourceRow, file: InputFile, options: IngestOptions, recipe: Recipe, recipe_digest: str, ids: "_Ids"
) -> Dialogue:
    digest = text_digest(row.turns).hex()
    times = ids.times(digest)
    name, language = dialogue_id(file.dataset, digest, times), language_of(row, options)
    return row_dialogue(row, file, language, recipe, recipe_digest, name, is_repeated=times > 1)


class _Ids:
    """Counts how often each text was seen; on disk, so that memory use does not grow with the number of rows."""

    def __init__(self, directory: Path) -> None:
        self._database = sqlite3.connect(directory / "ids.sqlite", isolation_level=None)
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID")

    def close(self) -> None:
        self._database.close()

    def times(self, digest: str) -> int:
        """Return for the how manieth time a row has this digest of its texts."""
        statement = "INSERT INTO seen VALUES (?, 1) ON CONFLICT(id) DO UPDATE SET times = times + 1 RETURNING times"
        return int(self._database.execute(statement, (digest,)).fetchone()[0])
