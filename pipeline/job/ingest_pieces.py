"""Cuts a large input into blocks by many workers: the same blocks, byte for byte, as one process cuts.

1. Workers look at the pieces of the files: rows, lines, and for each row the digest of its texts and its language.
2. Workers find the rows whose texts stand further up; each looks at some of the digests of all pieces.
3. Workers read the pieces again and write the blocks that begin in each. By then every row's number, in the input and
   among the live rows of its language, and the number in its id, follow from counts.

The driver holds counts for each piece, and a few numbers for each repeated row. Between the steps the scratch
directory holds 13 bytes a row::

    piece-00017.npz     digests, languages, and which rows are live unless they are repeated
    repeated.npz        numbers of the repeated rows, and for the how manieth time each stands in the input
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.changes import replace
from manifests.errors import InputError
from manifests.schema import Dialogue
from manifests.storage import Place
from pipeline.job.blocks import write_block
from pipeline.job.inputs import InputFile
from pipeline.job.names import DIGEST_BYTES, dialogue_id
from pipeline.job.rows import IngestOptions, language_of, row_dialogue, text_digest, whole_file_rows
from pipeline.readers.detect import NoRows
from pipeline.readers.parquet import CannotCut
from pipeline.readers.pieces import Before, InputPiece, PieceReader, cut_file
from pipeline.readers.rows import SourceRow
from pipeline.readers.stream import StreamCopy
from pipeline.recipe import Recipe
from pipeline.spread import SPREAD_BYTES
from pipeline.stages.contract import Mapper

SHARE_ROWS = 2_000_000
"""Rows whose digests one worker compares: about 100 MB."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FilePiece:
    """Names a piece of input file number `file`, and what stands before it in the file."""

    file: int
    piece: InputPiece
    before: Before


@dataclass(frozen=True)
class Looked:
    """Says what a piece holds: `rows`, line ends, and how many rows of each language are live unless repeated."""

    rows: int
    lines: int
    live: dict[str, int]


@dataclass(frozen=True)
class Cutting:
    """Tells a worker what all pieces have in common."""

    files: Sequence[InputFile]
    options: IngestOptions
    recipe: Recipe
    recipe_digest: str
    directory: Place
    scratch: Place


@dataclass(frozen=True)
class Writing:
    """Tells a worker which blocks to write: those that begin in the first of `pieces`, the last of which may end in
    the others.

    `number` is that of the first piece, `starts` the numbers of the pieces' first rows and of the row behind them;
    `live` counts the live rows of each language before them. `stop` is the number behind the last row to write.
    """

    number: int
    pieces: Sequence[FilePiece]
    starts: Sequence[int]
    live: dict[str, int]
    stop: int


def can_spread(files: Sequence[InputFile], options: IngestOptions, mapper: Mapper) -> bool:
    """Tell whether workers should cut the input: it is large and wanted whole, and they see it where it lies."""
    if options.limit is not None or options.limit_each is not None:
        return False
    infos = [file.place.filesystem.get_file_info(file.place.path) for file in files]
    if sum(info.size or 0 for info in infos) < SPREAD_BYTES:  # one that is gone is reported by its reader
        return False
    return not any(
        isinstance(file.place, StreamCopy) or (file.place.is_local and not mapper.has_workers_here) for file in files
    )


def ingest_pieces(
    cutting: Cutting, mapper: Mapper, progress: Callable[[int], None]
) -> tuple[list[int], list[str]] | None:
    """Write all blocks; return the rows of each file, and the hash of each block.

    None, with nothing written, for an input that has no pieces.
    """
    pieces = [
        FilePiece(number, piece, Before())
        for number, file in enumerate(cutting.files)
        for piece in cut_file(file.place)
    ]
    if len(pieces) < 2:
        return None
    cutting.scratch.delete()
    try:
        pieces, looked = _look(cutting, pieces, mapper)
        starts = list(accumulate((one.rows for one in looked), initial=0))
        lives = _live_counts(cutting, looked, starts, mapper)
        works = [_writing(cutting, pieces, starts, number, live) for number, live in enumerate(lives)]
        hashes: list[str] = []
        for one, written in zip(looked, mapper.map(partial(write_blocks, cutting), works), strict=True):
            hashes += written
            progress(one.rows)
    finally:
        cutting.scratch.delete()
    rows = [0] * len(cutting.files)
    for piece, one in zip(pieces, looked, strict=True):
        rows[piece.file] += one.rows
    return rows, hashes


