"""Stores blocks: fixed slices of the input, committed and resumed as a whole. The files on disk *are* the progress.

A directory of blocks holds, for block 17 of a corpus and of a bank::

    000017.parquet                      the block's dialogues
    000017.live-3.json                  written after it: the block is finished, and 3 of its rows are still live

    000017/                             the block's speakers and rejects, see `pipeline.bank.results`
    000017.clips-256.speakers-9.json    written after them

The last file is the commit, and contains the report. Its name alone says what a later run has to do, so that a job
continues after one listing, however much is done.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from manifests.errors import CorpusError
from manifests.json_text import parse_json
from manifests.schema import Dialogue
from manifests.shards import read_shard, write_shard
from manifests.storage import Place
from pipeline.engines.contract import Tokens
from pipeline.job.usage import Effort

_COMMIT = re.compile(r"(\d{6,})((?:\.[a-z]+-\d+)+)\.json")


@dataclass(frozen=True)
class BlockReport:
    """Records a finished block of dialogues. `seconds` (of its workers, by stage) and `tokens` are not part of the
    corpus."""

    block: int
    rows: int
    live: int
    status: Mapping[str, int]
    reasons: Mapping[str, int]
    kept_audio_s: float
    sha256: str
    seconds: Mapping[str, float]
    tokens: Mapping[str, Tokens] = field(default_factory=dict)


def block_name(block: int) -> str:
    return f"{block:06d}"


def commit(directory: Place, block: int, counts: Mapping[str, int], report: Any) -> None:
    """Write the report, after all other files of the block; `counts` become part of the file's name."""
    says = "".join(f".{name}-{count}" for name, count in counts.items())
    place = directory / f"{block_name(block)}{says}.json"
    place.write_text(json.dumps(asdict(report), sort_keys=True) + "\n")


def finished_blocks(directory: Place) -> dict[int, dict[str, int]]:
    """Return the counts in the commit's name of every finished block: one listing, without opening a file."""
    matches = (_COMMIT.fullmatch(place.name) for place in directory.list())
    return {int(match[1]): _counts(match[2]) for match in matches if match}


def live_rows(directory: Place) -> dict[int, int]:
    """Return the number of live rows of every finished block of dialogues."""
    return {block: counts["live"] for block, counts in finished_blocks(directory).items()}


def read_block(directory: Place, block: int) -> list[Dialogue]:
    """Read the dialogues of a block; raises CorpusError if it is missing or broken."""
    place = directory / f"{block_name(block)}.parquet"
    if not place.exists():
        raise CorpusError(f"block {block} is missing in {directory.name}: run the step before it to the end")
    return [dialogue for group in read_shard(place) for dialogue in group]


def write_block(directory: Place, block: int, dialogues: Sequence[Dialogue]) -> str:
    """Write only the rows, without the commit, and return the SHA-256 of the file."""
    return str(write_shard(directory / f"{block_name(block)}.parquet", dialogues).sha256)


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
        sha256=write_block(directory, block, dialogues),
        seconds={stage: round(value, 4) for stage, value in effort.seconds.items()},
        tokens=dict(sorted(effort.tokens.items())),
    )
    commit(directory, block, {"live": report.live}, report)
    return report


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


def _counts(text: str) -> dict[str, int]:
    """Parse counts such as ".live-3" into {"live": 3}."""
    pairs = (pair.split("-") for pair in text.split(".")[1:])
    return {name: int(count) for name, count in pairs}
