"""Lhotse Shar: a cut for each dialogue; its recording is the user's track, its `target_audio` the agent's.

A supervision is a turn, and its speaker is the role, as the duplex data sets that read such cuts expect; the voice is
in its `custom`. The folder of a split opens in Lhotse 1.33 and 2.0.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from manifests.corpus import Corpus
from manifests.export._shar import SharCut, delete_leftovers, supervision, write_shard
from manifests.export._tracks import GAP, GAP_MS, RATE, TrackSettings, check_gap, check_rate, tracks, tracks_problem
from manifests.export.contract import Exporter, ExportSettings, Piece, PieceWriter
from manifests.schema import Dialogue
from manifests.storage import Place

_INDEXED = "write indexes for random access, which Lhotse 2 reads; Lhotse 1.33 then cannot open the folder"


@dataclass(frozen=True)
class SharSettings(ExportSettings):
    gap_ms: int = field(default=GAP_MS, metadata={"description": GAP})
    sample_rate: int = field(default=0, metadata={"description": RATE})
    indexed: bool = field(default=False, metadata={"description": _INDEXED})

    def __post_init__(self) -> None:
        check_gap(self.gap_ms)
        check_rate(self.sample_rate)


@dataclass(frozen=True)
class SharWriter(PieceWriter):
    layout: TrackSettings
    indexed: bool

    def problem(self, dialogue: Dialogue) -> str | None:
        return tracks_problem(dialogue, self.layout.sample_rate)

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        cuts = (_cut(dialogue, self.layout) for dialogue in dialogues)
        write_shard(out / piece.split, piece.number, cuts, self.indexed)

    def finish(self, out: Place, pieces: Iterable[tuple[Piece, Any]]) -> Sequence[str]:
        delete_leftovers(out, {piece.split for piece, _ in pieces})
        return ["with indexes, Lhotse 1.33 reads lists of files, not the folder"] if self.indexed else ()


def _cut(dialogue: Dialogue, layout: TrackSettings) -> SharCut:
    made, name = tracks(dialogue, layout), dialogue.dialogue_id
    supervisions = [supervision(facts, name, dialogue.language, made.rate) for facts in made.turns]
    return SharCut(name, made.user, made.rate, made.agent, made.rate, supervisions, {"dialogue_id": name})


def open_shar(corpus: Corpus, settings: SharSettings) -> SharWriter:
    return SharWriter(TrackSettings(settings.gap_ms, settings.sample_rate), settings.indexed)


EXPORTER = Exporter(
    "lhotse-shar",
    "Lhotse Shar: a cut for each dialogue, the user's track as recording and the agent's as target_audio",
    open_shar,
    SharSettings,
    read_by="lhotse 1.33.0",
)
