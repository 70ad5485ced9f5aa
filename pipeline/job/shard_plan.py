"""Plans the shards of a corpus from the commits of its blocks alone, before a row is read.

A commit says how each row of its block ended, and how large it is (`BlockReport.ends`, `.sizes`). A row that was still
live then ends in a later pass. The rows of a shard are a stretch of those of one status, in the order of the input.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from manifests.errors import BlockDamaged, LawBroken
from manifests.manifest import FINAL_STATUSES
from manifests.storage import Place
from manifests.writer import ShardLimits, shard_path
from pipeline.job.commits import commit_names, read_report

_LIVE = "l"
_STATUS = {status[0]: status for status in FINAL_STATUSES}


@dataclass(frozen=True)
class FinalBlock:
    """Names a block, and its commit in each pass; None where the pass has no rows of it."""

    number: int
    commits: tuple[str | None, ...]


@dataclass(frozen=True)
class RowEnds:
    """Says how the rows of a block ended: the first letter of each one's status, and its size in bytes, estimated.

    `sha256` are the hashes of the files that hold these rows.
    """

    block: FinalBlock
    statuses: str
    sizes: tuple[int, ...]
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class ShardPlan:
    """Describes a shard: `rows` rows of one status, the first `skip` of them in `blocks` left out.

    `content` is a hash of everything that decides the shard's bytes.
    """

    status: str
    number: int
    blocks: tuple[FinalBlock, ...]
    skip: int
    rows: int
    bytes: int
    content: str

    @property
    def path(self) -> str:
        return shard_path(self.status, self.number)


def final_blocks(passes: Sequence[Place], count: int) -> list[FinalBlock]:
    """Return blocks 0..count-1 with their commits; one listing for each pass."""
    names = [commit_names(directory) for directory in passes]
    return [FinalBlock(block, tuple(found.get(block) for found in names)) for block in range(count)]


def read_ends(passes: Sequence[Place], block: FinalBlock) -> RowEnds:
    """Read how the block's rows ended. Raises BlockDamaged for a commit that does not fit those before it."""
    statuses, sizes, hashes = list[str](), list[int](), list[str]()
    for number, (directory, name) in enumerate(zip(passes, block.commits, strict=True)):
        if name is None and number:
            continue
        report = read_report(directory, block.number, name or "")
        ends, lengths = _checked(directory, block.number, report)
        live = [row for row, status in enumerate(statuses) if status == _LIVE] if number else list(range(len(ends)))
        if len(live) != len(ends):
            raise BlockDamaged(directory.name, block.number)
        if not number:
            statuses, sizes = list(ends), list(lengths)
        for row, end, length in zip(live, ends, lengths, strict=True):
            statuses[row], sizes[row] = end, length
        hashes += sorted(map(str, report["sha256"].values()))
    if _LIVE in statuses:
        raise LawBroken(f"block {block.number} cannot be packed: a row of it is live")
    return RowEnds(block, "".join(statuses), tuple(sizes), tuple(hashes))


def _checked(directory: Place, block: int, report: Mapping[str, Any]) -> tuple[str, list[int]]:
    """Return `ends` and `sizes` of a report; raises BlockDamaged unless they are those of a block of dialogues."""
    ends, sizes = report.get("ends"), report.get("sizes")
    if not isinstance(ends, str) or not isinstance(sizes, list) or not set(ends) <= {_LIVE, *_STATUS}:
        raise BlockDamaged(directory.name, block)
    if not len(ends) == len(sizes) == report.get("rows") or not all(type(size) is int and size >= 0 for size in sizes):
        raise BlockDamaged(directory.name, block)
    return ends, sizes


def plan_shards(ends: Iterable[RowEnds], limits: ShardLimits, settings: Mapping[str, Any]) -> list[ShardPlan]:
    """Cut the rows of each status into shards. `settings` are what else decides a shard's bytes; they can be JSON.

    Memory use grows with the blocks, not with the rows.
    """
    growing: dict[str, _Growing] = {}
    plans = []
    for one in ends:
        for status, size in zip(one.statuses, one.sizes, strict=True):
            if status not in growing:
                growing[status] = _Growing(_STATUS[status])
            shard = growing[status]
            shard.add(one, size)
            if limits.are_reached(shard.bytes, shard.rows):
                plans.append(shard.plan(settings))
                growing[status] = shard.following()
    plans += [shard.plan(settings) for shard in growing.values() if shard.rows]
    return sorted(plans, key=lambda plan: (plan.status, plan.number))


@dataclass
class _Growing:
    """Collects the rows of a shard. The shard before ended in the block `after`, and `skip` of its rows are taken.

    `used` are the rows of the last block that this shard and those before it hold.
    """

    status: str
    number: int = 0
    after: RowEnds | None = None
    skip: int = 0
    used: int = 0
    rows: int = 0
    bytes: int = 0
    blocks: list[RowEnds] = field(default_factory=list)

    def add(self, ends: RowEnds, size: int) -> None:
        if not self.blocks:
            self.skip = self.used = self.skip if ends is self.after else 0
            self.blocks.append(ends)
        elif self.blocks[-1] is not ends:
            self.used = 0
            self.blocks.append(ends)
        self.used += 1
        self.rows += 1
        self.bytes += size

    def plan(self, settings: Mapping[str, Any]) -> ShardPlan:
        stretch = [self.status, self.number, self.skip, self.rows, dict(settings)]
        digest = hashlib.sha256(json.dumps(stretch, sort_keys=True).encode())
        for ends in self.blocks:
            digest.update("".join((*ends.sha256, ends.statuses)).encode())
        blocks = tuple(ends.block for ends in self.blocks)
        return ShardPlan(self.status, self.number, blocks, self.skip, self.rows, self.bytes, digest.hexdigest())

    def following(self) -> "_Growing":
        """Return the next shard, without rows."""
        return _Growing(self.status, self.number + 1, self.blocks[-1], self.used)
