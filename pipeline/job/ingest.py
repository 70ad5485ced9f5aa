"""ingest: turns input files into blocks of dialogues.

Every row of the input becomes exactly one dialogue, readable or not. User and agent turns alternate from here on, the
user first: a user turn without an answer gets an empty agent turn, which `respond` may fill.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from manifests.changes import replace
from manifests.errors import InputError
from manifests.reasons import Reason
from manifests.schema import Dialogue, Source, Turn
from manifests.storage import Place
from pipeline.job.blocks import write_block
from pipeline.job.commits import total_hash
from pipeline.job.directory import Cut
from pipeline.job.inputs import InputFile
from pipeline.job.names import DIGEST_BYTES, dialogue_id
from pipeline.readers import detect_language, read_rows
from pipeline.readers.detect import NoRows
from pipeline.readers.rows import SourceRow, SourceTurn
from pipeline.recipe import Recipe
from pipeline.scratch import scratch_at
from pipeline.stages.contract import reject


@dataclass(frozen=True)
class IngestOptions:
    """Holds options. `language` None: detected for each row. `limit`: the most rows to take, over all files;
    `limit_each`: of each file."""

    language: str | None = None
    limit: int | None = None
    limit_each: int | None = None


def ingest(
    files: Sequence[InputFile],
    options: IngestOptions,
    recipe: Recipe,
    recipe_digest: str,
    directory: Place,
    scratch: Place,
    progress: Callable[[int], None],
) -> Cut:
    """Write all blocks of the input into `directory`; return counts (rows, blocks, rows per file) and hashes.

    `scratch` is a directory for the ids. `progress` is called with the number of rows of each block.
    """
    rows_of = {rows_key(file.dataset, file.name): 0 for file in files}
    hashes: list[str] = []
    with scratch_at(scratch, "parley-ids-") as path, closing(_Ids(path)) as ids:
        dialogues = islice(_dialogues(files, options, recipe, recipe_digest, ids, rows_of), options.limit)
        while batch := list(islice(dialogues, recipe.block_rows)):
            # What a power cut takes of these is seen by its hash and read again, so they need not wait for the disk.
            hashes.append(write_block(directory, len(hashes), batch, lasting=False))
            progress(len(batch))
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
        for row in islice(_rows(file), options.limit_each):
            rows_of[rows_key(file.dataset, file.name)] += 1
            dialogue = _dialogue(row, file, options.language, recipe, recipe_digest, ids)
            if dialogue.status == "live":
                dialogue = replace(dialogue, ordinal=live_of[dialogue.language])
                live_of[dialogue.language] += 1
            yield dialogue


def _rows(file: InputFile) -> Iterator[SourceRow]:
    """Read a file; of several in a data set, one may be without rows."""
    try:
        return read_rows(file.place, file.format)
    except NoRows:
        if not file.name:
            raise
        return iter(())


def _dialogue(
    row: SourceRow, file: InputFile, language: str | None, recipe: Recipe, recipe_digest: str, ids: "_Ids"
) -> Dialogue:
    dialogue_id, is_duplicate = ids.new(file.dataset, row.turns)
    language = language or detect_language(" ".join(f"{turn.text} {turn.material}" for turn in row.turns)) or "und"
    dialogue = Dialogue(
        dialogue_id=dialogue_id,
        language=language,
        source=Source(file.dataset, file.row(row.row), file.license),
        turns=_turns(row, recipe.exchanges == "first"),
        recipe=recipe_digest,
        tools=row.tools,
    )
    if row.reason is not None:
        return reject(dialogue, row.reason, row.detail or "")
    if "tools" not in recipe.stages and any(turn.calls for turn in dialogue.turns):
        return reject(dialogue, Reason.PLUGIN_ROW, "the agent calls a tool, and the recipe has no stage `tools`")
    if is_duplicate:
        return reject(dialogue, Reason.DUPLICATE)
    if language not in recipe.languages:
        detail = "its language could not be told; name it with --language" if language == "und" else language
        return reject(dialogue, Reason.UNSUPPORTED_LANGUAGE, detail)
    return dialogue


def _turns(row: SourceRow, first_exchange_only: bool) -> tuple[Turn, ...]:
    turns = [Turn(turn.role, turn.text, turn.material, thought=turn.thought, calls=turn.calls) for turn in row.turns]
    if turns and turns[-1].role == "user" and row.reason is None:
        turns.append(Turn(role="agent", original_text=""))
    return tuple(turns[:2] if first_exchange_only else turns)


class _Ids:
    """Makes stable ids and finds repeated rows; on disk, so that memory use does not grow with the number of rows."""

    def __init__(self, directory: Path) -> None:
        self._database = sqlite3.connect(directory / "ids.sqlite", isolation_level=None)
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID")

    def close(self) -> None:
        self._database.close()

    def new(self, dataset: str, turns: Sequence[SourceTurn]) -> tuple[str, bool]:
        """Return (dialogue_id, whether an earlier row had the same text); a repetition's id ends in its number."""
        content = json.dumps([(turn.role, turn.text, turn.material) for turn in turns], ensure_ascii=True)
        digest = hashlib.blake2b(content.encode("ascii"), digest_size=DIGEST_BYTES).hexdigest()
        statement = "INSERT INTO seen VALUES (?, 1) ON CONFLICT(id) DO UPDATE SET times = times + 1 RETURNING times"
        times = int(self._database.execute(statement, (digest,)).fetchone()[0])
        return dialogue_id(dataset, digest, times), times > 1