def _look(cutting: Cutting, pieces: list[FilePiece], mapper: Mapper) -> tuple[list[FilePiece], list[Looked]]:
    """Look at all pieces; a file with a piece that cannot be read by itself becomes one piece."""
    numbered = list(enumerate(pieces))
    found = list(mapper.map(partial(look_at_piece, cutting), numbered))
    whole = {piece.file for piece, one in zip(pieces, found, strict=True) if one is None}
    if whole:
        kept = [piece for piece in pieces if piece.file not in whole or piece.piece.start == 0]
        pieces = [FilePiece(piece.file, InputPiece(), Before()) if piece.file in whole else piece for piece in kept]
        cutting.scratch.delete()
        found = list(mapper.map(partial(look_at_piece, cutting), list(enumerate(pieces))))
    looked = [one for one in found if one is not None]
    placed, before = [], Before()
    for number, (piece, one) in enumerate(zip(pieces, looked, strict=True)):
        if number and piece.file != pieces[number - 1].file:
            before = Before()
        placed.append(replace(piece, before=before))
        before = Before(before.rows + one.rows, before.lines + one.lines)
    return placed, looked


def look_at_piece(cutting: Cutting, numbered: tuple[int, FilePiece]) -> Looked | None:
    """Run the first step for a piece; None if it cannot be read by itself."""
    number, piece = numbered
    file = cutting.files[piece.file]
    reader = _Rows(file, piece)
    digests, codes, live = bytearray(), list[int](), list[bool]()
    names: dict[str, int] = {}
    try:
        for row in reader:
            digests += text_digest(row.turns)
            language = language_of(row, cutting.options)
            codes.append(names.setdefault(language, len(names)))
            plain = row_dialogue(row, file, language, cutting.recipe, cutting.recipe_digest, "", is_repeated=False)
            live.append(plain.status == "live")
    except CannotCut:
        return None
    except NoRows as error:
        raise InputError(str(error)) from error  # which every process knows
    are_live, of = np.array(live, dtype=bool), np.array(codes, dtype=np.uint16)
    _write_arrays(
        _piece_place(cutting.scratch, number),
        digests=np.frombuffer(bytes(digests), np.uint8).reshape(-1, DIGEST_BYTES),
        languages=of,
        live=are_live,
        names=np.array(list(names), dtype=str),
    )
    counts = np.bincount(of[are_live], minlength=len(names)).tolist()
    return Looked(len(live), reader.lines, dict(zip(names, counts, strict=True)))


def _live_counts(
    cutting: Cutting, looked: Sequence[Looked], starts: Sequence[int], mapper: Mapper
) -> list[dict[str, int]]:
    """Find the repeated rows, and return for each piece how many rows of each language are live before it."""
    shares = 1 + starts[-1] // SHARE_ROWS
    find = partial(find_repeated, cutting.scratch, tuple(starts), shares)
    found = list(mapper.map(find, range(shares)))
    rows, times = (np.concatenate([one[part] for one in found]) for part in range(2))
    order = np.argsort(rows)
    _write_arrays(cutting.scratch / "repeated.npz", rows=rows[order], times=times[order])
    dead = [dict[str, int]() for _ in looked]
    for _, _, lost in found:
        for (number, name), count in lost.items():
            dead[number][name] = dead[number].get(name, 0) + count
    before, lives = dict[str, int](), []
    for one, lost_here in zip(looked, dead, strict=True):
        lives.append(dict(before))
        for name, count in one.live.items():
            before[name] = before.get(name, 0) + count - lost_here.get(name, 0)
    return lives


