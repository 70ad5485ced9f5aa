"""ingest: turns input files into blocks of dialogues.

Every row of the input becomes exactly one dialogue, readable or not. User and agent turns alternate from here on, the
user first: a user turn without an answer gets an empty agent turn, which `respond` may fill.
"""

import hashlib
import json
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from manifests.clips import is_safe_id
from manifests.errors import InputError
from manifests.reasons import Reason
from manifests.schema import Dialogue, Source, Turn
from manifests.storage import Place, open_place
from pipeline.job.blocks import write_block
from pipeline.job.commits import total_hash
from pipeline.job.directory import Cut
from pipeline.job.names import check_names, shown
from pipeline.readers import detect_format, detect_language, read_rows
from pipeline.readers.rows import SourceRow, SourceTurn
from pipeline.recipe import Recipe
from pipeline.scratch import scratch_at
from pipeline.stages.contract import reject

_EDGE_BYTES = 1 << 20
_DIGEST_BYTES = 10
_NO_DIGEST = "0" * (2 * _DIGEST_BYTES)
_DATASET_RULE = "take up to 150 letters a-z, A-Z, digits, dots, hyphens and underscores, a letter or digit first"


@dataclass(frozen=True)
class InputFile:
    """Describes one input file. `dataset` names the data set in ids and sources; the corpus contains no path."""

    uri: str
    dataset: str
    format: str
    license: str | None = None

    def identity(self) -> dict[str, Any]:
        """Return what identifies the file: name, format, size and the hash of its first and last MiB."""
        place = open_place(self.uri)
        return {
            "dataset": self.dataset,
            "format": self.format,
            "license": self.license,
            "bytes": place.size(),
            "edges_sha256": _edge_hash(place),
        }


@dataclass(frozen=True)
class IngestOptions:
    """Holds options. `language` None: detected for each row. `limit`: the most rows to take, over all files."""

    language: str | None = None
    limit: int | None = None


def open_inputs(
    uris: Sequence[str], format: str | None = None, dataset: str | None = None, license: str | None = None
) -> list[InputFile]:
    """Open the files and detect the formats if `format` is None. Raises InputError."""
    check_names(dataset, license)
    if dataset is not None and not is_safe_id(_id_of(dataset, _NO_DIGEST, sys.maxsize)):
        raise InputError(f"--dataset {shown(dataset)}: {_DATASET_RULE}")
    if dataset and len(uris) > 1:
        raise InputError("--dataset names one data set: give only one --input with it")
    files = [InputFile(uri, dataset or _dataset_name(uri), format or detect_format(uri), license) for uri in uris]
    names = [file.dataset for file in files]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError(f"two inputs would both be data set {min(twice)}: rename one, or run them separately")
    return files


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
    rows_of = {file.dataset: 0 for file in files}
    hashes: list[str] = []
    with scratch_at(scratch, "parley-ids-") as path, closing(_Ids(path)) as ids:
        dialogues = islice(_dialogues(files, options, recipe, recipe_digest, ids, rows_of), options.limit)
        while batch := list(islice(dialogues, recipe.block_rows)):
            hashes.append(write_block(directory, len(hashes), batch))
            progress(len(batch))
    rows = sum(rows_of.values())
    if not rows:
        raise InputError("the input has no rows")
    counts = {"rows": rows, "blocks": len(hashes), "block_rows": recipe.block_rows, "rows_of": rows_of}
    return Cut({**counts, "recipe": recipe_digest, "sha256": total_hash(hashes)}, hashes)


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
        for row in read_rows(file.uri, file.format):
            rows_of[file.dataset] += 1
            dialogue = _dialogue(row, file, options.language, recipe, recipe_digest, ids)
            if dialogue.status == "live":
                dialogue = replace(dialogue, ordinal=live_of[dialogue.language])
                live_of[dialogue.language] += 1
            yield dialogue


def _dialogue(
    row: SourceRow, file: InputFile, language: str | None, recipe: Recipe, recipe_digest: str, ids: "_Ids"
) -> Dialogue:
    dialogue_id, is_duplicate = ids.new(file.dataset, row.turns)
    language = language or detect_language(" ".join(f"{turn.text} {turn.material}" for turn in row.turns)) or "und"
    dialogue = Dialogue(
        dialogue_id=dialogue_id,
        language=language,
        source=Source(file.dataset, row.row, file.license),
        turns=_turns(row, recipe.exchanges == "first"),
        recipe=recipe_digest,
    )
    if row.reason is not None:
        return reject(dialogue, row.reason, row.detail or "")
    if is_duplicate:
        return reject(dialogue, Reason.DUPLICATE)
    if language not in recipe.languages:
        detail = "its language could not be told; name it with --language" if language == "und" else language
        return reject(dialogue, Reason.UNSUPPORTED_LANGUAGE, detail)
    return dialogue


def _turns(row: SourceRow, first_exchange_only: bool) -> tuple[Turn, ...]:
    turns = [Turn(role=turn.role, original_text=turn.text, material=turn.material) for turn in row.turns]
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
        digest = hashlib.blake2b(content.encode("ascii"), digest_size=_DIGEST_BYTES).hexdigest()
        statement = "INSERT INTO seen VALUES (?, 1) ON CONFLICT(id) DO UPDATE SET times = times + 1 RETURNING times"
        times = int(self._database.execute(statement, (digest,)).fetchone()[0])
        return _id_of(dataset, digest, times), times > 1


def _id_of(dataset: str, digest: str, times: int) -> str:
    return f"{dataset}-{digest}" if times == 1 else f"{dataset}-{digest}-{times}"


def _dataset_name(uri: str) -> str:
    """Return the file's name as a word that is safe anywhere: letters, digits, - and _."""
    stem = open_place(uri).name
    stem = re.sub(r"(\.(jsonl?|ndjson|parquet|gz))+$", "", stem, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:40] or "input"


def _edge_hash(place: Place) -> str:
    with place.filesystem.open_input_file(place.path) as file:
        head = file.read(_EDGE_BYTES)
        file.seek(max(0, file.size() - _EDGE_BYTES))
        return hashlib.sha256(head + file.read(_EDGE_BYTES)).hexdigest()
