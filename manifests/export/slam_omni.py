"""SLAM-Omni: JSONL, one row for each exchange, with what was said before in the question's text.

Its loader takes a string in `target_token` for a path and trains silence on an empty list; a row without the key
trains the text stream alone. It reads 30 s of a question. It can also read a saved data set, and then draws its
validation rows from it at random, by which the exchanges of a dialogue stand on both sides: here validation is a file
of its own (train.jsonl, validation.jsonl), for `manifest_format=jsonl`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from manifests.corpus import Corpus
from manifests.export._clips import check_sample_rate
from manifests.export._history import HISTORY_MARKS, question_with_history
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._speech_tokens import S3_V1
from manifests.export._targets import TEXT_NOTE, SpeechTarget, TargetSettings, speech_target
from manifests.export._turns import WHISPER_S, Demands, exchanges
from manifests.export.contract import Exporter
from manifests.schema import Dialogue

_NO_VALIDATION = "There is no split named validation: SLAM-Omni wants a file of other dialogues to validate on."


@dataclass(frozen=True)
class SlamOmniWriter(RowsWriter):
    """Writes a row for each exchange."""

    speech: SpeechTarget

    def problem(self, dialogue: Dialogue) -> str | None:
        return super().problem(dialogue) or self.speech.problem(dialogue)

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        rows, rounds = [], exchanges(dialogue)
        for each in rounds:
            row: Row = {
                "key": f"{dialogue.dialogue_id}-{each.number + 1}",
                "index": dialogue.dialogue_id,
                "round": each.number + 1,
                "source_wav": write_clip(each.user_turn),
                "source_text": question_with_history(rounds, each.number),
                "target_text": each.answer,
            }
            if codes := self.speech.codes(each.agent):
                row["target_token"] = list(codes[0])
            rows.append(row)
        return rows

    def notes(self, splits: Sequence[str]) -> Sequence[str]:
        notes = [TEXT_NOTE] if splits and self.speech.target == "text" else []
        if splits and "validation" not in splits:
            notes.append(_NO_VALIDATION)
        return notes


def open_slam_omni(corpus: Corpus, settings: TargetSettings) -> SlamOmniWriter:
    check_sample_rate(settings.sample_rate)
    demands = Demands(texts=("user", "agent"), marks=HISTORY_MARKS, max_s=WHISPER_S)
    return SlamOmniWriter(settings, demands, speech_target(settings, S3_V1))


EXPORTER = Exporter(
    "slam-omni",
    "SLAM-Omni: JSONL, one row for each exchange, with the history in its text",
    open_slam_omni,
    TargetSettings,
    read_by="SLAM-LLM a68e78f, examples/s2s",
)