def find_repeated(
    scratch: Place, starts: Sequence[int], shares: int, share: int
) -> tuple[Numbers, Numbers, dict[tuple[int, str], int]]:
    """Run the second step for the digests of one share.

    Returns the numbers of the rows whose texts stand further up, for the how manieth time, and how many of them would
    have been live, by piece and language.
    """
    found_rows, keys, live_codes = [], [], []
    names: list[Sequence[str]] = []
    for number, start in enumerate(starts[:-1]):
        piece = _read_arrays(_piece_place(scratch, number))
        digests = np.ascontiguousarray(piece["digests"])
        mine = np.flatnonzero(digests[:, 0] % shares == share)
        found_rows.append(start + mine)
        keys.append(digests[mine])
        live_codes.append(np.where(piece["live"][mine], piece["languages"][mine].astype(np.int64), -1))
        names.append(piece["names"].tolist())
    rows, codes, digest = np.concatenate(found_rows), np.concatenate(live_codes), np.concatenate(keys)
    key = digest.view(f"V{DIGEST_BYTES}").ravel()
    _, inverse = np.unique(key, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    ordered = inverse[order]
    firsts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, np.int64)
    times = np.arange(len(ordered)) - np.repeat(firsts, np.diff(np.r_[firsts, len(ordered)])) + 1
    again = order[times > 1]
    lost: dict[tuple[int, str], int] = {}
    numbers = np.searchsorted(starts, rows[again], side="right") - 1
    for number, code in zip(numbers.tolist(), codes[again].tolist(), strict=True):
        if code >= 0:
            place = number, names[number][code]
            lost[place] = lost.get(place, 0) + 1
    return rows[again], times[times > 1], lost


def _writing(
    cutting: Cutting, pieces: Sequence[FilePiece], starts: Sequence[int], number: int, live: dict[str, int]
) -> Writing:
    size = cutting.recipe.block_rows
    stop = min(starts[-1], -(-starts[number + 1] // size) * size)
    behind = max(number + 1, int(np.searchsorted(starts, stop)))
    return Writing(number, pieces[number:behind], starts[number : behind + 1], live, stop)


def write_blocks(cutting: Cutting, work: Writing) -> list[str]:
    """Run the third step: write the blocks whose first row stands in the piece; return their hashes."""
    size, start = cutting.recipe.block_rows, work.starts[0]
    first = -(-start // size)
    dialogues = islice(_dialogues(cutting, work), first * size - start, max(work.stop, first * size) - start)
    hashes: list[str] = []
    while rows := list(islice(dialogues, size)):
        hashes.append(write_block(cutting.directory, first + len(hashes), rows, lasting=False))
    return hashes


def _dialogues(cutting: Cutting, work: Writing) -> Iterator[Dialogue]:
    """Yield the dialogues from the piece on."""
    repeated = _read_arrays(cutting.scratch / "repeated.npz")
    live_of = dict(work.live)
    for number, piece in enumerate(work.pieces):
        start, stop = work.starts[number : number + 2]
        own = slice(*np.searchsorted(repeated["rows"], (start, stop)).tolist())
        times = dict(zip(repeated["rows"][own].tolist(), repeated["times"][own].tolist(), strict=True))
        known = _read_arrays(_piece_place(cutting.scratch, work.number + number))
        names, codes, digests = known["names"].tolist(), known["languages"].tolist(), known["digests"]
        file = cutting.files[piece.file]
        for index, row in enumerate(_Rows(file, piece)):
            count = times.get(start + index, 1)
            name = dialogue_id(file.dataset, digests[index].tobytes().hex(), count)
            dialogue = row_dialogue(
                row, file, names[codes[index]], cutting.recipe, cutting.recipe_digest, name, is_repeated=count > 1
            )
            if dialogue.status == "live":
                ordinal = live_of.get(dialogue.language, 0)
                dialogue = replace(dialogue, ordinal=ordinal)
                live_of[dialogue.language] = ordinal + 1
            yield dialogue


class _Rows:
    """Yields the rows of a piece; of several files in a data set, one may be without rows."""

    def __init__(self, file: InputFile, piece: FilePiece) -> None:
        self._file, self._piece = file, piece
        self._reader = PieceReader(file.place, file.format, piece.piece, piece.before)

    def __iter__(self) -> Iterator[SourceRow]:
        return whole_file_rows(self._file) if self._piece.piece.stop is None else self._reader.rows()

    @property
    def lines(self) -> int:
        return self._reader.lines


def _piece_place(scratch: Place, number: int) -> Place:
    return scratch / f"piece-{number:05d}.npz"


def _write_arrays(place: Place, **arrays: Any) -> None:
    data = io.BytesIO()
    np.savez(data, **arrays)
    place.write_bytes(data.getvalue())


def _read_arrays(place: Place) -> Any:
    return np.load(io.BytesIO(place.read_bytes()), allow_pickle=False)
