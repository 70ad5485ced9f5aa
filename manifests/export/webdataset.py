"""WebDataset: tar files in which the members of a sample, a dialogue, stand side by side.

::

    train-00000.tar    ID.user.flac  ID.agent.flac  ID.json    and so on

The reader takes a member's name up to the first dot for the sample's key, so a dot in an id would split a sample; it
is written as %2E. Members of a sample that are not adjacent would become two samples. The JSON holds objects with the
same keys throughout, since `datasets`, which reads these files too, fails on lists of mixed types.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from manifests.corpus import Corpus
from manifests.export._tar import TarFile
from manifests.export._tracks import TrackSettings, dialogue_facts, track_bytes, tracks, tracks_problem
from manifests.export.contract import Exporter, Piece, PieceWriter
from manifests.schema import Dialogue
from manifests.storage import Place


@dataclass(frozen=True)
class WebDatasetWriter(PieceWriter):
    settings: TrackSettings

    def problem(self, dialogue: Dialogue) -> str | None:
        return tracks_problem(dialogue, self.settings.sample_rate)

    def write(self, dialogues: Iterator[Dialogue], out: Place, piece: Piece) -> None:
        with (out / f"{piece.stem}.tar").writing() as stream:
            tar = TarFile(stream)
            for dialogue in dialogues:
                self._add(tar, dialogue)
            tar.close()

    def _add(self, tar: TarFile, dialogue: Dialogue) -> None:
        key, codec = dialogue.dialogue_id.replace(".", "%2E"), self.settings.codec
        made = tracks(dialogue, self.settings)
        tar.add(f"{key}.user.{codec}", track_bytes(made.user, made.rate, codec))
        tar.add(f"{key}.agent.{codec}", track_bytes(made.agent, made.rate, codec))
        facts = json.dumps(dialogue_facts(dialogue, made), ensure_ascii=False)
        tar.add(f"{key}.json", facts.encode())


def open_webdataset(corpus: Corpus, settings: TrackSettings) -> WebDatasetWriter:
    return WebDatasetWriter(settings)


EXPORTER = Exporter(
    "webdataset",
    "WebDataset: tar files, a sample for each dialogue: a track for each speaker, and JSON",
    open_webdataset,
    TrackSettings,
    read_by="webdataset 1.0.2",
)
