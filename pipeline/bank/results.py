"""What is on disk of the blocks that are done, and the table of rejects.

For block 17, in the directory of finished blocks::

    000017/speakers.parquet             its speakers
    000017/rejected.parquet             its rejects
    000017.clips-256.speakers-9.json    written after them: the block is done; its name alone says how much that was

A reject is a row (group, clip_id, clips, reason, detail). With a clip_id it is one clip; without, a whole group, and
`clips` are those that no row of their own had rejected before. So the clips of all rows and of all speakers together
are the clips that were listed.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import CorpusError
from manifests.storage import Place
from pipeline.job.blocks import block_name
from voicebank.tables import read_speakers, write_speakers
from voicebank.voice import Speaker

REJECTED_FILE = "rejected.parquet"

_COMMIT = re.compile(r"(\d{6,})\.clips-(\d+)\.speakers-(\d+)\.json")
_SCHEMA = pa.schema(
    [
        pa.field("group", pa.string(), nullable=False),
        pa.field("clip_id", pa.string()),
        pa.field("clips", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string()),
    ]
)
_ROWS_PER_GROUP = 65_536


@dataclass(frozen=True, slots=True)
class Reject:
    """A clip that is left out, or (`clip_id` None) what is left of a group that is."""

    group: str
    clip_id: str | None
    clips: int
    reason: str
    detail: str | None = None


@dataclass(frozen=True)
class BankReport:
    """What is recorded of a finished block. The reasons count rows: clips, and groups."""

    block: int
    clips: int
    speakers: int
    clip_reasons: Mapping[str, int]
    group_reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Done:
    """What the name of a commit says."""

    clips: int
    speakers: int


def commit_block(
    directory: Place, block: int, clips: int, speakers: Sequence[Speaker], rejects: Sequence[Reject]
) -> BankReport:
    """Write speakers and rejects, then the commit."""
    place = directory / block_name(block)
    write_speakers(place, speakers)
    write_rejects(place, rejects)
    report = BankReport(
        block,
        clips,
        len(speakers),
        _counted(reject.reason for reject in rejects if reject.clip_id is not None),
        _counted(reject.reason for reject in rejects if reject.clip_id is None),
    )
    commit = directory / f"{block_name(block)}.clips-{clips}.speakers-{len(speakers)}.json"
    commit.write_text(json.dumps(asdict(report), sort_keys=True) + "\n")
    return report


def finished_blocks(directory: Place) -> dict[int, Done]:
    """Of every finished block, how much it was. One listing, no file is opened."""
    matches = (_COMMIT.fullmatch(place.name) for place in directory.list())
    return {int(match[1]): Done(int(match[2]), int(match[3])) for match in matches if match}


def block_speakers(directory: Place, block: int) -> list[Speaker]:
    return read_speakers(directory / block_name(block))


def block_rejects(directory: Place, block: int) -> list[Reject]:
    return [reject for group in read_rejects(directory / block_name(block)) for reject in group]


def write_rejects(directory: Place, rejects: Iterable[Reject]) -> int:
    """Write `rejected.parquet`; how many rows there were. The rows alone decide the bytes."""
    rows, count = iter(rejects), 0
    with (
        (directory / REJECTED_FILE).writing() as file,
        pq.ParquetWriter(file, _SCHEMA, compression="zstd", write_page_checksum=True) as writer,
    ):
        while group := list(islice(rows, _ROWS_PER_GROUP)):
            writer.write_table(pa.Table.from_pylist([asdict(reject) for reject in group], schema=_SCHEMA))
            count += len(group)
    return count


def read_rejects(directory: Place) -> Iterator[list[Reject]]:
    """The rejects, row group by row group; CorpusError where the file is missing or broken."""
    place = directory / REJECTED_FILE
    try:
        with place.filesystem.open_input_file(place.path) as file:
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            for group in range(parquet.num_row_groups):
                yield [Reject(**row) for row in parquet.read_row_group(group).to_pylist()]
    except (OSError, pa.ArrowException, TypeError) as error:
        raise CorpusError(f"{directory.name}/{place.name} is missing or broken") from error


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(reasons).items()))
