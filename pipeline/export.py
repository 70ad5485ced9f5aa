"""Exports a corpus: cuts it into pieces, has a writer write them, and continues where a killed export ended.

::

    OUT/export.json      written last: what was exported, and the counts
    OUT/work/            while it runs: job.json, and pieces/NAME.json for each piece that is written
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from manifests.corpus import Corpus
from manifests.errors import ResumeRefused, UserError
from manifests.export.contract import Export, Exporter, ExportSettings, Piece, PieceWriter
from manifests.manifest import manifest_hash
from manifests.schema import Dialogue
from manifests.spread import Spread
from manifests.storage import Place
from pipeline.job.blocks import read_json
from pipeline.job.directory import WORK, JobDirectory, Parts, differences
from pipeline.job.runner.tasks import Runner
from pipeline.settings import nearest
from pipeline.spread import spread_for

RECORD = "export.json"
PIECES = "pieces"

PIECE_ROWS = 512
PIECE_S = 3600.0
"""A piece has so many rows or seconds of audio at most: 115 MB as 16-bit audio at 16 kHz."""


Seconds = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Rows:
    """Holds a piece and its rows."""

    piece: Piece
    corpus: Corpus

    def __len__(self) -> int:
        return len(self.corpus)


def export_settings(exporter: Exporter, values: Mapping[str, Any]) -> ExportSettings:
    """Check the user's settings of the exporter; raises UserError that names the first wrong one."""
    try:
        return TypeAdapter(exporter.settings).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"]))
        known = [field.name for field in fields(exporter.settings)]
        if first["type"] == "unexpected_keyword_argument":
            there = f"there are: {', '.join(known)}" if known else "it has none"
            raise UserError(
                f"exporter {exporter.name} has no setting {name}{nearest(name, known)} ({there})"
            ) from error
        where = f", setting {name}" if name else ""
        raise UserError(f"exporter {exporter.name}{where}: {first['msg'].removeprefix('Value error, ')}") from error


def export_corpus(
    exporter: Exporter,
    settings: ExportSettings,
    splits: Mapping[str, Corpus],
    out: Place,
    runner: Runner,
    progress: Callable[[int, int], None],
) -> Export:
    """Write the corpora in `splits`, by the name of their split, into `out`, or continue an earlier run of the same.

    `progress` gets the numbers of rows done and of all rows. Raises UserError if there is nothing to export or if
    `out` is in the corpus, and ResumeRefused if it holds something else.
    """
    whole = _whole(splits)
    if out.is_inside(whole.place):
        raise UserError("--out lies inside the corpus: choose a directory beside it")
    chosen, ids = _cut(splits, spread_for(runner, whole.place))
    identity = _identity(exporter, settings, splits, ids)
    if (out / RECORD).exists():
        return _finished(out, identity)
    writer = exporter.open(whole, settings)  # before anything is written: it may refuse the settings
    directory = JobDirectory(out, out / WORK, None, "export")
    with directory.owned() as directory:
        if (out / RECORD).exists():  # a moment ago another process may have finished it
            return _finished(out, identity)
        directory.claim(identity)
        try:
            _write_pieces(writer, chosen, directory, runner, progress)
        finally:
            runner.close()
        directory.check_owner()
        result = _finish(writer, chosen, directory, identity)
    directory.work.delete()
    return result


def _whole(splits: Mapping[str, Corpus]) -> Corpus:
    filled = [corpus for corpus in splits.values() if len(corpus)]
    if not filled:
        raise UserError("there is no row to export: no dialogue of the corpus has this status, subset and split")
    return max(filled, key=len)


def _cut(splits: Mapping[str, Corpus], spread: Spread) -> tuple[list[_Rows], dict[str, str]]:
    """Cut each split into pieces; return them, and for each split the hash of its rows' ids.

    A piece holds the rows of its shards alone, so that what travels to a worker does not grow with the corpus.
    """
    chosen, hashes = [], {}
    for split, corpus in splits.items():
        seconds, digest = [np.zeros(0)], hashlib.sha256()
        for ids, lengths in spread(_ids_and_seconds, corpus.parts()):
            seconds.append(lengths)
            digest.update(ids)
        ends = _ends(np.concatenate(seconds))
        starts = [0, *ends[:-1]]
        cuts = enumerate(zip(starts, ends, strict=True))
        chosen += [_Rows(Piece(split, number), corpus[start:end].narrowed()) for number, (start, end) in cuts]
        hashes[split] = digest.hexdigest()
    return chosen, hashes


