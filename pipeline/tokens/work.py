"""What a worker does with a row group of a corpus: decodes the clips, and has the tokenizer encode them."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from io import BytesIO
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from manifests import table as tables
from manifests.audio import decode
from manifests.corpus import open_shard_of
from manifests.errors import BlockDamaged
from manifests.schema import Audio, Dialogue
from manifests.shards import DAMAGE, ShardInfo
from manifests.storage import Place
from manifests.token_sets import ClipCodes, RowCodes, token_table
from pipeline.engines.contract import Clip, Failure, SpeechTokenizer
from pipeline.engines.registry import Models, load_engine
from pipeline.job.commits import block_folder, block_name, commit, read_checked
from pipeline.job.libraries import check_libraries, library_versions
from pipeline.job.listener import Measure, Part
from pipeline.job.usage import Effort
from pipeline.recipe import Pool

KIND = "tokenizer"

Of = Literal["turns", "tracks", "both"]
Roles = Literal["both", "user", "agent"]


@dataclass(frozen=True)
class TokenOrder:
    """Says what to tokenize, with which engine or model; everything that a worker needs, also on another machine."""

    engine: str
    models: Models
    of: Of
    role: Roles
    pool: Pool
    libraries: Mapping[str, str] = field(default_factory=library_versions)


@dataclass(frozen=True)
class TokenizerFacts:
    """Says what gave the codes: fields of `SpeechTokens`, from the loaded engine."""

    tokenizer: str
    revision: str
    sample_rate: int
    hop_length: int
    codebook_size: int
    license: str | None


@dataclass(frozen=True)
class CodedRows:
    """Holds the codes of rows, and what gave them."""

    rows: tuple[RowCodes, ...]
    facts: TokenizerFacts


class TokenWorker:
    """Loads the tokenizer once; raises EngineUnavailable if it cannot load."""

    def __init__(self, order: TokenOrder) -> None:
        check_libraries(order.libraries)
        self._order = order
        self._engine: SpeechTokenizer = load_engine(KIND, order.engine, order.models)
        self._facts = TokenizerFacts(
            **{each.name: getattr(self._engine, each.name) for each in fields(TokenizerFacts)}
        )

    def run(self, dialogues: Sequence[Dialogue]) -> tuple[CodedRows, Effort]:
        return CodedRows(tuple(self._coded(dialogue) for dialogue in dialogues), self._facts), Effort()

    def close(self) -> None:
        """Release what the engine holds outside this process."""
        if close := getattr(self._engine, "close", None):
            close()

    def _coded(self, dialogue: Dialogue) -> RowCodes:
        of, role = self._order.of, self._order.role
        turns: list[Audio | None] = []
        if of != "tracks":
            turns = [
                turn.audio if role in ("both", turn.role) and not dialogue.leaves_out(turn) else None
                for turn in dialogue.turns
            ]
        tracks = [track.audio for track in dialogue.timeline.tracks] if of != "turns" and dialogue.timeline else []
        return RowCodes(dialogue.dialogue_id, tuple(self._codes(turns)), tuple(self._codes(tracks)))

    def _codes(self, audios: Sequence[Audio | None]) -> Iterator[ClipCodes]:
        clips = [None if audio is None else Clip(*decode(audio)) for audio in audios]
        found = iter(self._engine.tokenize([clip for clip in clips if clip is not None]))
        for clip in clips:
            made = () if clip is None else next(found)
            yield ClipCodes((), made.detail) if isinstance(made, Failure) else ClipCodes(made)


@dataclass(frozen=True)
class TokenPlan:
    """Plans the only pool of workers."""

    order: TokenOrder
    name: str = KIND
    blocks_in_flight: int = 1
    takes_batches: bool = False
    keeps_blocks_whole: bool = False

    @property
    def claims(self) -> Pool:
        return self.order.pool

    def open(self) -> TokenWorker:
        return TokenWorker(self.order)


@dataclass(frozen=True)
class TokenReport:
    """Records a finished block: how many clips got tokens, how many frames, and what was wrong with the others."""

    block: int
    rows: int
    clips: int
    frames: int
    without: Mapping[str, int]
    facts: TokenizerFacts
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class TokenBlocks:
    """Loads row groups of the corpus `source`, and commits their codes to `target`. `groups` are the blocks."""

    source: Place
    target: Place
    groups: tuple[tuple[ShardInfo, int], ...]
    part_rows: int = 8

    def load(self, block: int) -> list[Dialogue]:
        shard, group = self.groups[block]
        reader = open_shard_of(self.source, shard)
        try:
            return reader.dialogues(group)
        finally:
            reader.close()

    def cut(self, whole: Sequence[Dialogue], part: Part) -> list[Dialogue]:
        return part.cut(whole)

    def measure(self, content: Sequence[Dialogue] | CodedRows) -> Measure:
        if isinstance(content, CodedRows):
            return Measure(len(content.rows), len(content.rows))
        return Measure(len(content))

    def pack(
        self, content: Sequence[Dialogue] | CodedRows
    ) -> tuple[Sequence[Dialogue], None] | tuple[bytes, TokenizerFacts]:
        if not isinstance(content, CodedRows):
            return content, None
        sink = BytesIO()
        table = token_table(content.rows)
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return sink.getvalue(), content.facts

    def unpack(
        self, packed: tuple[Sequence[Dialogue], None] | tuple[bytes, TokenizerFacts]
    ) -> Sequence[Dialogue] | CodedRows:
        data, facts = packed
        if not isinstance(data, bytes):
            return data
        assert facts is not None
        return CodedRows(tuple(tables.from_table(pa.ipc.open_stream(data).read_all(), RowCodes)), facts)

    def commit(self, block: int, contents: Sequence[CodedRows], effort: Effort) -> TokenReport:
        """Write the codes of a row group as a Parquet file, then the commit."""
        rows = [row for part in contents for row in part.rows]
        clips = [codes for row in rows for codes in (*row.turns, *row.tracks)]
        sink = BytesIO()
        pq.write_table(token_table(rows), sink, compression="zstd")
        name = f"{block_name(block)}.parquet"
        (block_folder(self.target, block) / name).write_bytes(sink.getvalue())
        report = TokenReport(
            block=block,
            rows=len(rows),
            clips=sum(bool(codes.books) for codes in clips),
            frames=sum(len(codes.books[0]) for codes in clips if codes.books),
            without=dict(sorted(Counter(codes.problem for codes in clips if codes.problem).items())),
            facts=contents[0].facts,
            sha256={name: hashlib.sha256(sink.getvalue()).hexdigest()},
        )
        commit(self.target, block, {"rows": len(rows)}, report)
        return report

    def table(self, block: int) -> Any:
        """Read the table of a finished block; raises BlockDamaged for one that is not as it was written."""
        data = read_checked(self.target, block, f"{block_name(block)}.parquet")
        try:
            table = pq.read_table(BytesIO(data)).combine_chunks()
        except DAMAGE as error:
            raise BlockDamaged(self.target.name, block) from error
        if tables.schema_problem(table.schema, RowCodes, exact=True):
            raise BlockDamaged(self.target.name, block)
        return table
