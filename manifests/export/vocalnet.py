"""VocalNet: a JSON array, one row for each dialogue of one exchange.

Rows without `units` are for its first stage, speech to text; its second stage trains on speech tokens. The trainer
(`train_tdm.py`) wants these as a pickle, which Parley does not write; the class in `omni_speech/datasets` reads a list
of ids. A batch decides by its first row what all its rows have: one file holds one kind. It hears 30 s, looks for
clips below its `speech_folder`, and opens the file in the machine's encoding, so the file is ASCII.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from manifests.corpus import Corpus
from manifests.export._clips import check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._single import SingleSettings, taken
from manifests.export._speech_tokens import S3_V2
from manifests.export._targets import TEXT_NOTE, SpeechTarget, TargetSettings, speech_target
from manifests.export._turns import WHISPER_S, Demands, exchanges
from manifests.export.contract import Exporter
from manifests.schema import Dialogue

MARK = "<speech>"


@dataclass(frozen=True)
class VocalNetSettings(SingleSettings, TargetSettings):
    pass


@dataclass(frozen=True)
class VocalNetWriter(RowsWriter):
    """Writes a row for each dialogue."""

    speech: SpeechTarget
    first_exchange: bool
    file: ClassVar[str] = "{split}.json"
    is_ascii: ClassVar[bool] = True

    def problem(self, dialogue: Dialogue) -> str | None:
        part = taken(dialogue, self.first_exchange)
        return super().problem(part) or self.speech.problem(part)

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        (each,) = exchanges(taken(dialogue, self.first_exchange))
        row: Row = {
            "id": dialogue.dialogue_id,
            "speech": write_clip(each.user_turn),
            "conversations": [{"from": "human", "value": MARK}, {"from": "gpt", "value": each.answer}],
        }
        if codes := self.speech.codes(each.agent):
            row["units"] = list(codes[0])
        return [row]

    def notes(self, splits: Sequence[str]) -> Sequence[str]:
        return [TEXT_NOTE] if splits and self.speech.target == "text" else []


def open_vocalnet(corpus: Corpus, settings: VocalNetSettings) -> VocalNetWriter:
    check_sample_rate(settings.sample_rate)
    demands = Demands(marks=(MARK,), max_s=WHISPER_S, one_exchange=True)
    return VocalNetWriter(settings, demands, speech_target(settings, S3_V2), settings.first_exchange)


EXPORTER = Exporter(
    "vocalnet",
    "VocalNet: a JSON array, one row for each dialogue of one exchange",
    open_vocalnet,
    VocalNetSettings,
    read_by="VocalNet bdf01d2",
)