def _ids_and_seconds(corpus: Corpus) -> tuple[bytes, Seconds]:
    """Return the ids of the rows, a line each, and the seconds of audio of each row."""
    seconds, ids = [np.zeros(0)], list[str]()
    for batch in corpus.select(["dialogue_id", "turns.take.audio.num_samples", "turns.take.audio.sample_rate"]):
        seconds.append(_seconds(batch))
        ids += batch["dialogue_id"].to_pylist()
    return "".join(f"{dialogue_id}\n" for dialogue_id in ids).encode(), np.concatenate(seconds)


def _seconds(batch: pa.RecordBatch) -> Seconds:
    """Return the seconds of audio of each row, float64 [rows]."""
    return np.array(
        [
            sum(
                turn["take"]["audio"]["num_samples"] / turn["take"]["audio"]["sample_rate"]
                for turn in turns
                if turn["take"] and turn["take"]["audio"]
            )
            for turns in batch["turns"].to_pylist()
        ],
        dtype=np.float64,
    )


def _ends(seconds: Seconds) -> list[int]:
    """Return the end of each piece: the index behind its last row."""
    ends, rows, length = [], 0, 0.0
    for index, each in enumerate(seconds.tolist()):
        if rows and (rows == PIECE_ROWS or length + each > PIECE_S):
            ends.append(index)
            rows, length = 0, 0.0
        rows, length = rows + 1, length + each
    return [*ends, len(seconds)] if len(seconds) else []


def _identity(
    exporter: Exporter, settings: ExportSettings, splits: Mapping[str, Corpus], ids: Mapping[str, str]
) -> Parts:
    """Return everything that decides the content of the files."""
    (manifest,) = {manifest_hash(corpus.place) for corpus in splits.values()}
    return {
        "parley": version("parley"),
        "exporter": exporter.name,
        "settings": json.loads(json.dumps(asdict(settings))),
        "corpus": manifest,
        "status": sorted({corpus.status for corpus in splits.values()}),
        "rows": dict(ids),
    }


def _write_pieces(
    writer: PieceWriter,
    chosen: Sequence[_Rows],
    directory: JobDirectory,
    runner: Runner,
    progress: Callable[[int, int], None],
) -> None:
    """Write the pieces that no earlier run has written."""
    records, total = directory.work / PIECES, sum(len(each) for each in chosen)
    there = {place.name for place in records.list()}
    todo = [each for each in chosen if f"{each.piece.stem}.json" not in there]
    done = total - sum(len(each) for each in todo)
    progress(done, total)
    for count in runner.map(partial(_write_piece, writer, directory.out, records), todo):
        done += count
        progress(done, total)
        directory.check_owner()


def _write_piece(writer: PieceWriter, out: Place, records: Place, rows: _Rows) -> int:
    """Write a piece and its record; return the number of its rows."""
    refused = Counter[str]()

    def accepted() -> Iterator[Dialogue]:
        for dialogue in rows.corpus:
            if problem := writer.problem(dialogue):
                refused[problem] += 1
            else:
                yield dialogue

    dialogues = accepted()
    kept = writer.write(dialogues, out, rows.piece)
    for _ in dialogues:  # a writer may have stopped early: what it leaves would be lost without a word
        refused["the exporter did not take it"] += 1
    record = {"written": len(rows) - refused.total(), "refused": dict(refused), "kept": kept}
    (records / f"{rows.piece.stem}.json").write_text(json.dumps(record, ensure_ascii=False))
    return len(rows)


@dataclass(frozen=True)
class _Written:
    """Goes through the pieces that hold something, with what their writer returned, reading one at a time."""

    records: Place
    pieces: Sequence[Piece]

    def __iter__(self) -> Iterator[tuple[Piece, Any]]:
        for piece in self.pieces:
            record = _record(self.records, piece)
            if record["written"]:
                yield piece, record["kept"]


def _record(records: Place, piece: Piece) -> dict[str, Any]:
    return read_json(records / f"{piece.stem}.json")


def _finish(writer: PieceWriter, chosen: Sequence[_Rows], directory: JobDirectory, identity: Parts) -> Export:
    records = directory.work / PIECES
    written, refused = 0, Counter[str]()
    for rows in chosen:
        record = _record(records, rows.piece)
        written += record["written"]
        refused.update(record["refused"])
    notes = writer.finish(directory.out, _Written(records, [rows.piece for rows in chosen]))
    result = Export(written, dict(sorted(refused.items())), tuple(notes))
    content = {"of": identity, **asdict(result)}
    (directory.out / RECORD).write_text(json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n")
    return result


def _finished(out: Place, identity: Parts) -> Export:
    record = read_json(out / RECORD)
    if changed := list(differences(record.get("of"), identity)):
        raise ResumeRefused(f"--out holds another finished export; changed: {', '.join(changed)}. Take another --out")
    return Export(record["written"], record["refused"], tuple(record["notes"]))
