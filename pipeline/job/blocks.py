"""Stores blocks: fixed slices of the input, committed and resumed as a whole. The files on disk *are* the progress.

A directory of blocks holds, for block 17 of a corpus and of a bank::

    000017.arrow                        the block's dialogues, as an Arrow IPC stream
    000017/                             the block's speakers and rejects, see `pipeline.bank.results`

and, written after them, the block's commit; blocks from 10,000 on lie in folders. See `pipeline.job.commits`.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from manifests.arrow import from_ipc, table_from_ipc, write_ipc
from manifests.errors import CorpusError
from manifests.hashing_file import HashingFile
from manifests.json_text import parse_json
from manifests.schema import Dialogue
from manifests.shards import estimated_bytes
from manifests.storage import Place
from pipeline.engines.contract import Tokens
from pipeline.job.commits import block_folder, block_name, commit, commit_names, read_checked
from pipeline.job.usage import Effort

Content = TypeVar("Content")

_BUFFER_BYTES = 2**18


@dataclass(frozen=True)
class BlockReport:
    """Records a finished block of dialogues. `seconds` (of its workers, by stage) and `tokens` are not part of the
    corpus.

    `ends` has the first letter of each row's status, in order, and `sizes` the estimated bytes of each row in a shard:
    with them `pack` knows where shards begin and end before it reads a row.
    """

    block: int
    rows: int
    live: int
    status: Mapping[str, int]
    reasons: Mapping[str, int]
    kept_audio_s: float
    sha256: Mapping[str, str]
    seconds: Mapping[str, float]
    tokens: Mapping[str, Tokens] = field(default_factory=dict)
    ends: str = ""
    sizes: Sequence[int] = ()


def live_rows(directory: Place) -> dict[int, int]:
    """Return the number of live rows of every finished block of dialogues."""
    # The last number of the name, without a look at the rest: there may be a hundred thousand.
    return {block: int(name[:-5].rpartition("-")[2]) for block, name in commit_names(directory).items()}


def read_block(directory: Place, block: int) -> list[Dialogue]:
    """Read the dialogues of a block; raises CorpusError if it is unfinished, BlockDamaged if it is not as written."""
    return _read(directory, block, from_ipc)


def read_block_table(directory: Place, block: int) -> pa.Table:
    """Read a block as `read_block` does, as the table that `manifests.arrow.table_from_ipc` returns."""
    return _read(directory, block, table_from_ipc)


def _read(directory: Place, block: int, parse: Callable[[bytes], Content]) -> Content:
    name = _file_name(block)
    data = read_checked(directory, block, name)
    try:
        return parse(data)
    except CorpusError as error:
        raise CorpusError(f"{directory / name}: {error}") from error


def write_block(directory: Place, block: int, dialogues: Sequence[Dialogue], lasting: bool = True) -> str:
    """Write only the rows, without the commit, and return the SHA-256 of the file. `lasting`: see `Place.writing`."""
    with (block_folder(directory, block) / _file_name(block)).writing(lasting) as file:
        hashing = HashingFile(file)
        with pa.BufferedOutputStream(pa.PythonFile(hashing, "w"), _BUFFER_BYTES) as sink:
            write_ipc(dialogues, sink)
    return hashing.hexdigest()


def commit_block(directory: Place, block: int, dialogues: Sequence[Dialogue], effort: Effort) -> BlockReport:
    """Write the rows of dialogues, then the commit."""
    status = Counter(dialogue.status for dialogue in dialogues)
    report = BlockReport(
        block=block,
        rows=len(dialogues),
        live=status["live"],
        status=dict(sorted(status.items())),
        reasons=dict(sorted(Counter(d.reason for d in dialogues if d.reason and d.status != "live").items())),
        kept_audio_s=sum(audio_s(dialogue) for dialogue in dialogues if dialogue.status == "kept"),
        sha256={_file_name(block): write_block(directory, block, dialogues)},
        seconds={stage: round(value, 4) for stage, value in effort.seconds.items()},
        tokens=dict(sorted(effort.tokens.items())),
        ends="".join(dialogue.status[0] for dialogue in dialogues),
        sizes=[estimated_bytes(dialogue) for dialogue in dialogues],
    )
    commit(directory, block, {"live": report.live}, report)
    return report


def _file_name(block: int) -> str:
    return f"{block_name(block)}.arrow"


def block_size(counts: Mapping[str, int], block: int) -> int:
    """Return the rows of a block, from `input.json`; only the last block may be smaller than the others."""
    return min(counts["block_rows"], counts["rows"] - block * counts["block_rows"])


def read_json(place: Place) -> dict[str, Any]:
    """Read a JSON object; raises CorpusError if the file is missing or broken."""
    if not place.exists():
        raise CorpusError(f"{place.name} is missing: this is not a directory of a Parley job")
    try:
        data = parse_json(place.read_text())
    except (ValueError, OSError) as error:
        raise CorpusError(f"{place.name} is broken: {error}") from error
    if not isinstance(data, dict):
        raise CorpusError(f"{place.name} is broken: not a JSON object")
    return data


def check_shape(data: Mapping[str, Any], shape: TypeAdapter[Any], name: str) -> None:
    """Raise CorpusError, naming the first wrong key, if a JSON file does not hold what its writer puts there."""
    try:
        shape.validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise CorpusError(f"{name} is broken: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def audio_s(dialogue: Dialogue) -> float:
    """Return the seconds of audio in all turns."""
    return sum(turn.audio.duration_s for turn in dialogue.turns if turn.audio)


def new_audio_s(dialogue: Dialogue) -> float:
    """Return the seconds of audio in the newest takes: those of the last pass in which turns were spoken."""
    takes = [turn.take for turn in dialogue.turns if turn.take]
    newest = max((take.number for take in takes), default=0)
    return sum(take.audio.duration_s for take in takes if take.audio and take.number == newest)
