"""Kimi-Audio: JSONL for its fine-tuning code, whose own script then adds `audio_tokens` to every clip.

The documented task is "understanding": clips in, texts out. In "speech2speech" an answer is its text, then its clip:
a clip leaves the text stream blank, so a text is learned only as a message of its own. For that task the authors
say that `tokenize_message` may have to be changed. The script opens the file in the machine's encoding, so the file is
ASCII.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from manifests.corpus import Corpus
from manifests.export._clips import ClipSettings, check_sample_rate
from manifests.export._rows import Row, RowsWriter, WriteClip
from manifests.export._turns import Demands, exchanges
from manifests.export.contract import Exporter
from manifests.schema import Dialogue, Role

Task = Literal["understanding", "speech2speech"]

_NOTE = "For speech2speech the authors of Kimi-Audio say to adapt `tokenize_message` of their fine-tuning code."


@dataclass(frozen=True)
class KimiAudioSettings(ClipSettings):
    task: Task = field(
        default="understanding",
        metadata={"description": "understanding: answers are texts; speech2speech: texts, then clips"},
    )


@dataclass(frozen=True)
class KimiAudioWriter(RowsWriter):
    """Writes a row for each dialogue."""

    task: Task
    is_ascii: ClassVar[bool] = True

    def rows(self, dialogue: Dialogue, write_clip: WriteClip) -> list[Row]:
        messages = []
        for each in exchanges(dialogue):
            messages.append(_message("user", "audio", write_clip(each.user_turn)))
            messages.append(_message("assistant", "text", each.answer))
            if self.task == "speech2speech":
                messages.append(_message("assistant", "audio", write_clip(each.agent_turn)))
        return [{"task_type": self.task, "conversation": messages}]

    def notes(self, splits: Sequence[str]) -> Sequence[str]:
        return [_NOTE] if splits and self.task == "speech2speech" else []


def _message(role: str, kind: str, content: str) -> Row:
    return {"role": role, "message_type": kind, "content": content}


def open_kimi_audio(corpus: Corpus, settings: KimiAudioSettings) -> KimiAudioWriter:
    check_sample_rate(settings.sample_rate)
    clips: tuple[Role, ...] = ("user", "agent") if settings.task == "speech2speech" else ("user",)
    return KimiAudioWriter(settings, Demands(clips=clips), settings.task)


EXPORTER = Exporter(
    "kimi-audio",
    "Kimi-Audio: JSONL of its fine-tuning code",
    open_kimi_audio,
    KimiAudioSettings,
    read_by="Kimi-Audio, finetune_codes",
)
