"""Writes the clips of a piece as WAV files beside the rows that name them.

::

    OUT/audio/train/000/train-00003/017-my-data-6d1f0c-2.wav    of the dialogue 17 of piece 3, its turn 2

A folder holds one piece, and the folder above it 1,000 pieces. A piece has an hour of audio at most, or one dialogue:
for 10,000 files in a folder its turns would have to be shorter than 0.36 s. A name has one dot and no blank: ids may
have dots, which become underscores, and the number keeps the name unique.
"""

from dataclasses import dataclass, field

from manifests.errors import UserError
from manifests.export._audio import samples_at, wav_bytes
from manifests.export.contract import ExportSettings, Piece
from manifests.schema import Dialogue
from manifests.storage import Place

_PIECES_TOGETHER = 1000
_LOWEST_RATE, _HIGHEST_RATE = 8_000, 192_000


@dataclass(frozen=True)
class ClipSettings(ExportSettings):
    """`sample_rate` is in Hz."""

    sample_rate: int = field(
        default=16_000, metadata={"description": "sample rate of the clips in Hz; 0: that of the corpus"}
    )
    root: str = field(
        default="",
        metadata={
            "description": "directory that stands before the path of every clip, such as /data/export; "
            "empty: paths are relative to the export"
        },
    )


def check_sample_rate(rate: int, corpus_rate: bool = True) -> None:
    """Raise UserError for what is no rate of speech, in Hz; 0 is one where `corpus_rate` is allowed."""
    if not (_LOWEST_RATE <= rate <= _HIGHEST_RATE or (corpus_rate and rate == 0)):
        also = ", or 0 for that of the corpus" if corpus_rate else ""
        raise UserError(f"sample_rate is {rate}: take {_LOWEST_RATE} to {_HIGHEST_RATE} Hz{also}")


@dataclass(frozen=True)
class ClipFolder:
    """Writes clips of one piece into the export `out`."""

    out: Place
    piece: Piece
    settings: ClipSettings

    def write(self, dialogue: Dialogue, number: int, turn: int) -> str:
        """Write the clip of the turn and return its path, as rows give it.

        `number` is that of the dialogue in the piece. The turn has audio. Raises CorpusError if it cannot be decoded.
        """
        audio = dialogue.turns[turn].audio
        assert audio is not None  # else the writer had a problem with the dialogue
        rate = self.settings.sample_rate or audio.sample_rate
        name = f"{number:03d}-{dialogue.dialogue_id.replace('.', '_')}-{turn}.wav"
        path = f"audio/{self.piece.split}/{self.piece.number // _PIECES_TOGETHER:03d}/{self.piece.stem}/{name}"
        (self.out / path).write_bytes(wav_bytes(samples_at(audio, rate), rate))
        root = self.settings.root
        return f"{root.rstrip('/')}/{path}" if root else path
