"""Stores the blocks of a bank (first clips, then speakers and rejects) and the table of rejects.

For block 17, in the directory of finished blocks, beside its commit (`pipeline.job.blocks`)::

    000017/speakers.parquet             its speakers
    000017/rejected.parquet             its rejects

A reject is a row (group, clip_id, clips, reason, detail). With a clip_id it is one clip; without, it is a whole group,
and `clips` counts its clips without a row of their own. So the clips of all rows and of all speakers add up to the
listed clips.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.errors import CorpusError
from manifests.shards import DAMAGE
from manifests.storage import Place
from pipeline.bank.listing import read_clips
from pipeline.job.commits import block_folder, block_name, commit, read_checked
from pipeline.job.listener import Measure, Part
from pipeline.job.usage import Effort
from voicebank.layouts.clip import SourceClip
from voicebank.tables import SPEAKERS_FILE, read_speakers, write_speakers
from voicebank.voice import Speaker

REJECTED_FILE = "rejected.parquet"

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
class RejectedClips:
    """Describes a rejected clip or, with `clip_id` None, the remaining clips of a rejected group."""

    group: str
    clip_id: str | None
    clips: int
    reason: str
    detail: str | None = None


@dataclass(frozen=True)
class BankReport:
    """Records a finished block. The reasons count rows: clips, and groups."""

    block: int
    clips: int
    speakers: int
    clip_reasons: Mapping[str, int]
    group_reasons: Mapping[str, int]
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class BuiltGroups:
    """Holds the speakers and rejects made from the clips of whole groups."""

    clips: int
    speakers: list[Speaker]
    rejects: list[RejectedClips]


@dataclass(frozen=True)
class BankBlocks:
    """Loads blocks of clips from `source` and commits their results to `target`; `raw`: embeddings keep their
    length."""

    source: Place
    target: Place
    raw: bool = False
    part_rows: int = 64
    """Clips of a part, enough to fill the batches of the engines, see `pipeline.bank.clips`."""

    def load(self, block: int) -> list[list[SourceClip]]:
        """Load the clips of the block, by their groups."""
        return [list(group) for _, group in groupby(read_clips(self.source, block), attrgetter("group"))]

    def cut(self, whole: Sequence[Sequence[SourceClip]], part: Part) -> list[SourceClip]:
        return [clip for group in part.cut(whole) for clip in group]

    def measure(self, content: Sequence[SourceClip] | BuiltGroups) -> Measure:
        if isinstance(content, BuiltGroups):
            return Measure(content.clips, content.clips, len(content.speakers))
        return Measure(len(content))

    def pack(self, content: Any) -> Any:
        return content

    def unpack(self, packed: Any) -> Any:
        return packed

    def commit(self, block: int, contents: Sequence[BuiltGroups], effort: Effort) -> BankReport:
        """Write speakers and rejects, then the commit."""
        speakers = [speaker for part in contents for speaker in part.speakers]
        rejects = [reject for part in contents for reject in part.rejects]
        folder = block_folder(self.target, block)
        place = folder / block_name(block)
        write_speakers(place, speakers, self.raw)
        write_rejects(place, rejects)
        report = BankReport(
            block,
            sum(part.clips for part in contents),
            len(speakers),
            _counted(reject.reason for reject in rejects if reject.clip_id is not None),
            _counted(reject.reason for reject in rejects if reject.clip_id is None),
            {name: _hash(folder / name) for name in _files(block)},
        )
        commit(self.target, block, {"clips": report.clips, "speakers": report.speakers}, report)
        return report


def block_speakers(directory: Place, block: int) -> list[Speaker]:
    """Read the speakers of a block; raises BlockDamaged if they are missing or not what was written."""
    read_checked(directory, block, _files(block)[0])
    return read_speakers(block_folder(directory, block) / block_name(block))


def block_rejects(directory: Place, block: int) -> list[RejectedClips]:
    """Read the rejects of a block; raises BlockDamaged if they are missing or not what was written."""
    read_checked(directory, block, _files(block)[1])
    return [reject for group in read_rejects(block_folder(directory, block) / block_name(block)) for reject in group]


def write_rejects(directory: Place, rejects: Iterable[RejectedClips]) -> int:
    """Write `rejected.parquet` and return its number of rows. The same rows give the same bytes."""
    rows, count = iter(rejects), 0
    with (
        (directory / REJECTED_FILE).writing() as file,
        pq.ParquetWriter(file, _SCHEMA, compression="zstd", write_page_checksum=True) as writer,
    ):
        while group := list(islice(rows, _ROWS_PER_GROUP)):
            writer.write_table(pa.Table.from_pylist([asdict(reject) for reject in group], schema=_SCHEMA))
            count += len(group)
    return count


def read_rejects(directory: Place) -> Iterator[list[RejectedClips]]:
    """Yield the rejects, row group by row group; raises CorpusError if the file is missing or broken."""
    place = directory / REJECTED_FILE
    try:
        with place.filesystem.open_input_file(place.path) as file:
            parquet = pq.ParquetFile(file, page_checksum_verification=True)
            for group in range(parquet.num_row_groups):
                yield [RejectedClips(**row) for row in parquet.read_row_group(group).to_pylist()]
    except (*DAMAGE, TypeError) as error:
        raise CorpusError(f"{directory.name}/{place.name} is missing or broken") from error


def _files(block: int) -> tuple[str, str]:
    return f"{block_name(block)}/{SPEAKERS_FILE}", f"{block_name(block)}/{REJECTED_FILE}"


def _hash(place: Place) -> str:
    return hashlib.sha256(place.read_bytes()).hexdigest()


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(reasons).items()))
